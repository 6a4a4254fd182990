"""What a metric takes from one event: a number, or a text for `unique`."""

from decimal import Decimal

from lotus_server.domain.metering.definition import Aggregation, MetricDefinition
from lotus_server.domain.metering.properties import Properties, as_number, as_text, lookup
from lotus_server.kernel.quantity import ONE


def value_of(definition: MetricDefinition, properties: Properties) -> Decimal | str | None:
    """Return the value of an event, or None when it has no usable one.

    It is a text for `unique` and a number for every other aggregation; each event counts as one for `count`.
    """
    if definition.aggregation is Aggregation.COUNT:
        return ONE
    assert definition.property_name is not None
    raw = lookup(properties, definition.property_name)
    return as_text(raw) if definition.aggregation is Aggregation.UNIQUE else as_number(raw)
