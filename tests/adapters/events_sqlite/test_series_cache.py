"""Series in memory: bounded, and never older than what is on disk."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from lotus_server.adapters.events_sqlite.reader import EventReader
from lotus_server.adapters.events_sqlite.row_reader import RowReader
from lotus_server.adapters.events_sqlite.series_cache import SeriesCache
from lotus_server.adapters.events_sqlite.writer import EventWriter
from lotus_server.domain.metering import Aggregation, MetricDefinition, Selection
from tests.adapters.events_sqlite.writers import MAY, open_writer
from tests.contracts.metering_model import Sent, days, submission

MEDIAN = MetricDefinition("call", Aggregation.PERCENTILE, "n", percentile=Decimal(50))


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[EventWriter]:
    opened = open_writer(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def reader(writer: EventWriter, tmp_path: Path) -> Iterator[EventReader]:
    opened = EventReader(tmp_path)
    yield opened
    opened.close()


def test_the_series_used_least_are_forgotten(writer: EventWriter, reader: EventReader) -> None:
    names = [f"c{number}" for number in range(9)]
    sent = [Sent(f"{name}-{number}", customer=name, properties='{"n":3}') for name in names for number in range(10)]
    writer.append([submission("org", *sent)])
    cache = SeriesCache(RowReader(), points_max=65)
    with reader.snapshot() as connection:
        for name in [*names, "c0", "c8"]:
            assert 3 == cache.usage(connection, 1, Selection(MEDIAN, name, MAY)).value
        at_hand = [name for name in names if cache.usage_at_hand(connection, 1, Selection(MEDIAN, name, MAY))]

    assert ["c0", "c7", "c8"] == at_hand


def test_a_series_longer_than_the_cache_is_answered_all_the_same(writer: EventWriter, reader: EventReader) -> None:
    sent = [Sent(str(number), properties=f'{{"n":{number}}}') for number in range(101)]
    writer.append([submission("org", *sent)])
    cache = SeriesCache(RowReader(), points_max=20)
    with reader.snapshot() as connection:
        assert [50, 50] == [cache.usage(connection, 1, Selection(MEDIAN, "acme", MAY)).value for _ in range(2)]


def test_a_reader_of_an_older_state_neither_loses_nor_doubles_events(writer: EventWriter, reader: EventReader) -> None:
    """Two readers share a series; the one whose transaction is older comes second."""
    selection = Selection(MEDIAN, "acme", MAY)
    cache = SeriesCache(RowReader())
    writer.append([submission("org", Sent("a", at=days(1), properties='{"n":1}'))])
    with reader.snapshot() as older:
        older.execute("SELECT max(seq) FROM events").fetchone()
        more = [Sent(str(number), at=days(2), properties='{"n":9}') for number in range(5)]
        writer.append([submission("org", *more)])
        with reader.snapshot() as newer:
            assert 6 == cache.usage(newer, 1, selection).counted
        assert 6 == cache.usage(older, 1, selection).counted
    with reader.snapshot() as newest:
        assert 6 == cache.usage(newest, 1, selection).counted
