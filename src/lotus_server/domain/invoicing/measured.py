"""How the quantity of a line was measured, in a form that stays true when the metric changes."""

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.metering import (
    Aggregation,
    Filter,
    FilterScalar,
    Granularity,
    Metric,
    MetricDefinition,
    MetricType,
    PropertyMatch,
)
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import plain

_PICKED: Final = {
    Aggregation.SUM: "the sum of",
    Aggregation.MAX: "the greatest",
    Aggregation.MIN: "the least",
    Aggregation.AVERAGE: "the average",
    Aggregation.UNIQUE: "the number of different values of",
    Aggregation.LATEST: "the latest",
}
_COMPARED: Final = {
    "eq": "is",
    "ne": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "gt": "is above",
    "gte": "is at least",
    "lt": "is below",
    "lte": "is at most",
    "exists": "is there",
    "not_exists": "is not there",
}


class Condition(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One condition that the counted events met; `value` is JSON, and null where the operator takes none."""

    property_name: str
    operator: str
    value: str | None = None

    @property
    def text(self) -> str:
        """Return the condition as people read it: `region is "eu"`."""
        return " ".join(
            each for each in (self.property_name, _COMPARED.get(self.operator, self.operator), self.value) if each
        )


class Measured(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Which events were counted for a line, and what was made of them, as it was when the line was made.

    `aggregated` says it in words. `counted` is the number of events, `skipped` that of those without a usable value.
    `conditions` are the metric's filters and then the subscription's own. Of usage that is invoiced in parts, they are
    those of everything `since` an instant, which came to `so_far`, and what the line has of it is what was not invoiced
    before (null: the line has all of it). Events of the times `without` were left out.
    """

    metric_name: str
    metric_type: str
    event_name: str
    aggregation: str
    aggregated: str
    counted: int
    skipped: int
    property_name: str | None = None
    expression: str | None = None
    conditions: tuple[Condition, ...] = ()
    metric_version: int = 1
    since: datetime | None = None
    so_far: Decimal | None = None
    without: tuple[Period, ...] = ()


def measured(
    metric: Metric,
    matches: tuple[PropertyMatch, ...],
    *,
    counted: int,
    skipped: int,
    without: tuple[Period, ...] = (),
) -> Measured:
    """Return how a quantity of a metric was measured for a subscription with these filters."""
    definition = metric.definition
    return Measured(
        metric_name=metric.metric_name,
        metric_type=definition.type.value,
        event_name=definition.event_name,
        aggregation=definition.aggregation.value,
        aggregated=aggregated_text(definition),
        counted=counted,
        skipped=skipped,
        property_name=definition.property_name,
        expression=definition.expression,
        conditions=_conditions(definition.filters, matches) if definition.filters or matches else (),
        metric_version=metric.version,
        without=() if definition.type is MetricType.GAUGE else without,
    )


def _conditions(filters: tuple[Filter, ...], matches: tuple[PropertyMatch, ...]) -> tuple[Condition, ...]:
    return (
        *(_condition(each) for each in filters),
        *(Condition(match.property_name, "eq", _json(match.value)) for match in matches),
    )


def aggregated_text(definition: MetricDefinition) -> str:
    """Return what a metric makes of events, in words: `the sum of bytes`."""
    match definition.type:
        case MetricType.GAUGE:
            text = _gauge(definition)
        case MetricType.RATE:
            text = f"{_counter(definition)} within the {_one(definition.granularity)} with most"
        case MetricType.RATIO:
            divisor = "" if definition.denominator is None else aggregated_text(definition.denominator)
            text = f"{_counter(definition)}, divided by {divisor}"
        case MetricType.CUSTOM:
            text = "the answer of the metric's query"
        case _:
            text = _counter(definition)
    return text if definition.window is None else f"{text}, for each of the {definition.window.value} on its own"


def _counter(definition: MetricDefinition) -> str:
    value = definition.expression or definition.property_name or ""
    if definition.aggregation is Aggregation.COUNT:
        return "the number of events"
    if definition.aggregation is Aggregation.PERCENTILE:
        rank = "" if definition.percentile is None else f"{plain(definition.percentile)} "
        return f"the percentile {rank}of {value}"
    return f"{_PICKED[definition.aggregation]} {value}"


def _gauge(definition: MetricDefinition) -> str:
    level = f"level of {definition.expression or definition.property_name}"
    if definition.aggregation is Aggregation.SUM:
        unit = "" if definition.granularity is None else f", in {definition.granularity.value}"
        return f"the {level} times how long it lasted{unit}"
    return f"{_PICKED.get(definition.aggregation, definition.aggregation.value)} {level}"


def _one(unit: Granularity | None) -> str:
    return "stretch of time" if unit is None else unit.value.removesuffix("s")


def _condition(condition: Filter) -> Condition:
    value = condition.value
    if value is None:
        return Condition(condition.property, condition.operator.value)
    if isinstance(value, tuple):
        return Condition(condition.property, condition.operator.value, f"[{', '.join(map(_json, value))}]")
    return Condition(condition.property, condition.operator.value, _json(value))


def _json(value: FilterScalar) -> str:
    return msgspec.json.encode(value, order=None).decode() if isinstance(value, str | bool) else plain(value)
