"""What all customers used, in memory: the states of everybody over some periods, brought up to date with what is new.

One aggregate for each customer and every window that somebody looks at would fill the file, and reading each customer's
events anew takes as long for each question. So the log is read once for all of them, in portions, none of which keeps
a read transaction for long; later questions read what has come in since. A correction of an event of that name makes
them begin anew.
"""

import sqlite3
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import msgspec

from lotus_server.adapters.events_sqlite.row_reader import find_organization
from lotus_server.adapters.events_sqlite.rows import VOIDED, decode_properties
from lotus_server.adapters.events_sqlite.schema import last_sequence
from lotus_server.domain.metering import (
    Aggregation,
    MetricDefinition,
    Selection,
    State,
    Usage,
    advance,
    combine,
    compile_filters,
    group_key,
)
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.period import Period

# Of all questions together; a state takes about 300 bytes with what belongs to it. A question with more than that is
# forgotten after its answer.
STATES_MAX: Final = 400_000
_PORTION: Final = 100_000
_ROWS: Final = (
    "SELECT seq, customer, happened_us, properties FROM effective"
    " WHERE seq > ? AND seq <= ? AND org = ? AND name = ? AND happened_us >= ? AND happened_us < ? AND status <> ?"
    " ORDER BY seq"
)
_CORRECTED: Final = "SELECT coalesce(max(correction), 0) FROM corrected_streams WHERE org = ? AND name = ?"
# In place of a customer where all of them are one.
_EVERYBODY: Final = ""

Snapshot = Callable[[], AbstractContextManager[sqlite3.Connection]]
_Place = tuple[int, str]
_Named = tuple[str, tuple[Period, ...], bool]


class TotalsKey(msgspec.Struct, frozen=True):
    """What is asked: of a metric with states, over periods that follow one another; `is_one`: all customers as one."""

    organization_id: str
    definition: MetricDefinition
    periods: tuple[Period, ...]
    is_one: bool

    def name(self) -> "_Named":
        """Return what tells the question from every other: in texts, because the number one and true are equal."""
        whole = Period(self.periods[0].start, self.periods[-1].end)
        asked = Selection(self.definition, _EVERYBODY, whole).fingerprint(self.organization_id)
        return asked, self.periods, self.is_one


class _Totals:
    """The states of one question up to an event."""

    def __init__(self, key: TotalsKey) -> None:
        """Start without events."""
        self.lock = threading.Lock()
        self.size = 0
        self._key = key
        self._definition = key.definition
        self._passes = compile_filters(key.definition.filters, ())
        self._starts = [to_microseconds(period.start) for period in key.periods]
        self._end = to_microseconds(key.periods[-1].end)
        self._reads_properties = _reads_properties(key.definition)
        self._until_correction = 0
        self._begin()

    def _begin(self) -> None:
        self._until_seq = 0
        self._states: dict[_Place, dict[str, State]] = {}
        self._seen: dict[_Place, _Values] = {}
        self._touched: set[_Place] = set()
        self._answers: dict[_Place, Usage] = {}
        self.size = 0

    def refresh(self, snapshot: Snapshot) -> None:
        """Take in every event that was there when this began."""
        until: int | None = None
        while until is None or self._until_seq < until:
            with snapshot() as connection:
                until = last_sequence(connection) if until is None else until
                org = find_organization(connection, self._key.organization_id)
                if org is None:
                    return
                name = self._definition.event_name
                correction = connection.execute(_CORRECTED, (org, name)).fetchone()[0]
                if correction > self._until_correction:
                    self._begin()
                self._until_correction = correction
                last = min(until, self._until_seq + _PORTION)
                if last > self._until_seq:
                    asked = (self._until_seq, last, org, name, self._starts[0], self._end, VOIDED)
                    for row in connection.execute(_ROWS, asked):
                        self._add(*row)
                    self._until_seq = last

    def _add(self, seq: int, customer: str, happened_us: int, text: str) -> None:
        properties = decode_properties(text) if self._reads_properties else {}
        if self._passes is not None and not self._passes(properties):
            return
        definition = self._definition
        place = (bisect_right(self._starts, happened_us) - 1, _EVERYBODY if self._key.is_one else customer)
        group = group_key(definition, properties, happened_us)
        states = self._states.setdefault(place, {})
        state = states.get(group)
        if state is None:
            state = states[group] = State()
            self.size += 1
        seen = self._seen.setdefault(place, _Values()) if definition.aggregation is Aggregation.UNIQUE else _NONE
        before = len(seen.values)
        advance(definition, state, properties, group=group, at=happened_us, order=seq, seen=seen)
        self.size += len(seen.values) - before
        self._touched.add(place)

    def answer(self) -> list[dict[str, Usage]]:
        """Return the usage of each period, by customer; who has no events in it is left out."""
        for place in self._touched:
            self._answers[place] = combine(self._definition, self._states[place])
        self._touched.clear()
        found: list[dict[str, Usage]] = [{} for _ in self._starts]
        for (number, customer), usage in self._answers.items():
            found[number][customer] = usage
        return found


class TotalsCache:
    """The questions about everybody that were asked last; every method may be called from any thread."""

    def __init__(self, snapshot: Snapshot, states_max: int = STATES_MAX) -> None:
        """Start with none in memory. `snapshot` lends a connection in a read transaction."""
        self._snapshot = snapshot
        self._states_max = states_max
        self._lock = threading.Lock()
        self._known: OrderedDict[_Named, _Totals] = OrderedDict()
        self._sizes: dict[_Named, int] = {}

    def usage_by_customer(
        self, organization_id: str, definition: MetricDefinition, periods: Sequence[Period]
    ) -> list[dict[str, Usage]]:
        """Return the usage of each period by customer."""
        return self._ask(TotalsKey(organization_id, definition, tuple(periods), is_one=False))

    def usage_together(
        self, organization_id: str, definition: MetricDefinition, periods: Sequence[Period]
    ) -> list[Usage]:
        """Return the usage of each period as if all events were one customer's."""
        found = self._ask(TotalsKey(organization_id, definition, tuple(periods), is_one=True))
        return [usages.get(_EVERYBODY) or combine(definition, {}) for usages in found]

    def _ask(self, key: TotalsKey) -> list[dict[str, Usage]]:
        name = key.name()
        with self._lock:
            totals = self._known.setdefault(name, _Totals(key))
            self._known.move_to_end(name)
        with totals.lock:
            totals.refresh(self._snapshot)
            answer = totals.answer()
            size = len(key.periods) + totals.size
        with self._lock:
            if self._known.get(name) is totals:
                self._sizes[name] = size
            while sum(self._sizes.values()) > self._states_max:
                oldest, _ = self._known.popitem(last=False)
                self._sizes.pop(oldest, None)
        return answer


class _Values:
    """The values that a customer's events had in a period."""

    def __init__(self) -> None:
        self.values: set[tuple[str, str]] = set()

    def is_new(self, group: str, value: str) -> bool:
        """Remember a value of a group; tell whether it was not there before."""
        before = len(self.values)
        self.values.add((group, value))
        return len(self.values) > before


_NONE: Final = _Values()  # for metrics that do not ask whether a value is new


def _reads_properties(definition: MetricDefinition) -> bool:
    is_counted = definition.aggregation is Aggregation.COUNT
    return not is_counted or bool(definition.filters or definition.group_by)
