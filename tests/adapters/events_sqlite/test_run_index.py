"""The sorted runs that lead from a customer to its events."""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.adapters.events_sqlite import run_index
from lotus_server.adapters.events_sqlite.run_index import Entries, Ranges, RunReader, indexed_until, write_run
from lotus_server.adapters.events_sqlite.schema import open_for_writing


@pytest.fixture(autouse=True)
def _small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes at which a few dozen events make pages, runs and merges."""
    monkeypatch.setattr(run_index, "PAGE_ENTRIES", 4)
    monkeypatch.setattr(run_index, "RUNS_MERGED", 3)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = open_for_writing(tmp_path / "events.db", b"12345678")
    yield opened
    opened.close()


def entries(rows: list[tuple[int, int]], first_seq: int) -> Entries:
    keys, times = zip(*rows, strict=True)
    sequences = np.arange(first_seq, first_seq + len(rows), dtype=np.int64)
    return Entries(np.array(keys, dtype=np.int64), np.array(times, dtype=np.int64), sequences)


Question = tuple[tuple[int, int], tuple[int, int], int]

_row = st.tuples(st.integers(0, 6), st.integers(0, 20))


@given(
    runs=st.lists(st.lists(_row, min_size=1, max_size=20), max_size=8),
    questions=st.lists(st.tuples(_row, _row, st.integers(0, 60)), max_size=20),
)
def test_finds_what_a_scan_finds(runs: list[list[tuple[int, int]]], questions: list[Question]) -> None:
    connection = open_for_writing(Path(":memory:"), b"12345678")
    reader, every, seq = RunReader(), list[tuple[int, int, int]](), 1
    for run in runs:
        write_run(connection, entries(run, seq))
        every += [(key, at, number) for number, (key, at) in enumerate(run, seq)]
        seq += len(run)
        for (one_key, one_time), (other_key, other_time), after in questions:
            keys = min(one_key, other_key), max(one_key, other_key)
            start, end = min(one_time, other_time), max(one_time, other_time)
            expected = [n for key, at, n in every if keys[0] <= key <= keys[1] and start <= at < end and n > after]
            assert expected == sorted(reader.find(connection, Ranges.of([(*keys, start, end, after)])))
    assert seq - 1 == indexed_until(connection)
    connection.close()


@given(
    runs=st.lists(st.lists(_row, min_size=1, max_size=20), min_size=1, max_size=8),
    wanted=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 20), st.integers(0, 20)), max_size=9),
    after=st.integers(0, 60),
)
def test_many_ranges_are_found_at_once(
    runs: list[list[tuple[int, int]]], wanted: list[tuple[int, int, int]], after: int
) -> None:
    connection = open_for_writing(Path(":memory:"), b"12345678")
    every, seq = list[tuple[int, int, int]](), 1
    for run in runs:
        write_run(connection, entries(run, seq))
        every += [(key, at, number) for number, (key, at) in enumerate(run, seq)]
        seq += len(run)
    times = {key: (start, start + length) for key, start, length in wanted}

    found = RunReader().find(connection, Ranges.of((key, key, *times[key], after) for key in times))

    expected = [n for key, at, n in every if key in times and times[key][0] <= at < times[key][1] and n > after]
    assert expected == sorted(found)
    connection.close()


def test_full_levels_are_merged(connection: sqlite3.Connection) -> None:
    noise = random.Random(1)
    for number in range(7):
        write_run(connection, entries([(noise.randrange(5), noise.randrange(9)) for _ in range(10)], 1 + number * 10))

    rows = connection.execute("SELECT level, first_seq, last_seq FROM event_runs ORDER BY last_seq").fetchall()
    assert [(1, 1, 30), (1, 31, 60), (0, 61, 70)] == rows
    pages = connection.execute("SELECT count(*), sum(length(entries)) FROM event_index").fetchone()
    assert (8 + 8 + 3, 70 * 20) == pages
