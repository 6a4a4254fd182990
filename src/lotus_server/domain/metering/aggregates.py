"""Incremental aggregates: a running state per question that takes one event at a time and is always the answer.

A state is small, can be copied before a batch and thrown away after a failed one, and survives as text. `unique`
needs the set of values seen; whoever holds the state says whether a value is new, so that a store can keep a large
set on disk.
"""

from decimal import Decimal
from itertools import groupby
from typing import Final, Protocol

import msgspec

from lotus_server.domain.metering.definition import Aggregation, MetricDefinition
from lotus_server.domain.metering.groups import UNGROUPED, split_key
from lotus_server.domain.metering.properties import Properties
from lotus_server.domain.metering.values import value_of
from lotus_server.kernel.quantity import EXACT, ONE, ZERO, share

_ADDED: Final = {Aggregation.SUM, Aggregation.AVERAGE}
_PICKED: Final = {Aggregation.MAX, Aggregation.MIN, Aggregation.LATEST, Aggregation.AVERAGE, Aggregation.PERCENTILE}


class Usage(msgspec.Struct, frozen=True, gc=False):
    """The answer to a selection: the quantity, how many events it was made of, and how many lacked a usable value.

    `value` is null when no counted event had a value (the maximum of nothing); `last_us` is the time of the last
    counted event in microseconds since 1970 (null when there is none); `groups` maps a group's key (see `group_key`) to
    its own usage, and is empty for a metric without groups and windows.
    """

    value: Decimal | None
    counted: int
    skipped: int
    last_us: int | None = None
    groups: dict[str, "Usage"] = msgspec.field(default_factory=dict)

    @property
    def quantity(self) -> Decimal:
        """Return the billable quantity: the value, or zero when there is none."""
        return ZERO if self.value is None else self.value


class State(msgspec.Struct, gc=False):
    """The running aggregate of one group.

    `value` is the sum (for `average` too), the greatest, least or latest value, or the number of distinct ones. `at` is
    the time of the last counted event in microseconds, and for `latest` `order` is its acceptance number.
    """

    counted: int = 0
    skipped: int = 0
    value: Decimal | None = None
    at: int = 0
    order: int = 0

    def copy(self) -> "State":
        """Return an independent copy."""
        return State(self.counted, self.skipped, self.value, self.at, self.order)

    def to_text(self) -> str:
        """Return the state as text that `from_text` reads back unchanged."""
        value = "" if self.value is None else str(self.value)
        return f"{self.counted} {self.skipped} {self.at} {self.order} {value}"

    @classmethod
    def from_text(cls, text: str) -> "State":
        """Return the state that `to_text` wrote."""
        counted, skipped, at, order, value = text.split(" ")
        return cls(int(counted), int(skipped), Decimal(value) if value else None, int(at), int(order))

    def usage(self, definition: MetricDefinition) -> Usage:
        """Return the answer this state stands for; also when every event lacked a usable value."""
        value = self.value
        if value is None:
            value = nothing(definition)
        elif definition.aggregation is Aggregation.AVERAGE:
            value = share(value, ONE, Decimal(self.counted))
        return Usage(value, self.counted, self.skipped, self.at if self.counted else None)


class SeenValues(Protocol):
    """Remembers the values that `unique` has counted."""

    def is_new(self, group: str, value: str) -> bool:
        """Remember a value of a group; tell whether it was not there before."""
        ...


class ValuesInMemory:
    """The set of values seen, for aggregates that live as long as a call."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._seen: set[tuple[str, str]] = set()

    def is_new(self, group: str, value: str) -> bool:
        """Remember a value of a group; tell whether it was not there before."""
        before = len(self._seen)
        self._seen.add((group, value))
        return len(self._seen) > before


def advance(
    definition: MetricDefinition,
    state: State,
    properties: Properties,
    *,
    group: str,
    at: int,
    order: int,
    seen: SeenValues,
) -> None:
    """Take one event that passed the filters into the state of its group.

    `at` is when the event happened, in microseconds since 1970; `order` is its acceptance number, which decides between
    events of the same instant: the later accepted one is the latest. Order of the calls does not matter otherwise.
    """
    aggregation = definition.aggregation
    if aggregation is Aggregation.COUNT:
        _count(state, at)
        state.value = Decimal(state.counted)
        return
    value = value_of(definition, properties)
    if value is None:
        state.skipped += 1
        return
    if isinstance(value, str):
        state.value = (ZERO if state.value is None else state.value) + seen.is_new(group, value)
    elif state.value is None:
        state.value, state.order = value, order
    elif aggregation in _ADDED:
        state.value = EXACT.add(state.value, value)
    elif aggregation is Aggregation.MAX:
        state.value = max(state.value, value)
    elif aggregation is Aggregation.MIN:
        state.value = min(state.value, value)
    elif (at, order) > (state.at, state.order):
        state.value, state.order = value, order
    _count(state, at)


def _count(state: State, at: int) -> None:
    state.at = at if not state.counted else max(state.at, at)
    state.counted += 1


def combine(definition: MetricDefinition, states: dict[str, State]) -> Usage:
    """Return the usage over all groups.

    The whole of `sum`, `count` and `unique` is the sum of the groups, of `max`, `min` and `latest` the one that wins,
    of `average` that of all values. With windows the whole is the sum of what the windows are on their own. A value
    that occurs in two groups counts once in each: groups are priced on their own.
    """
    if not definition.group_by and definition.window is None:
        state = states.get(UNGROUPED)
        return state.usage(definition) if state else Usage(nothing(definition), 0, 0)
    groups = {key: state.usage(definition) for key, state in sorted(states.items())}
    return whole_of_groups(groups, _whole_of_windows(definition, states))


def whole_of_groups(groups: dict[str, Usage], value: Decimal | None) -> Usage:
    """Return the usage of a whole whose value is known, from its groups."""
    counted = sum(usage.counted for usage in groups.values())
    skipped = sum(usage.skipped for usage in groups.values())
    last_us = max((usage.last_us for usage in groups.values() if usage.last_us is not None), default=None)
    return Usage(value, counted, skipped, last_us, groups)


def _whole_of_windows(definition: MetricDefinition, states: dict[str, State]) -> Decimal | None:
    if definition.window is None:
        return _whole(definition, list(states.values()))
    starts = groupby(sorted((split_key(definition, key)[0], key) for key in states), key=lambda pair: pair[0])
    values = [_whole(definition, [states[key] for _, key in pairs]) for _, pairs in starts]
    return sum_of(definition, values)


def sum_of(definition: MetricDefinition, values: list[Decimal | None]) -> Decimal | None:
    """Return the exact sum of the values there are; what no event amounts to when there is none."""
    whole = None
    for value in values:
        if value is not None:
            whole = value if whole is None else EXACT.add(whole, value)
    return nothing(definition) if whole is None else whole


def _whole(definition: MetricDefinition, states: list[State]) -> Decimal | None:
    valued = [(state.value, state) for state in states if state.value is not None]
    if not valued:
        return nothing(definition)
    if definition.aggregation is Aggregation.MAX:
        return max(value for value, _ in valued)
    if definition.aggregation is Aggregation.MIN:
        return min(value for value, _ in valued)
    if definition.aggregation is Aggregation.LATEST:
        return max(valued, key=lambda pair: (pair[1].at, pair[1].order))[0]
    whole = sum_of(definition, [value for value, _ in valued])
    if definition.aggregation is Aggregation.AVERAGE:
        assert whole is not None
        return share(whole, ONE, Decimal(sum(state.counted for _, state in valued)))
    return whole


def nothing(definition: MetricDefinition) -> Decimal | None:
    """Return what no event at all amounts to: zero for what is added up, nothing for what is picked or divided."""
    return None if definition.aggregation in _PICKED else ZERO
