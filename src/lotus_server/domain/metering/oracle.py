"""The slow, obvious answer: look at every event, one after the other, with the definition in hand.

It judges every event store and every incremental aggregate, so it shares no arithmetic with them: it uses fractions,
keeps all values in lists, and sorts. Do not make it fast.
"""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from lotus_server.domain.metering.aggregates import Usage, group_key
from lotus_server.domain.metering.definition import Aggregation, MetricDefinition, Selection
from lotus_server.domain.metering.events import Event
from lotus_server.domain.metering.filters import holds
from lotus_server.domain.metering.properties import as_number, as_text, lookup
from lotus_server.kernel.instants import to_microseconds


def usage_of(selection: Selection, events: Iterable[Event]) -> Usage:
    """Return the usage of a selection over all events of an organization, in any order."""
    definition = selection.definition
    counting = [event for event in events if _counts(selection, event)]
    whole = _aggregate(definition, counting)
    if not definition.group_by:
        return whole
    groups: dict[str, list[Event]] = {}
    for event in counting:
        groups.setdefault(group_key(definition.group_by, event.properties), []).append(event)
    parts = {key: _aggregate(definition, members) for key, members in sorted(groups.items())}
    if definition.aggregation is Aggregation.UNIQUE:
        distinct = sum(int(part.quantity) for part in parts.values())
        whole = Usage(Decimal(distinct), whole.counted, whole.skipped, whole.last_us)
    return Usage(whole.value, whole.counted, whole.skipped, whole.last_us, parts)


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
    return Usage(max(numbers) if aggregation is Aggregation.MAX else numbers[-1], len(numbers), skipped, last_us)


def _last_us(events: list[Event]) -> int | None:
    return max((to_microseconds(event.happened_at) for event in events), default=None)


def _to_decimal(value: Fraction) -> Decimal:
    """Return a fraction that came from decimals as the decimal it is.

    Scale until the denominator is gone, then put the point back.
    """
    places = 0
    while value.denominator != 1:
        value *= 10
        places += 1
    digits = tuple(int(digit) for digit in str(abs(value.numerator)))
    return Decimal((1 if value < 0 else 0, digits, -places))
