"""Answers from the file: usage from aggregates or from the raw events, listings, counts.

Never writes, and never keeps a transaction open.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from lotus_server.adapters.events_sqlite.corrections import history
from lotus_server.adapters.events_sqlite.custom_sql import LoadedEvents, load_events, usage_by_query
from lotus_server.adapters.events_sqlite.listing import listed_events
from lotus_server.adapters.events_sqlite.making import Making
from lotus_server.adapters.events_sqlite.past import changed_customers, position_of
from lotus_server.adapters.events_sqlite.refused import refused_events
from lotus_server.adapters.events_sqlite.row_reader import RowReader, Stream, find_organization
from lotus_server.adapters.events_sqlite.rows import Row
from lotus_server.adapters.events_sqlite.schema import (
    DATABASE_NAME,
    DAY_US,
    last_correction,
    last_sequence,
    open_for_reading,
)
from lotus_server.adapters.events_sqlite.series_cache import SeriesCache
from lotus_server.adapters.events_sqlite.totals import TotalsCache
from lotus_server.domain.metering import (
    Correction,
    Event,
    Fingerprints,
    LogPosition,
    MetricDefinition,
    MetricType,
    Selection,
    State,
    Usage,
    combine,
    compile_filters,
    is_series,
    parts_of,
    usage_of_parts,
    usage_of_points,
)
from lotus_server.kernel.instants import from_microseconds, to_microseconds
from lotus_server.kernel.period import Period
from lotus_server.ports.event_store import EventQuery, RefusedEvent, RefusedQuery, Since

_AT_HAND: Final = (
    "SELECT group_key, state FROM aggregates LEFT JOIN aggregate_states USING (aggregate) WHERE fingerprint = ?"
)
_KEPT: Final = "SELECT fingerprint, group_key, state FROM aggregates LEFT JOIN aggregate_states USING (aggregate)"
_FINGERPRINTS_PER_QUERY: Final = 250
_SELECTIONS_MAX: Final = 100_000
# Making an aggregate ends when fewer events than this have come in meanwhile; the writer adds those in a few
# milliseconds.
_BEHIND_MAX: Final = 5_000
_ROUNDS_MAX: Final = 10


class _Part(msgspec.Struct, frozen=True, gc=False):
    """A question that is answered in one way: from the aggregate of a fingerprint, or from points or a query (None)."""

    selection: Selection
    fingerprint: str | None

    @property
    def key(self) -> str | Selection:
        """Return what is equal for equal questions of one organization."""
        return self.fingerprint or self.selection


class EventReader:
    """Reads one directory's events; every method may be called from any thread."""

    def __init__(self, directory: Path) -> None:
        """Open the file, which must exist."""
        self._path = directory / DATABASE_NAME
        self._idle = [open_for_reading(self._path)]
        self.row_reader = RowReader()
        self._series = SeriesCache(self.row_reader)
        self.totals = TotalsCache(self.snapshot)
        self._known_parts: dict[tuple[str, Selection], tuple[_Part, ...]] = {}
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
        """Return the usage of each selection from what is kept, or None when that does not have all of it."""
        answers: list[Usage] = []
        with self._quick_lock:
            for selection in wanted:
                known: list[Usage] = []
                for part in self._parts(organization_id, selection):
                    usage = self._part_at_hand(organization_id, part)
                    if usage is None:
                        return None
                    known.append(usage)
                answers.append(known[0] if len(known) == 1 else usage_of_parts(selection.definition, known))
        return answers

    def _part_at_hand(self, organization_id: str, part: "_Part") -> Usage | None:
        if part.fingerprint is not None:
            return usage_kept(self._quick, part.selection, part.fingerprint)
        if part.selection.definition.type is MetricType.CUSTOM:
            return None
        # One transaction, because a series must not see an event that it does not know it has seen.
        self._quick.execute("BEGIN")
        try:
            org = find_organization(self._quick, organization_id)
            return None if org is None else self._series.usage_at_hand(self._quick, org, part.selection)
        finally:
            self._quick.execute("ROLLBACK")

    def _parts(self, organization_id: str, selection: Selection) -> tuple["_Part", ...]:
        """Return the questions that a selection is answered from."""
        key = (organization_id, selection)
        found = self._known_parts.get(key)
        if found is None:
            if len(self._known_parts) >= _SELECTIONS_MAX:
                self._known_parts.clear()
            (found,) = _parts_of_each(organization_id, [selection])
            self._known_parts[key] = found
        return found

    def usage(self, organization_id: str, wanted: Sequence[Selection]) -> tuple[list[Usage], list[Making]]:
        """Return the usage of each selection, and the aggregates that had to be made for it."""
        asked = _parts_of_each(organization_id, wanted)
        parts = {part.key: part for each in asked for part in each}
        answers: dict[str | Selection, Usage] = {}
        queries: dict[Selection, LoadedEvents] = {}
        makings: dict[str, Making] = {}
        with ExitStack() as copies:
            with self.snapshot() as connection:
                org = find_organization(connection, organization_id)
                of_aggregates = {part.fingerprint: part.selection for part in parts.values() if part.fingerprint}
                answers.update(usages_kept(connection, of_aggregates))
                for fingerprint, one in of_aggregates.items():
                    if fingerprint not in answers:
                        makings[fingerprint] = Making(organization_id, one)
                for one in [part.selection for part in parts.values() if part.fingerprint is None]:
                    if one.definition.type is MetricType.CUSTOM:
                        rows = self._countable_rows(connection, org, one)
                        queries[one] = copies.enter_context(closing(load_events(rows)))
                    elif org is None:
                        answers[one] = usage_of_points(one, ())
                    else:
                        answers[one] = self._series.usage(connection, org, one)
                if makings:
                    self._make(connection, org, list(makings.values()))
            # Queries may take long, so the read transaction is over by now.
            answers |= {one: usage_by_query(one, loaded) for one, loaded in queries.items()}
        answers |= {fingerprint: making.usage() for fingerprint, making in makings.items()}
        usages = [
            answers[each[0].key]
            if len(each) == 1
            else usage_of_parts(selection.definition, [answers[part.key] for part in each])
            for selection, each in zip(wanted, asked, strict=True)
        ]
        return usages, list(makings.values())

    def values(self, organization_id: str, selection: Selection) -> list[tuple[str, tuple[Decimal, ...]]]:
        """Return the numbers of a period's events in order of happening, per group."""
        with self.snapshot() as connection:
            org = find_organization(connection, organization_id)
            return [] if org is None else self._series.values(connection, org, selection)

    def _countable_rows(self, connection: sqlite3.Connection, org: int | None, selection: Selection) -> Iterator[Row]:
        """Yield a customer's events of every name that lie in the period and pass the subscription's conditions."""
        if org is None:
            return
        start_us, end_us = to_microseconds(selection.period.start), to_microseconds(selection.period.end)
        passes = compile_filters((), selection.matches)
        stream = Stream(org, selection.customer_id, None, start_us, end_us)
        for row in self.row_reader.rows(connection, stream):
            if not selection.leaves_out(row.happened_us) and (passes is None or passes(row.properties)):
                yield row

    def catch_up(self, organization_id: str, makings: list[Making]) -> None:
        """Bring aggregates near the present, because the writer stops everything else for what is left."""
        for _ in range(_ROUNDS_MAX if makings else 0):
            with self.snapshot() as connection:
                org = find_organization(connection, organization_id)
                if last_sequence(connection) - makings[0].until_seq <= _BEHIND_MAX:
                    return
                self._make(connection, org, makings)

    def _make(self, connection: sqlite3.Connection, org: int | None, makings: list[Making]) -> None:
        """Take every event that is new to aggregates into them, reading each event once."""
        last = last_sequence(connection)
        by_stream: dict[tuple[str, str], list[Making]] = {}
        for making in makings:
            key = (making.selection.customer_id, making.selection.definition.event_name)
            by_stream.setdefault(key, []).append(making)
        if org is not None:  # else nothing of this organization has been stored yet
            streams = [
                Stream(org, *key, min(each.start_us for each in members), max(each.end_us for each in members))
                for key, members in by_stream.items()
            ]
            for row in self.row_reader.rows_of_many(connection, streams, makings[0].until_seq):
                for member in by_stream[row.customer, row.name]:
                    member.add(row)
        correction = last_correction(connection)
        for making in makings:
            making.until_seq = last
            if making.until_correction is None:
                # Not later: what was read before a correction stays in the aggregate.
                making.until_correction = correction

    # -- what has changed

    def position(self) -> LogPosition:
        """Return how far the log goes."""
        with self.snapshot() as connection:
            return position_of(connection)

    def changed(self, organization_id: str, since: Mapping[str, Since]) -> frozenset[str]:
        """Return of which customers an event of the past came in or was corrected."""
        with self.snapshot() as connection:
            org = find_organization(connection, organization_id)
            return changed_customers(connection, self.row_reader.runs, org, since)

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

    def event_days(self, organization_id: str, window: Period) -> dict[datetime, int]:
        """Return how many events happened on each day of a window."""
        first, end = (to_microseconds(instant) // DAY_US for instant in (window.start, window.end))
        with self.snapshot() as connection:
            rows = connection.execute(
                "SELECT day, event_days.event_count FROM organizations JOIN event_days USING (org)"
                " WHERE organization_id = ? AND day >= ? AND day < ?",
                (organization_id, first, end),
            ).fetchall()
        return {from_microseconds(day * DAY_US): count for day, count in rows}

    def sequences(self, organization_id: str, ids: frozenset[str]) -> dict[str, int]:
        """Return the sequence numbers of the events that have some ids, by reading the organization's whole log."""
        with self.snapshot() as connection:
            org = find_organization(connection, organization_id)
            rows = connection.execute("SELECT id, seq FROM events WHERE org = ?", (org,))
            return {id_: seq for id_, seq in rows if id_ in ids}

    def refused(self, organization_id: str, query: RefusedQuery) -> list[RefusedEvent]:
        """Return the events that were refused, newest first."""
        with self.snapshot() as connection:
            org = find_organization(connection, organization_id)
            return [] if org is None else refused_events(connection, org, query)

    def history(self, sequence: int) -> list[Correction]:
        """Return the corrections of an event that exists, the first one first."""
        with self.snapshot() as connection:
            return history(connection, sequence)

    def events(self, organization_id: str, query: EventQuery, sequence: int | None) -> list[Event]:
        """Return events in the order of the query. `sequence` is the one of the query's id, if that is asked for."""
        with self.snapshot() as connection:
            org = find_organization(connection, organization_id)
            return [] if org is None else listed_events(self.row_reader, connection, org, query, sequence)


def _parts_of_each(organization_id: str, wanted: Sequence[Selection]) -> list[tuple[_Part, ...]]:
    """Return the questions that each selection is answered from.

    What does not depend on the billing cycle is one question whatever the cycle.
    """
    fingerprints = Fingerprints(organization_id)
    # By identity, as the definitions live as long as what is wanted: comparing them costs more than all of the rest.
    ways: dict[int, list[tuple[MetricDefinition, bool, bool]]] = {}
    found = []
    for selection in wanted:
        definition = selection.definition
        known = ways.get(id(definition))
        if known is None:
            known = ways[id(definition)] = [
                (each, _is_kept(each), each.depends_on_cycle) for each in parts_of(definition)
            ]
        parts = []
        for each, is_kept, depends_on_cycle in known:
            asked = selection
            if each is not definition or selection.without or (selection.cycle is not None and not depends_on_cycle):
                cycle = selection.cycle if depends_on_cycle else None
                without = () if each.type is MetricType.GAUGE else selection.without
                asked = msgspec.structs.replace(selection, definition=each, cycle=cycle, without=without)
            parts.append(_Part(asked, fingerprints.of(asked) if is_kept else None))
        found.append(tuple(parts))
    return found


def _is_kept(definition: MetricDefinition) -> bool:
    """Tell whether there is an aggregate for a metric: it is no query, and needs no series of single events."""
    return definition.type is not MetricType.CUSTOM and not is_series(definition)


def usages_kept(connection: sqlite3.Connection, wanted: Mapping[str, Selection]) -> dict[str, Usage]:
    """Return what the aggregates of fingerprints say, of those that there are."""
    fingerprints = sorted(wanted)
    states: dict[str, dict[str, State]] = {}
    for start in range(0, len(fingerprints), _FINGERPRINTS_PER_QUERY):
        some = fingerprints[start : start + _FINGERPRINTS_PER_QUERY]
        marks = ",".join("?" * len(some))
        for fingerprint, group, text in connection.execute(f"{_KEPT} WHERE fingerprint IN ({marks})", some):
            found = states.setdefault(fingerprint, {})
            if group is not None:  # an aggregate without events has no states: the join leaves one row of nulls
                found[group] = State.from_text(text)
    return {fingerprint: combine(wanted[fingerprint].definition, found) for fingerprint, found in states.items()}


def usage_kept(connection: sqlite3.Connection, selection: Selection, fingerprint: str) -> Usage | None:
    """Return what the aggregate of a fingerprint says, None when there is no such aggregate."""
    rows = connection.execute(_AT_HAND, (fingerprint,)).fetchall()
    if not rows:
        return None
    # An aggregate without events has no states: the join leaves one row of nulls.
    states = {group: State.from_text(text) for group, text in rows if group is not None}
    return combine(selection.definition, states)
