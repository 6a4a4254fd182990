"""Answers from the file: usage from aggregates or from the raw events, listings, counts.

Never writes, and never keeps a transaction open.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from lotus_server.adapters.events_sqlite import selections
from lotus_server.adapters.events_sqlite.corrections import history
from lotus_server.adapters.events_sqlite.hashes import name_keys
from lotus_server.adapters.events_sqlite.messages import NewAggregate
from lotus_server.adapters.events_sqlite.refused import refused_events
from lotus_server.adapters.events_sqlite.rows import VOIDED, Row, effective_rows
from lotus_server.adapters.events_sqlite.run_index import RunReader, indexed_until
from lotus_server.adapters.events_sqlite.schema import (
    DATABASE_NAME,
    last_correction,
    last_sequence,
    open_for_reading,
)
from lotus_server.domain.metering import (
    Correction,
    Event,
    Selection,
    State,
    Usage,
    advance,
    combine,
    compile_filters,
    group_key,
)
from lotus_server.kernel.instants import to_microseconds
from lotus_server.ports.event_store import EventQuery, RefusedEvent, RefusedQuery

_AT_HAND: Final = (
    "SELECT group_key, state FROM aggregates LEFT JOIN aggregate_states USING (aggregate) WHERE fingerprint = ?"
)
_FAR_US: Final = 1 << 62
_FINGERPRINTS_MAX: Final = 100_000
# Making an aggregate ends when fewer events than this have come in meanwhile; the writer adds those in a few
# milliseconds.
_BEHIND_MAX: Final = 5_000
_ROUNDS_MAX: Final = 10
_EVENTS_PER_READ: Final = 50_000


class Stream(msgspec.Struct, frozen=True):
    """Which events: those of one customer, of one name or of all (None), that happened in `[start_us, end_us)`."""

    org: int
    customer: str
    name: str | None
    start_us: int = -_FAR_US
    end_us: int = _FAR_US

    def has(self, row: Row) -> bool:
        """Tell whether an event is one of them."""
        return (
            row.org == self.org
            and row.customer == self.customer
            and self.name in {None, row.name}
            and self.start_us <= row.happened_us < self.end_us
        )


class Making:
    """An aggregate that is being made from the raw events: its states over every event up to `until_seq`."""

    def __init__(self, organization_id: str, selection: Selection) -> None:
        """Start from nothing."""
        self.selection = selection
        self.until_seq = 0
        self.until_correction: int | None = None
        self._organization_id = organization_id
        self._definition = selection.definition
        self._start_us = to_microseconds(selection.period.start)
        self._end_us = to_microseconds(selection.period.end)
        self._passes = compile_filters(selection.definition.filters, selection.matches)
        self._states: dict[str, State] = {}
        self._seen = _Values()

    def add(self, row: Row) -> None:
        """Take an event of the selection's customer and name into account, if it counts."""
        if not self._start_us <= row.happened_us < self._end_us:
            return
        properties = row.properties
        if self._passes is not None and not self._passes(properties):
            return
        group = group_key(self._definition, properties, row.happened_us)
        state = self._states.setdefault(group, State())
        advance(self._definition, state, properties, group=group, at=row.happened_us, order=row.seq, seen=self._seen)

    def usage(self) -> Usage:
        """Return the answer so far."""
        return combine(self._definition, self._states)

    def to_new_aggregate(self) -> NewAggregate:
        """Return what the writer needs to keep the aggregate up to date."""
        assert self.until_correction is not None, "an aggregate is made before it is handed on"
        return NewAggregate(
            self._organization_id,
            selections.to_text(self.selection),
            self.until_seq,
            self.until_correction,
            {group: state.to_text() for group, state in self._states.items()},
            list(self._seen.values),
        )


class _Values:
    """The values seen, to be handed on."""

    def __init__(self) -> None:
        self.values: set[tuple[str, str]] = set()

    def is_new(self, group: str, value: str) -> bool:
        """Remember a value of a group; tell whether it was not there before."""
        before = len(self.values)
        self.values.add((group, value))
        return len(self.values) > before


class EventReader:
    """Reads one directory's events; every method may be called from any thread."""

    def __init__(self, directory: Path) -> None:
        """Open the file, which must exist."""
        self._path = directory / DATABASE_NAME
        self._idle = [open_for_reading(self._path)]
        self._runs = RunReader()
        self._fingerprints: dict[tuple[str, Selection], str] = {}
        # Its own connection, so that an event loop never waits for a thread that reads much.
        self._quick = open_for_reading(self._path)
        self._quick_lock = threading.Lock()

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection inside a read transaction, so that everything read belongs together."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = open_for_reading(self._path)
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            # A transaction left open would keep the writer from emptying its log.
            connection.execute("ROLLBACK")
            self._idle.append(connection)

    def close(self) -> None:
        """Close every connection that is not lent."""
        with self._quick_lock:
            self._quick.close()
        while self._idle:
            self._idle.pop().close()

    # -- usage

    def usage_at_hand(self, organization_id: str, wanted: Sequence[Selection]) -> list[Usage] | None:
        """Return the usage of each selection from the aggregates, or None when one of them has none."""
        fingerprints = [self._fingerprint(organization_id, selection) for selection in wanted]
        answers: list[Usage] = []
        with self._quick_lock:
            for selection, fingerprint in zip(wanted, fingerprints, strict=True):
                usage = usage_kept(self._quick, selection, fingerprint)
                if usage is None:
                    return None
                answers.append(usage)
        return answers

    def _fingerprint(self, organization_id: str, selection: Selection) -> str:
        key = (organization_id, selection)
        found = self._fingerprints.get(key)
        if found is None:
            if len(self._fingerprints) >= _FINGERPRINTS_MAX:
                self._fingerprints.clear()
            found = self._fingerprints[key] = selection.fingerprint(organization_id)
        return found

    def usage(self, organization_id: str, wanted: Sequence[Selection]) -> tuple[list[Usage], list[Making]]:
        """Return the usage of each selection, and the aggregates that had to be made for it."""
        answers: dict[Selection, Usage] = {}
        with self.snapshot() as connection:
            org = _org(connection, organization_id)
            for selection in wanted:
                if selection not in answers:
                    kept = usage_kept(connection, selection, self._fingerprint(organization_id, selection))
                    if kept is not None:
                        answers[selection] = kept
            makings = [
                Making(organization_id, selection) for selection in dict.fromkeys(wanted) if selection not in answers
            ]
            if makings:
                self._make(connection, org, makings)
        answers |= {making.selection: making.usage() for making in makings}
        return [answers[selection] for selection in wanted], makings

    def catch_up(self, organization_id: str, makings: list[Making]) -> None:
        """Bring aggregates near the present, because the writer stops everything else for what is left."""
        for _ in range(_ROUNDS_MAX if makings else 0):
            with self.snapshot() as connection:
                org = _org(connection, organization_id)
                if last_sequence(connection) - makings[0].until_seq <= _BEHIND_MAX:
                    return
                self._make(connection, org, makings)

    def _make(self, connection: sqlite3.Connection, org: int | None, makings: list[Making]) -> None:
        """Take every event that is new to aggregates into them, reading the events of a stream once."""
        last = last_sequence(connection)
        by_stream: dict[tuple[str, str], list[Making]] = {}
        for making in makings:
            key = (making.selection.customer_id, making.selection.definition.event_name)
            by_stream.setdefault(key, []).append(making)
        for (customer, name), members in by_stream.items():
            if org is None:  # nothing of this organization has been stored yet
                break
            start = min(to_microseconds(member.selection.period.start) for member in members)
            end = max(to_microseconds(member.selection.period.end) for member in members)
            for row in self.rows(connection, Stream(org, customer, name, start, end), members[0].until_seq):
                for member in members:
                    member.add(row)
        correction = last_correction(connection)
        for making in makings:
            making.until_seq = last
            if making.until_correction is None:
                # Not later: what was read before a correction stays in the aggregate.
                making.until_correction = correction

    def rows(self, connection: sqlite3.Connection, stream: Stream, after_seq: int = 0) -> Iterator[Row]:
        """Yield the events that count in a stream and were accepted after a sequence number, as they count now."""
        # Two customers may share a key of the index, and the index knows nothing of corrections, so the rows decide.
        sequences = self._sequences(connection, stream, after_seq)
        return (row for row in effective_rows(connection, sequences) if row.status != VOIDED and stream.has(row))

    def _sequences(self, connection: sqlite3.Connection, stream: Stream, after_seq: int = 0) -> set[int]:
        """Return the sequence numbers that a stream's events have, and perhaps some others."""
        keys = name_keys(stream.org, stream.customer, stream.name)
        found = set(self._runs.find(connection, keys, stream.start_us, stream.end_us, after_seq))
        tail = connection.execute(
            "SELECT seq FROM events WHERE seq > ? AND org = ? AND customer = ?",
            (max(after_seq, indexed_until(connection)), stream.org, stream.customer),
        )
        found.update(row[0] for row in tail)
        moved = connection.execute(
            "SELECT seq FROM corrected WHERE org = ? AND customer = ? AND seq > ?",
            (stream.org, stream.customer, after_seq),
        )
        found.update(row[0] for row in moved)
        return found

    # -- listing

    def event_count(self, organization_id: str | None) -> int:
        """Return how many events are stored, of one organization or of all."""
        with self.snapshot() as connection:
            if organization_id is None:
                return last_sequence(connection)
            row = connection.execute(
                "SELECT event_count FROM organizations WHERE organization_id = ?", (organization_id,)
            ).fetchone()
            return int(row[0]) if row else 0

    def sequences(self, organization_id: str, ids: frozenset[str]) -> dict[str, int]:
        """Return the sequence numbers of the events that have some ids, by reading the organization's whole log."""
        with self.snapshot() as connection:
            org = _org(connection, organization_id)
            rows = connection.execute("SELECT id, seq FROM events WHERE org = ?", (org,))
            return {id_: seq for id_, seq in rows if id_ in ids}

    def refused(self, organization_id: str, query: RefusedQuery) -> list[RefusedEvent]:
        """Return the events that were refused, newest first."""
        with self.snapshot() as connection:
            org = _org(connection, organization_id)
            return [] if org is None else refused_events(connection, org, query)

    def history(self, sequence: int) -> list[Correction]:
        """Return the corrections of an event that exists, the first one first."""
        with self.snapshot() as connection:
            return history(connection, sequence)

    def events(self, organization_id: str, query: EventQuery, sequence: int | None) -> list[Event]:
        """Return events in the order of the query. `sequence` is the one of the query's id, if that is asked for."""
        with self.snapshot() as connection:
            org = _org(connection, organization_id)
            if org is None:
                return []
            if sequence is not None:
                rows = effective_rows(connection, [sequence])
            elif query.customer_id is not None:
                rows = self._of_customer(connection, org, query.customer_id, query)
            else:
                rows = _listed(connection, org, query)
            # Keys of the index may be shared, and a known sequence number says nothing of the other conditions.
            matching = (row.to_event() for row in rows if row.org == org and _matches(row, query))
            return list(islice(matching, query.limit))

    def _of_customer(self, connection: sqlite3.Connection, org: int, customer: str, query: EventQuery) -> Iterator[Row]:
        stream = Stream(
            org,
            customer,
            query.event_name,
            -_FAR_US if query.start is None else to_microseconds(query.start),
            _FAR_US if query.end is None else to_microseconds(query.end),
        )
        sequences = self._sequences(connection, stream, query.after or 0)
        for seq in sorted(sequences, reverse=query.after is None):
            if query.before is None or seq < query.before:
                yield from effective_rows(connection, [seq])


def usage_kept(connection: sqlite3.Connection, selection: Selection, fingerprint: str) -> Usage | None:
    """Return what the aggregate of a fingerprint says, None when there is no such aggregate."""
    rows = connection.execute(_AT_HAND, (fingerprint,)).fetchall()
    if not rows:
        return None
    # An aggregate without events has no states: the join leaves one row of nulls.
    states = {group: State.from_text(text) for group, text in rows if group is not None}
    return combine(selection.definition, states)


def _org(connection: sqlite3.Connection, organization_id: str) -> int | None:
    row = connection.execute("SELECT org FROM organizations WHERE organization_id = ?", (organization_id,)).fetchone()
    return int(row[0]) if row else None


def _listed(connection: sqlite3.Connection, org: int, query: EventQuery) -> Iterator[Row]:
    """Yield an organization's events, with conditions that SQLite checks twenty times as fast as Python.

    Piece by piece, each read to its end: a cursor left open would keep the read transaction.
    """
    conditions, values = ["seq >= ?", "seq < ?", "org = ?"], list[int | str]()
    for condition, value in (
        ("name = ?", query.event_name),
        ("happened_us >= ?", None if query.start is None else to_microseconds(query.start)),
        ("happened_us < ?", None if query.end is None else to_microseconds(query.end)),
        ("status = ?", None if query.status is None else query.status.value),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    order = "DESC" if query.after is None else "ASC"
    where = " AND ".join(conditions)
    statement = f"SELECT * FROM effective WHERE {where} ORDER BY seq {order} LIMIT ?"  # noqa: S608 - constants
    for first, end in _pieces(query, last_sequence(connection)):
        rows = connection.execute(statement, (first, end, org, *values, query.limit)).fetchall()
        yield from (Row(*row) for row in rows)


def _pieces(query: EventQuery, last: int) -> Iterator[tuple[int, int]]:
    """Yield half-open ranges of sequence numbers that cover what a query may list, in its order."""
    first = 1 + (query.after or 0)
    end = last + 1 if query.before is None else min(query.before, last + 1)
    if query.after is None:
        while end > first:
            start = max(first, end - _EVENTS_PER_READ)
            yield start, end
            end = start
    else:
        for start in range(first, end, _EVENTS_PER_READ):
            yield start, min(end, start + _EVENTS_PER_READ)


def _matches(row: Row, query: EventQuery) -> bool:
    return (
        (query.customer_id is None or row.customer == query.customer_id)
        and (query.event_name is None or row.name == query.event_name)
        and (query.idempotency_id is None or row.id == query.idempotency_id)
        and (query.status is None or row.status == query.status)
        and (query.before is None or row.seq < query.before)
        and (query.after is None or row.seq > query.after)
        and (query.start is None or row.happened_us >= to_microseconds(query.start))
        and (query.end is None or row.happened_us < to_microseconds(query.end))
    )
