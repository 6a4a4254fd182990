"""The slow, obvious answer: look at every event, one after the other, with the definition in hand.

It judges every event store and every incremental aggregate, so it shares no arithmetic with them: it uses fractions,
keeps all values in
lists, and sorts. Do not make it fast.
"""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from lotus_server.domain.metering.aggregates import Usage, group_key
from lotus_server.domain.metering.definition import Aggregation, MetricDefinition, Selection
from lotus_server.domain.metering.events import Event
from lotus_server.domain.metering.filters import holds
from lotus_server.domain.metering.properties import as_number, as_text, lookup


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
        whole = Usage(Decimal(distinct), whole.counted, whole.skipped)
    return Usage(whole.value, whole.counted, whole.skipped, parts)


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
            return Usage(Decimal(len(events)), len(events), 0)
        case Aggregation.UNIQUE:
            texts = [text for event in events if (text := as_text(lookup(event.properties, name))) is not None]
            return Usage(Decimal(len(set(texts))), len(texts), len(events) - len(texts))
        case _:
            return _aggregate_numbers(definition.aggregation, events, name)


def _aggregate_numbers(aggregation: Aggregation, events: list[Event], name: str) -> Usage:
    in_time_order = sorted(events, key=lambda event: (event.happened_at, event.sequence))
    numbers = [number for event in in_time_order if (number := as_number(lookup(event.properties, name))) is not None]
    skipped = len(events) - len(numbers)
    if aggregation is Aggregation.SUM:
        return Usage(_to_decimal(sum((Fraction(number) for number in numbers), Fraction(0))), len(numbers), skipped)
    if not numbers:
        return Usage(None, 0, skipped)
    return Usage(max(numbers) if aggregation is Aggregation.MAX else numbers[-1], len(numbers), skipped)


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
