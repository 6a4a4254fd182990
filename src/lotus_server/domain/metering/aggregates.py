"""Incremental aggregates: a running state per question that takes one event at a time and is always the answer.

A state is small, can be copied before a batch and thrown away after a failed one, and survives as text. `unique`
needs the set of values seen; whoever holds the state says whether a value is new, so that a store can keep a large
set on disk.
"""

from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec

from lotus_server.domain.metering.definition import Aggregation, MetricDefinition
from lotus_server.domain.metering.properties import Properties, as_number, as_text, lookup
from lotus_server.kernel.quantity import EXACT, ZERO

UNGROUPED: Final = ""


class Usage(msgspec.Struct, frozen=True):
    """The answer to a selection: the quantity, how many events it was made of, and how many lacked a usable value.

    `value` is null when no counted event had a value (the maximum of nothing); `last_us` is the time of the last
    counted event in microseconds since 1970 (null when there is none); `groups` maps a group's key (a JSON array of
    texts in the order of `group_by`) to its own usage, and is empty for a metric without groups.
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


class State(msgspec.Struct):
    """The running aggregate of one group.

    `value` is the sum, the greatest, the latest value, or the number of distinct ones. `at` is the time of the last
    counted event in microseconds, and for `latest` `order` is its acceptance number.
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
        value = _nothing(definition) if self.value is None else self.value
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


def group_key(group_by: tuple[str, ...], properties: Properties) -> str:
    """Return the key of an event's group.

    A JSON array with a text, or null for a missing property, per grouped property.
    """
    if not group_by:
        return UNGROUPED
    return msgspec.json.encode([as_text(lookup(properties, name)) for name in group_by]).decode()


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
    assert definition.property_name is not None
    raw = lookup(properties, definition.property_name)
    if aggregation is Aggregation.UNIQUE:
        _advance_unique(state, raw, group=group, at=at, seen=seen)
        return
    number = as_number(raw)
    if number is None:
        state.skipped += 1
        return
    if aggregation is Aggregation.SUM:
        state.value = number if state.value is None else EXACT.add(state.value, number)
    elif aggregation is Aggregation.MAX:
        state.value = number if state.value is None or number > state.value else state.value
    elif state.value is None or (at, order) > (state.at, state.order):
        state.value, state.order = number, order
    _count(state, at)


def _count(state: State, at: int) -> None:
    state.at = at if not state.counted else max(state.at, at)
    state.counted += 1


def _advance_unique(state: State, raw: Any, *, group: str, at: int, seen: SeenValues) -> None:  # noqa: ANN401 - a JSON value
    text = as_text(raw)
    if text is None:
        state.skipped += 1
        return
    _count(state, at)
    if state.value is None:
        state.value = ZERO
    if seen.is_new(group, text):
        state.value += 1


def combine(definition: MetricDefinition, states: dict[str, State]) -> Usage:
    """Return the usage over all groups.

    The whole of `sum`, `count` and `unique` is the sum of the groups, of `max` and `latest` the one that wins.
    A value that occurs in two groups counts once in each: groups are priced on their own.
    """
    if not definition.group_by:
        state = states.get(UNGROUPED)
        return state.usage(definition) if state else Usage(_nothing(definition), 0, 0)
    groups = {key: state.usage(definition) for key, state in sorted(states.items())}
    counted = sum(usage.counted for usage in groups.values())
    skipped = sum(usage.skipped for usage in groups.values())
    last_us = max((usage.last_us for usage in groups.values() if usage.last_us is not None), default=None)
    return Usage(_whole(definition, list(states.values())), counted, skipped, last_us, groups)


def _whole(definition: MetricDefinition, states: list[State]) -> Decimal | None:
    valued = [state for state in states if state.value is not None]
    if not valued:
        return _nothing(definition)
    if definition.aggregation is Aggregation.MAX:
        return max(state.value for state in valued if state.value is not None)
    if definition.aggregation is Aggregation.LATEST:
        return max(valued, key=lambda state: (state.at, state.order)).value
    whole = ZERO
    for state in valued:
        assert state.value is not None
        whole = EXACT.add(whole, state.value)
    return whole


def _nothing(definition: MetricDefinition) -> Decimal | None:
    """Return what no event at all amounts to: zero for what is added up, nothing for what is picked."""
    return None if definition.aggregation in {Aggregation.MAX, Aggregation.LATEST} else ZERO
