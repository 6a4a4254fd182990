"""Corrections in the file: what a correction makes untrue does not come back, and nothing is done by halves."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lotus_server.adapters.events_sqlite import corrections
from lotus_server.adapters.events_sqlite.reader import EventReader
from lotus_server.adapters.events_sqlite.schema import DATABASE_NAME
from lotus_server.adapters.events_sqlite.writer import EventWriter
from lotus_server.domain.metering import CorrectionKind, Selection
from lotus_server.ports.event_store import CorrectionOrder, CorrectionStatus
from tests.adapters.events_sqlite.writers import COUNT, MAY, decoder, keep, kept, open_writer
from tests.contracts.metering_model import NOW, Sent, submission

BETA = Selection(COUNT.definition, "beta", MAY)


def void(id_: str) -> CorrectionOrder:
    return CorrectionOrder(id_, CorrectionKind.VOID, "a mistake")


def to_beta(id_: str) -> CorrectionOrder:
    return CorrectionOrder(id_, CorrectionKind.AMEND, "a mistake", customer_id="beta")


@pytest.mark.parametrize("order", [void("a"), to_beta("a"), to_beta("b")])
def test_an_aggregate_made_before_a_correction_is_not_kept_after_it(tmp_path: Path, order: CorrectionOrder) -> None:
    writer = open_writer(tmp_path)
    writer.append([submission("org", Sent("a"))])
    reader = EventReader(tmp_path)
    _, makings = reader.usage("org", [COUNT, BETA])
    writer.append([submission("org", Sent("b"))])
    writer.correct("org", [order], NOW)
    reader.catch_up("org", makings)
    writer.register([making.to_new_aggregate() for making in makings])

    assert kept(tmp_path, "org", COUNT) is None
    keep(writer, tmp_path, "org", COUNT, BETA)
    is_moved = order.kind is CorrectionKind.AMEND
    assert [1, int(is_moved)] == kept(tmp_path, "org", COUNT, BETA)
    reader.close()
    writer.close()


def test_a_correction_leaves_the_aggregates_of_other_customers_and_times_alone(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    writer.append([submission("org", Sent("a"), Sent("b", customer="beta"))])
    keep(writer, tmp_path, "org", COUNT, BETA)
    writer.correct("org", [void("a")], NOW)

    assert kept(tmp_path, "org", COUNT) is None
    assert [1] == kept(tmp_path, "org", BETA)
    writer.append([submission("org", Sent("c", customer="beta"), Sent("d"))])
    assert [2] == kept(tmp_path, "org", BETA)
    writer.close()


def test_a_correction_that_fails_leaves_nothing_of_its_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_writer(tmp_path)
    writer.append([submission("org", Sent("a"), Sent("b"))])
    keep(writer, tmp_path, "org", COUNT)
    with monkeypatch.context() as broken:
        broken.setattr(corrections, "is_same_json", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            writer.correct("org", [void("a"), CorrectionOrder("b", CorrectionKind.AMEND, "x")], NOW)

    assert [2] == kept(tmp_path, "org", COUNT)
    writer.append([submission("org", Sent("c"))])
    assert [3] == kept(tmp_path, "org", COUNT)
    assert [CorrectionStatus.DONE] == [result.status for result in writer.correct("org", [void("a")], NOW)]
    writer.close()


def test_a_file_of_the_first_format_is_brought_to_the_present_one(tmp_path: Path) -> None:
    _write_format_1(tmp_path / DATABASE_NAME)
    writer = EventWriter(tmp_path, decoder())

    assert kept(tmp_path, "org", COUNT) is None
    assert {NOW.replace(hour=0, minute=0): 2} == EventReader(tmp_path).event_days("org", MAY)
    keep(writer, tmp_path, "org", COUNT)
    assert [2] == kept(tmp_path, "org", COUNT)
    writer.append([submission("org", Sent("a"), Sent("c"))])
    assert [3] == kept(tmp_path, "org", COUNT)
    writer.correct("org", [void("a")], NOW)
    keep(writer, tmp_path, "org", COUNT)
    assert [2] == kept(tmp_path, "org", COUNT)
    writer.close()
    open_writer(tmp_path).close()


def test_aggregates_of_the_third_format_are_made_anew(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    writer.append([submission("org", Sent("a"), Sent("b"))])
    keep(writer, tmp_path, "org", COUNT)
    writer.close()
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection:
        connection.execute("UPDATE aggregate_states SET state = '99 0 0 0 99'")
        connection.execute("UPDATE meta SET value = 3 WHERE key = 'format'")
        connection.commit()

    writer = open_writer(tmp_path)

    assert kept(tmp_path, "org", COUNT) is None
    keep(writer, tmp_path, "org", COUNT)
    assert [2] == kept(tmp_path, "org", COUNT)
    writer.close()


def _write_format_1(path: Path) -> None:
    """Write a file as the first version of the store did, with two events and an aggregate that is wrong by now."""
    connection = sqlite3.connect(path)
    connection.executescript(_FORMAT_1)
    connection.executemany("INSERT INTO meta VALUES (?, ?)", [("format", 1), ("secret", b"12345678")])
    connection.execute("INSERT INTO organizations VALUES (1, 'org', 2)")
    at = 1_778_846_400_000_000
    events = [(seq, 1, at, at, 0, "acme", "call", id_, "{}") for seq, id_ in enumerate("ab", 1)]
    connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", events)
    fingerprint = COUNT.fingerprint("org")
    connection.execute("INSERT INTO aggregates VALUES (1, ?, 1, 'acme', 'call', 0, 1, '{}')", (fingerprint,))
    connection.execute("INSERT INTO aggregate_states VALUES (1, '', '99 0 0 0 99')")
    connection.commit()
    connection.close()


_FORMAT_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, org INTEGER NOT NULL, happened_us INTEGER NOT NULL, received_us INTEGER NOT NULL,
    flags INTEGER NOT NULL, customer TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, properties TEXT NOT NULL
);
CREATE TABLE organizations (
    org INTEGER PRIMARY KEY, organization_id TEXT NOT NULL UNIQUE, event_count INTEGER NOT NULL
);
CREATE TABLE event_runs (
    run INTEGER PRIMARY KEY, level INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, first_keys BLOB NOT NULL
);
CREATE TABLE event_index (page INTEGER PRIMARY KEY, entries BLOB NOT NULL);
CREATE TABLE aggregates (
    aggregate INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, org INTEGER NOT NULL, customer TEXT NOT NULL,
    event_name TEXT NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, selection TEXT NOT NULL
);
CREATE INDEX aggregates_of_customer ON aggregates (org, customer, event_name);
CREATE TABLE aggregate_states (
    aggregate INTEGER NOT NULL, group_key TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (aggregate, group_key)
) WITHOUT ROWID;
CREATE TABLE unique_values (
    aggregate INTEGER NOT NULL, group_key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (aggregate, group_key, value)
) WITHOUT ROWID;
"""
