"""The incremental aggregates as the writer keeps them: one state per group, advanced with every accepted event.

A *stream* is all events of one organization, customer and name. Its aggregates are arranged by *segments* of time,
within which the same aggregates count, so an event finds its aggregates by two comparisons however many periods lie in
the past. Everything a transaction changes is staged, and becomes the state only when the transaction is on disk.
"""

import sqlite3
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final, Protocol, cast

import msgspec

from lotus_server.adapters.events_sqlite import selections
from lotus_server.adapters.events_sqlite.hashes import name_keys
from lotus_server.adapters.events_sqlite.rows import insert_rows
from lotus_server.domain.metering import (
    UNGROUPED,
    Aggregation,
    Properties,
    Selection,
    State,
    advance,
    compile_filters,
    group_key,
)
from lotus_server.domain.metering.properties import as_number, lookup
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.quantity import EXACT, ZERO

_STREAMS_MAX: Final = 100_000
_STATES_PER_AGGREGATE_MAX: Final = 10_000
_VALUE_LENGTH_MAX: Final = 128
_FOREVER: Final = 1 << 62

StreamKey = tuple[int, str, str]


class Happened(Protocol):
    """What an aggregate needs to know of an event, whether it is coming in or was read back."""

    @property
    def happened_us(self) -> int:
        """Return when it happened, in microseconds since 1970."""
        ...

    @property
    def properties(self) -> Properties:
        """Return its properties with exact numbers."""
        ...


class Waiting(msgspec.Struct):
    """Events of one stretch of time, with their sequence numbers and the latest time among them."""

    events: Sequence[Happened]
    sequences: Sequence[int]
    last_us: int


class SeenInDatabase:
    """The values that a `unique` aggregate has counted, in the table `unique_values`."""

    def __init__(self, connection: sqlite3.Connection, aggregate: int) -> None:
        """Look after the values of one aggregate."""
        self._connection = connection
        self._aggregate = aggregate

    def is_new(self, group: str, value: str) -> bool:
        """Remember a value of a group; tell whether it was not there before. A rolled back transaction forgets it."""
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO unique_values VALUES (?, ?, ?)", (self._aggregate, group, value)
        )
        return cursor.rowcount == 1


class Live:
    """One aggregate in memory."""

    def __init__(self, connection: sqlite3.Connection, aggregate: int, selection: Selection) -> None:
        """Stand for an aggregate whose states are in the database."""
        self.aggregate = aggregate
        self.start_us = to_microseconds(selection.period.start)
        self.end_us = to_microseconds(selection.period.end)
        self.bounds = {to_microseconds(each) for part in selection.without for each in (part.start, part.end)}
        self.staged: dict[str, State] = {}
        self._selection = selection
        self._connection = connection
        self._definition = selection.definition
        self._passes = compile_filters(selection.definition.filters, selection.matches)
        self._seen = SeenInDatabase(connection, aggregate)
        self._states: dict[str, State] = {}
        is_plain = self._passes is None and not self._definition.group_by and self._definition.window is None
        self._is_plain_count = is_plain and self._definition.aggregation is Aggregation.COUNT
        self._is_plain_sum = (
            is_plain and self._definition.aggregation is Aggregation.SUM and self._definition.property_name is not None
        )

    def counts_at(self, happened_us: int) -> bool:
        """Tell whether an event of an instant counts, as far as its time decides."""
        return self.start_us <= happened_us < self.end_us and not self._selection.leaves_out(happened_us)

    def advance(self, waiting: Waiting) -> None:
        """Stage the effect of events that lie in the period."""
        if self._is_plain_count:
            state = self._state(UNGROUPED)
            _count(state, len(waiting.events), waiting.last_us)
            state.value = Decimal(state.counted)
        elif self._is_plain_sum:
            self._add_up(self._state(UNGROUPED), waiting)
        else:
            self._advance_one_by_one(waiting)

    def _add_up(self, state: State, waiting: Waiting) -> None:
        """Do what `advance` does for a sum, at a third of the cost.

        Integers are added as integers, then all of them at once.
        """
        name = self._definition.property_name
        assert name is not None
        whole, value = 0, state.value or ZERO
        counted: list[Happened] | Sequence[Happened] = waiting.events
        raws = [event.properties.get(name) for event in waiting.events]
        last_us = waiting.last_us
        if {type(raw) for raw in raws} == {int}:
            whole = sum(cast("list[int]", raws))
        else:
            counted = []
            for event in waiting.events:
                number = as_number(lookup(event.properties, name))
                if number is not None:
                    value = EXACT.add(value, number)
                    counted.append(event)
            last_us = max((event.happened_us for event in counted), default=0)
        state.skipped += len(waiting.events) - len(counted)
        if counted:
            state.value = EXACT.add(value, Decimal(whole))
            _count(state, len(counted), last_us)

    def _advance_one_by_one(self, waiting: Waiting) -> None:
        passes, definition = self._passes, self._definition
        for event, seq in zip(waiting.events, waiting.sequences, strict=True):
            properties = event.properties
            if passes is None or passes(properties):
                at = event.happened_us
                group = group_key(definition, properties, at)
                state = self._state(group)
                advance(definition, state, properties, group=group, at=at, order=seq, seen=self._seen)

    def _state(self, group: str) -> State:
        """Return the staged state of a group, made from the kept one on the first touch."""
        state = self.staged.get(group)
        if state is None:
            kept = self._states.get(group) or self._load(group)
            state = self.staged[group] = kept.copy()
        return state

    def _load(self, group: str) -> State:
        row = self._connection.execute(
            "SELECT state FROM aggregate_states WHERE aggregate = ? AND group_key = ?", (self.aggregate, group)
        ).fetchone()
        return State.from_text(row[0]) if row else State()

    def keep(self) -> None:
        """Make the staged states the kept ones: the transaction is on disk."""
        if len(self._states) + len(self.staged) > _STATES_PER_AGGREGATE_MAX:
            self._states.clear()
        self._states.update(self.staged)
        self.staged = {}

    def forget(self) -> None:
        """Drop what was staged: the transaction was rolled back."""
        self.staged = {}


def _count(state: State, events: int, last_us: int) -> None:
    state.at = max(state.at, last_us) if state.counted else last_us
    state.counted += events


class Segment:
    """A stretch of time `[start_us, end_us)` of a stream in which the same aggregates count."""

    __slots__ = ("aggregates", "end_us", "start_us", "waiting")

    def __init__(self, start_us: int, end_us: int, aggregates: Sequence[Live]) -> None:
        """Begin without events waiting; `waiting` holds the places of events in the group that is being stored."""
        self.start_us = start_us
        self.end_us = end_us
        self.aggregates = aggregates
        self.waiting: list[int] = []


class Stream:
    """All events of one organization, customer and name, and the aggregates that count them."""

    __slots__ = ("_aggregates", "_bounds", "index_key", "segment")

    def __init__(self, key: StreamKey, aggregates: Sequence[Live]) -> None:
        """Know all aggregates of a stream."""
        self.index_key = name_keys(*key)[0]
        self._aggregates = aggregates
        bounds = {aggregate.start_us for aggregate in aggregates} | {aggregate.end_us for aggregate in aggregates}
        self._bounds = sorted(bounds.union(*(aggregate.bounds for aggregate in aggregates)))
        self.segment = Segment(0, 0, ()) if aggregates else Segment(-_FOREVER, _FOREVER, ())

    def segment_at(self, happened_us: int) -> Segment:
        """Return the segment of a time and remember it, since the next event is most likely near."""
        place = bisect_right(self._bounds, happened_us)
        start = self._bounds[place - 1] if place else -_FOREVER
        end = self._bounds[place] if place < len(self._bounds) else _FOREVER
        counting = [live for live in self._aggregates if live.counts_at(happened_us)]
        self.segment = Segment(start, end, counting)
        return self.segment


class Streams:
    """The streams in memory: those used last, the others are in the database."""

    def __init__(self, connection: sqlite3.Connection, streams_max: int = _STREAMS_MAX) -> None:
        """Start with none in memory."""
        self._connection = connection
        self._streams: OrderedDict[StreamKey, Stream] = OrderedDict()
        self._streams_max = streams_max
        # Looked up once per event: the dictionary's own method spares a call.
        self.in_memory: Callable[[StreamKey], Stream | None] = self._streams.get
        self._touched: dict[Live, None] = {}

    def get(self, key: StreamKey) -> Stream:
        """Return a stream."""
        return self.in_memory(key) or self.load(key)

    def load(self, key: StreamKey) -> Stream:
        """Return a stream that was not in memory, and keep it there."""
        rows = self._connection.execute(
            "SELECT aggregate, selection FROM aggregates WHERE org = ? AND customer = ? AND event_name = ?", key
        ).fetchall()
        stream = self._streams[key] = Stream(
            key, [Live(self._connection, row[0], selections.from_text(row[1])) for row in rows]
        )
        return stream

    def drop(self, key: StreamKey) -> None:
        """Forget a stream, because the database now knows other aggregates of it than memory does."""
        self._streams.pop(key, None)

    def stage(self, segments: Iterable[Segment], events: Sequence[Happened], first_seq: int) -> None:
        """Advance the aggregates of segments by the events that wait there."""
        for segment in segments:
            members = [events[place] for place in segment.waiting]
            last_us = max([member.happened_us for member in members])
            waiting = Waiting(members, [first_seq + place for place in segment.waiting], last_us)
            for live in segment.aggregates:
                live.advance(waiting)
                self._touched[live] = None
            segment.waiting = []

    def stage_one(self, live: Live, event: Happened, seq: int) -> None:
        """Advance a single aggregate by a single event."""
        live.advance(Waiting([event], [seq], event.happened_us))
        self._touched[live] = None

    def write(self) -> None:
        """Write every staged state. The caller has a transaction."""
        rows = [
            (live.aggregate, group, state.to_text()) for live in self._touched for group, state in live.staged.items()
        ]
        insert_rows(self._connection, "aggregate_states", rows, "ON CONFLICT DO UPDATE SET state = excluded.state")

    def keep(self) -> None:
        """Make what was staged the truth: the transaction is on disk."""
        for live in self._touched:
            live.keep()
        self._touched.clear()
        while len(self._streams) > self._streams_max:
            self._streams.popitem(last=False)

    def forget(self) -> None:
        """Drop what was staged: the transaction was rolled back."""
        for live in self._touched:
            live.forget()
        self._touched.clear()
        # An event may have been waiting when the transaction failed; streams are cheap to load again.
        self._streams.clear()
