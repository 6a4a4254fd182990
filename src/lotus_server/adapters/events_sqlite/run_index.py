"""Which events a customer has: sorted runs, written once, instead of an index that dirties a page per event.

Every `RUN_EVENTS` events one run is written; `RUNS_MERGED` runs of the first level become one of the second. A run's
pages hold its entries (key, happened_us, seq) in the order of (key, happened_us). Events newer than the last run are
found by reading the log's tail.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

RUN_EVENTS: Final = 8_192
RUNS_MERGED: Final = 16
# 400 entries of 20 bytes fill one page of the file (8,192 bytes) without overflow pages.
PAGE_ENTRIES: Final = 400
_ENTRY_BYTES: Final = 20
_PAGE_NUMBER_BITS: Final = 16

Int64s = npt.NDArray[np.int64]


class Entries(msgspec.Struct, frozen=True):
    """Parallel columns of index entries."""

    keys: Int64s
    times: Int64s
    sequences: Int64s

    def in_order(self) -> "Entries":
        """Return the entries sorted by key, then time, then acceptance."""
        order = np.lexsort((self.sequences, self.times, self.keys))
        return Entries(self.keys[order], self.times[order], self.sequences[order])

    def to_bytes(self) -> bytes:
        """Return the entries as one page."""
        return self.keys.tobytes() + self.times.tobytes() + self.sequences.astype(np.uint32).tobytes()

    def piece(self, start: int, end: int) -> "Entries":
        """Return the entries from place `start` (included) to `end` (excluded)."""
        return Entries(self.keys[start:end], self.times[start:end], self.sequences[start:end])

    @classmethod
    def from_bytes(cls, page: bytes) -> "Entries":
        """Return the entries of a page."""
        count = len(page) // _ENTRY_BYTES
        return cls(
            np.frombuffer(page, np.int64, count),
            np.frombuffer(page, np.int64, count, 8 * count),
            np.frombuffer(page, np.uint32, count, 16 * count).astype(np.int64),
        )

    @classmethod
    def joined(cls, parts: "list[Entries]") -> "Entries":
        """Return the entries of all parts, one part after the other."""
        if not parts:
            nothing = np.zeros(0, dtype=np.int64)
            return cls(nothing, nothing, nothing)
        return cls(
            np.concatenate([part.keys for part in parts]),
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.sequences for part in parts]),
        )


def indexed_until(connection: sqlite3.Connection) -> int:
    """Return the sequence number up to which every event is in a run."""
    row = connection.execute("SELECT max(last_seq) FROM event_runs").fetchone()
    return int(row[0] or 0)


def write_run(connection: sqlite3.Connection, entries: Entries) -> None:
    """Add a run of the first level; merge the level when it is full. The caller has a transaction."""
    _write(connection, entries, level=0)
    waiting = [row[0] for row in connection.execute("SELECT run FROM event_runs WHERE level = 0 ORDER BY run")]
    if len(waiting) >= RUNS_MERGED:
        merged = Entries.joined([read_run(connection, run) for run in waiting])
        for run in waiting:
            connection.execute("DELETE FROM event_index WHERE page BETWEEN ? AND ?", _pages_of(run))
            connection.execute("DELETE FROM event_runs WHERE run = ?", (run,))
        _write(connection, merged, level=1)


def _write(connection: sqlite3.Connection, unordered: Entries, *, level: int) -> None:
    entries = unordered.in_order()
    # A number is never used twice, so that readers may remember a run by its number.
    last = connection.execute("SELECT value FROM meta WHERE key = 'last_run'").fetchone()
    run = 1 + (last[0] if last else 0)
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('last_run', ?)", (run,))
    starts = range(0, len(entries.keys), PAGE_ENTRIES)
    assert len(starts) < 1 << _PAGE_NUMBER_BITS
    pages = [entries.piece(start, start + PAGE_ENTRIES).to_bytes() for start in starts]
    first_page = _pages_of(run)[0]
    connection.executemany("INSERT INTO event_index VALUES (?, ?)", enumerate(pages, first_page))
    summary = (
        run,
        level,
        int(entries.sequences.min()),
        int(entries.sequences.max()),
        int(entries.times.min()),
        int(entries.times.max()) + 1,
        entries.keys[::PAGE_ENTRIES].tobytes(),
    )
    connection.execute("INSERT INTO event_runs VALUES (?, ?, ?, ?, ?, ?, ?)", summary)


def _pages_of(run: int) -> tuple[int, int]:
    first = run << _PAGE_NUMBER_BITS
    return first, first + (1 << _PAGE_NUMBER_BITS) - 1


def read_run(connection: sqlite3.Connection, run: int) -> Entries:
    """Return all entries of a run in their order."""
    rows = connection.execute(
        "SELECT entries FROM event_index WHERE page BETWEEN ? AND ? ORDER BY page", _pages_of(run)
    )
    return Entries.joined([Entries.from_bytes(row[0]) for row in rows])


class _Run(msgspec.Struct, frozen=True):
    start_us: int
    end_us: int
    first_keys: Int64s


class Ranges(msgspec.Struct, frozen=True):
    """Parallel columns of what is looked for.

    Keys are in the closed range `[first, last]`, times in `[start_us, end_us)`, and sequence numbers above `after_seq`.
    The ranges of keys are in ascending order, and none overlaps another.
    """

    first: Int64s
    last: Int64s
    start_us: Int64s
    end_us: Int64s
    after_seq: Int64s

    @classmethod
    def of(cls, wanted: Iterable[tuple[int, int, int, int, int]]) -> "Ranges":
        """Return ranges given as (first, last, start, end, after); those with the same keys become one."""
        by_keys: dict[tuple[int, int], tuple[int, int, int]] = {}
        for first, last, start_us, end_us, after_seq in wanted:
            known = by_keys.get((first, last), (start_us, end_us, after_seq))
            by_keys[first, last] = min(start_us, known[0]), max(end_us, known[1]), min(after_seq, known[2])
        rows = [(*keys, *limits) for keys, limits in sorted(by_keys.items())]
        return cls(*np.array(rows, dtype=np.int64).reshape(-1, 5).T)

    def within(self, start_us: int, end_us: int, last_seq: int) -> "Ranges":
        """Return the ranges that events with times in `[start_us, end_us)` up to a sequence number may be in."""
        some = (self.start_us < end_us) & (self.end_us > start_us) & (self.after_seq < last_seq)
        return Ranges(self.first[some], self.last[some], self.start_us[some], self.end_us[some], self.after_seq[some])


class RunReader:
    """Finds entries by key and time. Remembers the first keys of each run's pages, which never change."""

    def __init__(self) -> None:
        """Start without memory."""
        self._runs: dict[int, _Run] = {}

    def find(self, connection: sqlite3.Connection, ranges: Ranges) -> list[int]:
        """Return the sequence numbers of indexed events in the ranges, unordered. The caller has a read transaction."""
        found = [sequences for sequences, _ in self._matches(connection, ranges)]
        result: list[int] = np.concatenate(found).tolist() if found else []
        return result

    def hit(self, connection: sqlite3.Connection, ranges: Ranges) -> set[int]:
        """Return the first key of each range in which there is an indexed event. The caller has a read transaction."""
        found: set[int] = set()
        for _, firsts in self._matches(connection, ranges):
            found.update(np.unique(firsts).tolist())
        return found

    def _matches(self, connection: sqlite3.Connection, ranges: Ranges) -> Iterator[tuple[Int64s, Int64s]]:
        """Yield the sequence numbers of the events of each run that are in a range, and the first key of that range."""
        rows = connection.execute("SELECT run, start_us, end_us, last_seq FROM event_runs").fetchall()
        for run, *extent in rows:
            some = ranges.within(*extent)
            if not some.first.size:
                continue
            entries = self._entries(connection, run, some)
            starts = np.searchsorted(entries.keys, some.first, side="left")
            counts = np.searchsorted(entries.keys, some.last, side="right") - starts
            # The places of all entries of all ranges, one range after the other.
            skipped = np.repeat(starts - (np.cumsum(counts) - counts), counts)
            places = np.arange(skipped.size, dtype=np.int64) + skipped
            times, sequences = entries.times[places], entries.sequences[places]
            matching = (times >= np.repeat(some.start_us, counts)) & (times < np.repeat(some.end_us, counts))
            matching &= sequences > np.repeat(some.after_seq, counts)
            yield sequences[matching], np.repeat(some.first, counts)[matching]

    def _entries(self, connection: sqlite3.Connection, number: int, ranges: Ranges) -> Entries:
        """Return the pages of a run that may hold keys of the ranges, in their order."""
        run = self._runs.get(number) or self._remember(connection, number)
        # A page may begin in the middle of a key, so the page before the first one that begins with the key counts too.
        first = np.maximum(np.searchsorted(run.first_keys, ranges.first, side="left") - 1, 0)
        last = np.searchsorted(run.first_keys, ranges.last, side="right") - 1
        is_there = last >= first
        start = _pages_of(number)[0]
        pages: list[Entries] = []
        for stretch in _stretches(first[is_there].tolist(), last[is_there].tolist()):
            rows = connection.execute(
                "SELECT entries FROM event_index WHERE page BETWEEN ? AND ? ORDER BY page",
                (start + stretch[0], start + stretch[1]),
            )
            pages += [Entries.from_bytes(row[0]) for row in rows]
        return Entries.joined(pages)

    def _remember(self, connection: sqlite3.Connection, number: int) -> _Run:
        row = connection.execute(
            "SELECT start_us, end_us, first_keys FROM event_runs WHERE run = ?", (number,)
        ).fetchone()
        run = self._runs[number] = _Run(row[0], row[1], np.frombuffer(row[2], np.int64))
        return run


def _stretches(first: list[int], last: list[int]) -> list[tuple[int, int]]:
    """Return the pages of closed ranges in ascending order, each page once, as few closed ranges as there can be."""
    found: list[tuple[int, int]] = []
    for start, end in zip(first, last, strict=True):
        if found and start <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found
