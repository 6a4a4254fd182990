"""Whether everything derived still agrees with the log and its corrections.

Ids are unique, the run index is complete, every aggregate equals its recount. Reads in short transactions, so a server
may go on beside it: a long one would keep the writer from emptying its write-ahead log.
"""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from lotus_server.adapters.events_sqlite import selections
from lotus_server.adapters.events_sqlite.hashes import Hashes, hash_ids, name_keys, seed_of
from lotus_server.adapters.events_sqlite.reader import EventReader, usage_kept
from lotus_server.adapters.events_sqlite.row_reader import Stream
from lotus_server.adapters.events_sqlite.rows import rows_by_sequence
from lotus_server.adapters.events_sqlite.run_index import Entries, read_run
from lotus_server.adapters.events_sqlite.schema import RECOUNTED_DAYS, last_sequence
from lotus_server.domain.metering import usage_of
from lotus_server.ports.event_store import Drift

Progress = Callable[[int, int], None]
_ROWS_PER_READ: Final = 50_000


_CONTRADICTIONS: Final = """
SELECT corrected.seq FROM corrected
LEFT JOIN events ON events.seq = corrected.seq
LEFT JOIN corrections ON corrections.correction = (SELECT max(correction) FROM corrections WHERE seq = corrected.seq)
WHERE (corrected.org, corrected.status, corrected.customer, corrected.happened_us, corrected.properties) IS NOT (
    events.org, CASE corrections.kind WHEN 'void' THEN 'voided' WHEN 'amend' THEN 'amended' END, corrections.customer,
    corrections.happened_us, corrections.properties
)
UNION SELECT seq FROM corrections WHERE seq NOT IN (SELECT seq FROM corrected)
LIMIT 1
"""


class DamagedLog(Exception):
    """The log or the index over it contradicts itself. Nothing repairs that in passing: keep the file and look."""


def drifts(reader: EventReader, progress: Progress) -> Iterator[Drift]:
    """Yield every aggregate beside its recount.

    Raises DamagedLog when ids repeat, events are missing, or the index or what counts for an event is wrong.
    `progress` counts every event twice: once when the log is read, once when the aggregates are recounted.
    """
    with reader.snapshot() as connection:
        total = last_sequence(connection)
    _check_log(reader, total, lambda read: progress(read, 2 * total))
    _check_index(reader)
    _check_corrections(reader)
    _check_days(reader)
    yield from _recounts(reader, lambda done, streams: progress(total + total * done // streams, 2 * total))


def _check_log(reader: EventReader, total: int, progress: Callable[[int], None]) -> None:
    """Check that sequence numbers have no gap and no id was accepted twice."""
    hashes: list[Hashes] = []
    read = 0
    while read < total:
        with reader.snapshot() as connection:
            rows = connection.execute(
                "SELECT seq, org, id FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                (read, total, _ROWS_PER_READ),
            ).fetchall()
        if not rows or rows[0][0] != read + 1 or rows[-1][0] != read + len(rows):
            raise DamagedLog(f"events are missing after sequence number {read}")
        columns = np.empty(len(rows), dtype=np.uint64)
        orgs = np.array([row[1] for row in rows])
        for org in np.unique(orgs).tolist():
            places = np.flatnonzero(orgs == org).tolist()
            columns[places] = hash_ids(seed_of(0, org), [rows[place][2] for place in places])
        hashes.append(columns)
        read += len(rows)
        progress(read)
    if hashes:
        _check_unique(reader, np.concatenate(hashes))


def _check_unique(reader: EventReader, hashes: Hashes) -> None:
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    suspects = np.flatnonzero(np.isin(hashes, ordered[1:][ordered[1:] == ordered[:-1]])) + 1
    seen: dict[tuple[int, str], int] = {}
    with reader.snapshot() as connection:
        for row in rows_by_sequence(connection, suspects.tolist()):
            first = seen.setdefault((row.org, row.id), row.seq)
            if first != row.seq:
                raise DamagedLog(f"the id {row.id} was accepted twice: as event {first} and as event {row.seq}")


def _check_index(reader: EventReader) -> None:
    """Check that the runs hold exactly the events of the log up to where they claim to."""
    checked = 0
    while True:
        with reader.snapshot() as connection:
            run = connection.execute(
                "SELECT run, first_seq, last_seq FROM event_runs WHERE last_seq > ? ORDER BY last_seq LIMIT 1",
                (checked,),
            ).fetchone()
            if run is None:
                return
            if run[1] > checked + 1:
                raise DamagedLog(f"no run has the events from {checked + 1} to {run[1] - 1}")
            expected = _entries_of_log(connection, run[1], run[2])
            found = read_run(connection, run[0])
        if expected.to_bytes() != found.to_bytes():
            raise DamagedLog(f"run {run[0]} differs from the events {run[1]} to {run[2]} of the log")
        checked = run[2]


def _check_days(reader: EventReader) -> None:
    """Check that as many events are counted for each day as the log has."""
    with reader.snapshot() as connection:
        kept = dict.fromkeys(connection.execute("SELECT org, day, event_count FROM event_days").fetchall())
        found = next((row for row in connection.execute(RECOUNTED_DAYS).fetchall() if row not in kept), None)
    if found:
        raise DamagedLog(f"organization {found[0]} has {found[2]} events on day {found[1]}, which is not what is kept")


def _check_corrections(reader: EventReader) -> None:
    """Check that what counts for each corrected event is what its last correction says."""
    with reader.snapshot() as connection:
        wrong = connection.execute(_CONTRADICTIONS).fetchone()
    if wrong:
        raise DamagedLog(f"what counts for event {wrong[0]} is not what its corrections say")


def _entries_of_log(connection: sqlite3.Connection, first: int, last: int) -> Entries:
    rows = connection.execute(
        "SELECT org, customer, name, happened_us, seq FROM events WHERE seq BETWEEN ? AND ?", (first, last)
    ).fetchall()
    known: dict[tuple[int, str, str], int] = {}
    keys = []
    for org, customer, name, _, _ in rows:
        key = known.get((org, customer, name))
        if key is None:
            key = known[org, customer, name] = name_keys(org, customer, name)[0]
        keys.append(key)
    return Entries(
        np.array(keys, dtype=np.int64),
        np.array([row[3] for row in rows], dtype=np.int64),
        np.array([row[4] for row in rows], dtype=np.int64),
    ).in_order()


def _recounts(reader: EventReader, progress: Callable[[int, int], None]) -> Iterator[Drift]:
    """Yield each aggregate beside what the oracle makes of the raw events, customer by customer and name by name."""
    with reader.snapshot() as connection:
        organizations = dict(connection.execute("SELECT org, organization_id FROM organizations").fetchall())
        streams = connection.execute(
            "SELECT DISTINCT org, customer, event_name FROM aggregates ORDER BY org, customer, event_name"
        ).fetchall()
    for done, stream in enumerate(streams, 1):
        org, customer, name = stream
        with reader.snapshot() as connection:
            kept = [
                selections.from_text(row[0])
                for row in connection.execute(
                    "SELECT selection FROM aggregates WHERE org = ? AND customer = ? AND event_name = ?", stream
                )
            ]
            usages = [usage_kept(connection, one, one.fingerprint(organizations[org])) for one in kept]
            events = [row.to_event() for row in reader.row_reader.rows(connection, Stream(org, customer, name))]
        for selection, usage in zip(kept, usages, strict=True):
            assert usage is not None
            yield Drift(organizations[org], selection, usage, usage_of(selection, events))
        progress(done, len(streams))
