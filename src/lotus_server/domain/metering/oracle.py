"""The slow, obvious answer: look at every event, one after the other, with the definition in hand.

It judges every event store, every incremental aggregate and every series, so it shares no code with them: it reads
events in its own way, uses fractions and datetimes, keeps all values in lists, sorts, and counts again for every
question. Do not make it fast.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from lotus_server.domain.metering.aggregates import Usage
from lotus_server.domain.metering.definition import (
    Aggregation,
    Granularity,
    LevelForm,
    MetricDefinition,
    MetricType,
    Selection,
)
from lotus_server.domain.metering.events import Event
from lotus_server.domain.metering.expressions import compiled
from lotus_server.domain.metering.oracle_units import Span, next_window, part_of, stepped_bounds, unit_around, window_of
from lotus_server.domain.metering.oracle_values import Evaluate, group_of, is_let_through, reach, taken, text
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import QUOTIENT_PLACES

_STRETCHES = {
    Granularity.SECOND: timedelta(seconds=1),
    Granularity.MINUTE: timedelta(minutes=1),
    Granularity.HOUR: timedelta(hours=1),
    Granularity.DAY: timedelta(days=1),
    Granularity.WEEK: timedelta(weeks=1),
}


class _Seen(NamedTuple):
    """What counts of an event; of two at one instant the one with the later `sequence` is the later one."""

    at: datetime
    sequence: int
    group: str
    value: Fraction | str | None


def _compiled(expression: str, properties: dict[str, Any]) -> object:
    return compiled(expression).evaluate(properties)


def usage_of(selection: Selection, events: Iterable[Event], evaluate: Evaluate = _compiled) -> Usage:
    """Return the usage of a selection over all events of an organization, in any order.

    `evaluate` computes expressions; that is the one thing that the oracle can be given. Raises ValueError for a custom
    metric: only a store can answer its query.
    """
    definition = selection.definition
    if definition.type is MetricType.CUSTOM:
        raise ValueError("a custom metric is answered by its query")
    if definition.type is MetricType.RATIO:
        return _ratio(selection, list(events), evaluate)
    seen = (_seen(definition, event, evaluate) for event in events if _counts(selection, event))
    stream = sorted(seen, key=lambda event: (event.at, event.sequence))
    span = (selection.period.start, selection.period.end)
    cycle = selection.cycle or selection.period
    if definition.window is None:
        return _usage_in(definition, cycle, stream, span)
    windows = {}
    for start in _windows(definition, stream, span):
        in_period = part_of((start, next_window(definition.window, start)), span)
        usage = _usage_in(definition, cycle, stream, in_period)
        is_shown = usage.groups or (not definition.group_by and _is_shown(definition, stream, in_period))
        if is_shown:
            windows[start] = usage
    return _sum_of_windows(definition, windows)


def _counts(selection: Selection, event: Event) -> bool:
    """Tell whether an event takes part: for a gauge also one from before the period."""
    is_gauge = selection.definition.type is MetricType.GAUGE
    return (
        event.customer_id == selection.customer_id
        and event.event_name == selection.definition.event_name
        and (is_gauge or selection.period.start <= event.happened_at)
        and (is_gauge or not any(part.contains(event.happened_at) for part in selection.without))
        and event.happened_at < selection.period.end
        and all(is_let_through(condition, event.properties) for condition in selection.definition.filters)
        and all(text(reach(event.properties, match.property_name)) == match.value for match in selection.matches)
    )


def _seen(definition: MetricDefinition, event: Event, evaluate: Evaluate) -> _Seen:
    group = group_of(definition.group_by, event.properties)
    return _Seen(event.happened_at, event.sequence, group, taken(definition, event.properties, evaluate))


def _windows(definition: MetricDefinition, stream: list[_Seen], span: Span) -> list[datetime]:
    """Return the windows that may be shown: for a gauge all of the period, else those with an event."""
    assert definition.window is not None
    if definition.type is not MetricType.GAUGE:
        return sorted({window_of(definition.window, event.at) for event in stream})
    starts = []
    start = window_of(definition.window, span[0])
    while stream and max(start, span[0]) < span[1]:
        starts.append(start)
        start = next_window(definition.window, start)
    return starts


def _usage_in(definition: MetricDefinition, cycle: Period, stream: list[_Seen], span: Span) -> Usage:
    """Return the usage of a span of time, without windows."""
    whole = _measure(definition, cycle, stream, span)
    if not definition.group_by:
        return whole
    groups: dict[str, list[_Seen]] = {}
    for event in stream:
        groups.setdefault(event.group, []).append(event)
    shown = {key: members for key, members in sorted(groups.items()) if _is_shown(definition, members, span)}
    parts = {key: _measure(definition, cycle, members, span) for key, members in shown.items()}
    shown = {key: [event for event in members if event.at < span[1]] for key, members in shown.items()}
    return Usage(_whole(definition, whole, parts, shown), whole.counted, whole.skipped, whole.last_us, parts)


def _is_shown(definition: MetricDefinition, events: list[_Seen], span: Span) -> bool:
    return any(span[0] <= event.at < span[1] for event in events) or (
        definition.type is MetricType.GAUGE and _level_before(definition, events, span[0]) != 0
    )


def _whole(
    definition: MetricDefinition, whole: Usage, parts: dict[str, Usage], shown: dict[str, list[_Seen]]
) -> Decimal | None:
    """Return the value of all groups together; `whole` is what it would be without groups."""
    values = [part.value for part in parts.values() if part.value is not None]
    is_added = definition.aggregation is Aggregation.UNIQUE or definition.is_time_weighted
    if definition.type is MetricType.COUNTER:
        if not is_added:
            return whole.value
        return _to_decimal(sum((Fraction(value) for value in values), Fraction(0)))
    if not values:
        return _nothing(definition)
    if definition.type is MetricType.RATE or (definition.aggregation is Aggregation.MAX and not is_added):
        return max(values)
    if is_added:
        return _to_decimal(sum((Fraction(value) for value in values), Fraction(0)))
    lasts = [
        (event.at, event.sequence, key) for key, events in shown.items() for event in events if event.value is not None
    ]
    return parts[max(lasts)[2]].value


def _measure(definition: MetricDefinition, cycle: Period, events: list[_Seen], span: Span) -> Usage:
    """Return the usage of some events as one group."""
    inside = [event for event in events if span[0] <= event.at < span[1]]
    usable = [event for event in inside if event.value is not None]
    last_us = max((to_microseconds(event.at) for event in usable), default=None)
    if definition.type is MetricType.GAUGE:
        before = [event for event in events if event.at < span[1]]
        value = _gauge(definition, cycle, before, span)
    elif definition.type is MetricType.RATE:
        value = _rate(definition, usable)
    else:
        value = _aggregate(definition, usable)
    return Usage(value, len(usable), len(inside) - len(usable), last_us)


def _numbers(events: list[_Seen]) -> list[Fraction]:
    return [event.value for event in events if isinstance(event.value, Fraction)]


def _aggregate(definition: MetricDefinition, events: list[_Seen]) -> Decimal | None:
    """Return the aggregate of events with a usable value, in order of happening."""
    match definition.aggregation:
        case Aggregation.COUNT:
            return Decimal(len(events))
        case Aggregation.UNIQUE:
            return Decimal(len({event.value for event in events}))
        case Aggregation.SUM:
            return _to_decimal(sum(_numbers(events), Fraction(0)))
        case _:
            numbers = _numbers(events)
            return _to_decimal(_pick(definition, numbers)) if numbers else None


def _pick(definition: MetricDefinition, numbers: list[Fraction]) -> Fraction:
    match definition.aggregation:
        case Aggregation.MAX:
            return max(numbers)
        case Aggregation.MIN:
            return min(numbers)
        case Aggregation.AVERAGE:
            return sum(numbers, Fraction(0)) / len(numbers)
        case Aggregation.PERCENTILE:
            assert definition.percentile is not None
            needed = Fraction(definition.percentile) / 100 * len(numbers)
            return min(one for one in numbers if sum(other <= one for other in numbers) >= needed)
        case _:
            return numbers[-1]


def _rate(definition: MetricDefinition, events: list[_Seen]) -> Decimal | None:
    assert definition.granularity is not None
    length = _STRETCHES[definition.granularity]
    values = [
        _aggregate(definition, [event for event in events if end - length < event.at <= end])
        for end in {event.at for event in events}
    ]
    return max((value for value in values if value is not None), default=_nothing(definition))


def _levels(definition: MetricDefinition, events: list[_Seen]) -> list[tuple[datetime, Fraction]]:
    """Return the level after each event with a usable value."""
    level, levels = Fraction(0), []
    for event in events:
        if isinstance(event.value, Fraction):
            level = event.value + (level if definition.level_form is LevelForm.DELTA else 0)
            levels.append((event.at, level))
    return levels


def _level_before(definition: MetricDefinition, events: list[_Seen], instant: datetime) -> Fraction:
    before = [level for at, level in _levels(definition, events) if at < instant]
    return before[-1] if before else Fraction(0)


def _gauge(definition: MetricDefinition, cycle: Period, events: list[_Seen], span: Span) -> Decimal | None:
    levels = _levels(definition, events)
    if not levels:
        return _nothing(definition)
    if definition.is_time_weighted:
        return _weigh(definition, cycle, levels, span)
    return _to_decimal(levels[-1][1] if definition.aggregation is Aggregation.LATEST else _greatest(levels, span))


def _greatest(levels: list[tuple[datetime, Fraction]], span: Span) -> Fraction:
    """Return the greatest level that held or was reported in a span."""
    reported = [level for at, level in levels if span[0] <= at < span[1]]
    if any(at == span[0] for at, _ in levels):
        return max(reported)
    before = [level for at, level in levels if at < span[0]]
    return max([*reported, before[-1] if before else Fraction(0)])


def _weigh(definition: MetricDefinition, cycle: Period, levels: list[tuple[datetime, Fraction]], span: Span) -> Decimal:
    """Walk from one instant at which anything can change to the next, and add up what the level amounts to between."""
    granularity, proration = definition.granularity, definition.proration
    assert granularity is not None

    def around(instant: datetime) -> Span:
        bucket = part_of(unit_around(granularity, cycle, instant)[0], span)
        return bucket if proration is None else part_of(unit_around(proration, cycle, instant)[0], bucket)

    breaks = {*span, *(at for at, _ in levels)}
    for at, _ in levels:
        breaks |= {*around(at)}
    for unit in (granularity, proration):
        breaks |= set(stepped_bounds(unit, cycle, span))
    ordered = sorted(at for at in breaks if span[0] <= at <= span[1])
    by_length: dict[timedelta, Fraction] = {}
    for start, end in pairwise(ordered):
        length = unit_around(granularity, cycle, start)[1]
        so_far = [Fraction(0), *(level for at, level in levels if at <= start)]
        level = so_far[-1] if proration is None else _greatest(levels, around(start))
        part = level * Fraction((end - start) // timedelta.resolution, length // timedelta.resolution)
        by_length[length] = by_length.get(length, Fraction(0)) + part
    return _to_decimal(sum((Fraction(_to_decimal(part)) for part in by_length.values()), Fraction(0)))


def _sum_of_windows(definition: MetricDefinition, windows: dict[datetime, Usage]) -> Usage:
    """Return the usage of all windows together; each group's key begins with its window's start."""
    groups: dict[str, Usage] = {}
    for start, usage in windows.items():
        written = start.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
        for key, part in (usage.groups if definition.group_by else {"": usage}).items():
            values = json.loads(key) if key else []
            groups[json.dumps([written, *values], ensure_ascii=False, separators=(",", ":"))] = part
    valued = [Fraction(usage.value) for usage in windows.values() if usage.value is not None]
    return Usage(
        _to_decimal(sum(valued, Fraction(0))) if valued else _nothing(definition),
        sum(usage.counted for usage in windows.values()),
        sum(usage.skipped for usage in windows.values()),
        max((usage.last_us for usage in windows.values() if usage.last_us is not None), default=None),
        groups,
    )


def _ratio(selection: Selection, events: list[Event], evaluate: Evaluate) -> Usage:
    below = selection.definition.denominator
    assert below is not None
    above = msgspec.structs.replace(selection.definition, type=MetricType.COUNTER, denominator=None)
    first, second = (
        usage_of(msgspec.structs.replace(selection, definition=part), events, evaluate) for part in (above, below)
    )
    groups = {
        key: _divided(
            first.groups.get(key, Usage(_nothing(above), 0, 0)), second.groups.get(key, Usage(_nothing(below), 0, 0))
        )
        for key in sorted({*first.groups, *second.groups})
    }
    whole = _divided(first, second)
    return Usage(whole.value, whole.counted, whole.skipped, whole.last_us, groups)


def _divided(first: Usage, second: Usage) -> Usage:
    value = None
    if first.value is not None and second.value is not None and second.value != 0:
        value = _to_decimal(Fraction(first.value) / Fraction(second.value))
    times = [usage.last_us for usage in (first, second) if usage.last_us is not None]
    return Usage(value, first.counted + second.counted, first.skipped + second.skipped, max(times, default=None))


def _nothing(definition: MetricDefinition) -> Decimal | None:
    """Return what no event amounts to."""
    adds_up = definition.aggregation in {Aggregation.COUNT, Aggregation.SUM, Aggregation.UNIQUE}
    return Decimal(0) if adds_up else None


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
