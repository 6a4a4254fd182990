"""The slow, obvious answer: look at every event, one after the other, with the definition in hand.

It judges every event store and every incremental aggregate, so it shares no arithmetic with them: it uses fractions,
keeps all values in lists, and sorts. Do not make it fast.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from lotus_server.domain.metering.aggregates import Usage
from lotus_server.domain.metering.definition import Aggregation, Granularity, MetricDefinition, Selection
from lotus_server.domain.metering.events import Event
from lotus_server.domain.metering.filters import holds
from lotus_server.domain.metering.groups import values_key
from lotus_server.domain.metering.properties import as_number, as_text, lookup
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.quantity import QUOTIENT_PLACES


def usage_of(selection: Selection, events: Iterable[Event]) -> Usage:
    """Return the usage of a selection over all events of an organization, in any order."""
    definition = selection.definition
    counting = [event for event in events if _counts(selection, event)]
    if definition.window is None:
        return _usage_of_groups(definition, counting)
    windows: dict[datetime, list[Event]] = {}
    for event in counting:
        windows.setdefault(_window_start(definition.window, event.happened_at), []).append(event)
    parts = {start: _usage_of_groups(definition, members) for start, members in sorted(windows.items())}
    return _sum_of_windows(definition, parts)


def _usage_of_groups(definition: MetricDefinition, events: list[Event]) -> Usage:
    whole = _aggregate(definition, events)
    if not definition.group_by:
        return whole
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(values_key(definition.group_by, event.properties), []).append(event)
    parts = {key: _aggregate(definition, members) for key, members in sorted(groups.items())}
    if definition.aggregation is Aggregation.UNIQUE:
        distinct = sum(int(part.quantity) for part in parts.values())
        whole = Usage(Decimal(distinct), whole.counted, whole.skipped, whole.last_us)
    return Usage(whole.value, whole.counted, whole.skipped, whole.last_us, parts)


def _window_start(window: Granularity, at: datetime) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    match window:
        case Granularity.HOUR:
            return at.replace(minute=0, second=0, microsecond=0)
        case Granularity.DAY:
            return midnight
        case Granularity.WEEK:
            return midnight - timedelta(days=at.weekday())
        case _:
            return midnight.replace(day=1)


def _sum_of_windows(definition: MetricDefinition, windows: dict[datetime, Usage]) -> Usage:
    """Return the usage of all windows together; each group's key begins with its window's start."""
    groups: dict[str, Usage] = {}
    for start, usage in windows.items():
        text = start.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
        for key, part in (usage.groups if definition.group_by else {"": usage}).items():
            values = json.loads(key) if key else []
            groups[json.dumps([text, *values], ensure_ascii=False, separators=(",", ":"))] = part
    valued = [Fraction(usage.value) for usage in windows.values() if usage.value is not None]
    value = _to_decimal(sum(valued, Fraction(0))) if valued else _aggregate(definition, []).value
    return Usage(
        value,
        sum(usage.counted for usage in windows.values()),
        sum(usage.skipped for usage in windows.values()),
        max((usage.last_us for usage in windows.values() if usage.last_us is not None), default=None),
        groups,
    )


def _counts(selection: Selection, event: Event) -> bool:
    return (
        event.customer_id == selection.customer_id
        and event.event_name == selection.definition.event_name
        and selection.period.start <= event.happened_at < selection.period.end
        and all(holds(condition, event.properties) for condition in selection.definition.filters)
        and all(as_text(lookup(event.properties, match.property_name)) == match.value for match in selection.matches)
    )


def _aggregate(definition: MetricDefinition, events: list[Event]) -> Usage:
    name = definition.property_name or ""
    match definition.aggregation:
        case Aggregation.COUNT:
            return Usage(Decimal(len(events)), len(events), 0, _last_us(events))
        case Aggregation.UNIQUE:
            valued = [event for event in events if as_text(lookup(event.properties, name)) is not None]
            texts = {as_text(lookup(event.properties, name)) for event in valued}
            return Usage(Decimal(len(texts)), len(valued), len(events) - len(valued), _last_us(valued))
        case _:
            return _aggregate_numbers(definition.aggregation, events, name)


def _aggregate_numbers(aggregation: Aggregation, events: list[Event], name: str) -> Usage:
    valued = [event for event in events if as_number(lookup(event.properties, name)) is not None]
    in_time_order = sorted(valued, key=lambda event: (event.happened_at, event.sequence))
    numbers = [as_number(lookup(event.properties, name)) or Decimal(0) for event in in_time_order]
    skipped, last_us = len(events) - len(valued), _last_us(valued)
    if aggregation is Aggregation.SUM:
        whole = sum((Fraction(number) for number in numbers), Fraction(0))
        return Usage(_to_decimal(whole), len(numbers), skipped, last_us)
    if not numbers:
        return Usage(None, 0, skipped)
    return Usage(_pick(aggregation, numbers), len(numbers), skipped, last_us)


def _pick(aggregation: Aggregation, numbers: list[Decimal]) -> Decimal:
    match aggregation:
        case Aggregation.MAX:
            return max(numbers)
        case Aggregation.MIN:
            return min(numbers)
        case Aggregation.AVERAGE:
            return _to_decimal(sum((Fraction(number) for number in numbers), Fraction(0)) / len(numbers))
        case _:
            return numbers[-1]


def _last_us(events: list[Event]) -> int | None:
    return max((to_microseconds(event.happened_at) for event in events), default=None)


def _to_decimal(value: Fraction) -> Decimal:
    """Return a fraction as a decimal: exact up to 90 places, rounded half away from zero there.

    Scale until the denominator is gone, then put the point back.
    """
    places = 0
    while value.denominator != 1 and places < QUOTIENT_PLACES:
        value *= 10
        places += 1
    whole = int(abs(value) + Fraction(1, 2)) if value.denominator != 1 else abs(value.numerator)
    digits = tuple(int(digit) for digit in str(whole))
    return Decimal((1 if value < 0 else 0, digits, -places))
