"""What a metric takes from one event: a number, or a text for `unique`."""

from decimal import Decimal
from typing import Final

from lotus_server.domain.metering.definition import Aggregation, MetricDefinition
from lotus_server.domain.metering.expressions import Value, compiled
from lotus_server.domain.metering.properties import Properties, as_number, as_text, lookup
from lotus_server.kernel.quantity import INTEGER_DIGITS_MAX, ONE

_LIMIT: Final = Decimal(10) ** INTEGER_DIGITS_MAX


def value_of(definition: MetricDefinition, properties: Properties) -> Decimal | str | None:
    """Return the value of an event, or None when it has no usable one.

    It is what the metric's expression computes, or its property: a text for `unique` and a number for every other
    aggregation. Each event counts as one for `count`.
    """
    if definition.aggregation is Aggregation.COUNT:
        return ONE
    if definition.expression is not None:
        return _result(definition, compiled(definition.expression).evaluate(properties))
    assert definition.property_name is not None
    raw = lookup(properties, definition.property_name)
    return as_text(raw) if definition.aggregation is Aggregation.UNIQUE else as_number(raw)


def _result(definition: MetricDefinition, value: Value) -> Decimal | str | None:
    """Return what an expression computed as a value; its numbers may have 90 decimal places, from a division."""
    if definition.aggregation is Aggregation.UNIQUE:
        return as_text(value)
    if isinstance(value, Decimal):
        return value if -_LIMIT < value < _LIMIT else None
    return as_number(value)
