"""Whether a price can be applied to what a metric measures."""

from typing import Final

from lotus_server.domain.catalog.plans import Component
from lotus_server.domain.catalog.prices import Dynamic, Matrix, needs_event_values, needs_only_quantity, prices_within
from lotus_server.domain.metering import Aggregation, MetricDefinition, MetricType
from lotus_server.kernel.errors import FieldProblem, Problems

_CODE: Final = "not_for_metric"


def metric_problems(component: Component, definition: MetricDefinition) -> tuple[FieldProblem, ...]:
    """Return everything in which a component's price, or its prepaid units, do not fit its metric."""
    found = Problems()
    price, is_counter = component.price, definition.type is MetricType.COUNTER
    if isinstance(price, Matrix) and set(price.dimensions) != set(definition.group_by):
        groups = ", ".join(definition.group_by) or "nothing"
        found.add("price.dimensions", _CODE, f"The metric groups its usage by {groups}, and so must the matrix.")
    if any(isinstance(each, Dynamic) for each in prices_within(price)) and not is_counter:
        found.add("price.model", _CODE, "Only the events of a counter can name their own amounts.")
    if any(map(needs_event_values, prices_within(price))) and not (
        is_counter and definition.aggregation in {Aggregation.COUNT, Aggregation.SUM}
    ):
        detail = "A price that looks at single events needs a metric that counts them or adds up their values."
        found.add("price.model", _CODE, detail)
    if component.prepaid is not None and not (
        needs_only_quantity(price) and not definition.group_by and definition.window is None
    ):
        detail = "Units can be bought in advance only where one quantity of the period decides the price."
        found.add("prepaid_charge", _CODE, detail)
    return found.found
