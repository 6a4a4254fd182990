"""A verification finds what is wrong, and only that."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lotus_server.adapters.events_sqlite import writer as writer_module
from lotus_server.adapters.events_sqlite.reader import EventReader
from lotus_server.adapters.events_sqlite.schema import DATABASE_NAME
from lotus_server.adapters.events_sqlite.verify import DamagedLog, drifts
from lotus_server.domain.metering import Aggregation, CorrectionKind, MetricDefinition, Selection
from lotus_server.ports.event_store import CorrectionOrder, Drift
from tests.adapters.events_sqlite.writers import COUNT, MAY, keep, open_writer
from tests.contracts.metering_model import NOW, Sent, submission

SUM = Selection(MetricDefinition("call", Aggregation.SUM, "n"), "acme", MAY)
ORDER = CorrectionOrder("8", CorrectionKind.AMEND, "no", properties_json=b'{"n":0}')


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of 250 events with two runs of 100, two corrections and two aggregates."""
    monkeypatch.setattr(writer_module, "RUN_EVENTS", 100)
    writer = open_writer(tmp_path)
    keep(writer, tmp_path, "org", COUNT, SUM)
    writer.append([submission("org", *(Sent(str(number), properties='{"n":0.5}') for number in range(250)))])
    writer.tidy_up()
    writer.correct("org", [CorrectionOrder("7", CorrectionKind.VOID, "no"), ORDER], NOW)
    keep(writer, tmp_path, "org", COUNT, SUM)
    writer.close()
    return tmp_path


@pytest.fixture
def change(directory: Path) -> Iterator[Callable[[str], None]]:
    connection = sqlite3.connect(directory / DATABASE_NAME)

    def execute(statement: str) -> None:
        assert connection.execute(statement).rowcount
        connection.commit()

    yield execute
    connection.close()


def verify(directory: Path) -> list[Drift]:
    reader = EventReader(directory)
    try:
        return list(drifts(reader, lambda *_: None))
    finally:
        reader.close()


def test_a_sound_store_has_no_drift(directory: Path) -> None:
    found = verify(directory)

    assert {COUNT, SUM} == {drift.selection for drift in found}
    assert all(drift.is_zero and drift.organization_id == "org" for drift in found)
    assert {249, 124} == {drift.recounted.quantity for drift in found}


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE aggregate_states SET state = replace(state, '249 0', '251 0')",
        "DELETE FROM aggregate_states",
    ],
)
def test_a_wrong_aggregate_is_a_drift(directory: Path, change: Callable[[str], None], damage: str) -> None:
    change(damage)

    assert [False, False] == [drift.is_zero for drift in verify(directory)]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE events SET id = '7' WHERE seq = 100",
        "DELETE FROM events WHERE seq = 240",
        "DELETE FROM events WHERE seq = 10",
        "UPDATE events SET customer = 'other' WHERE seq = 20",
        "UPDATE events SET happened_us = happened_us + 1 WHERE seq = 20",
        "DELETE FROM event_index WHERE page = (SELECT max(page) FROM event_index)",
        "DELETE FROM event_runs WHERE first_seq = 1",
        "UPDATE corrected SET happened_us = happened_us + 1 WHERE seq = 9",
        "UPDATE corrected SET status = 'amended'",
        "UPDATE corrections SET kind = 'amend'",
        "DELETE FROM corrected WHERE seq = 9",
        "DELETE FROM corrections WHERE seq = 8",
        "UPDATE event_days SET event_count = event_count + 1",
        "DELETE FROM event_days",
    ],
)
def test_a_log_or_index_that_contradicts_itself_is_reported(
    directory: Path, change: Callable[[str], None], damage: str
) -> None:
    change(damage)

    with pytest.raises(DamagedLog):
        verify(directory)
