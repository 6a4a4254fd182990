"""Metrics in words, and the texts of their forms."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from lotus_server.domain.metering import Filter, MetricDefinition, MetricType, Operator
from lotus_server.http.web.formats import input_text

OPERATORS: Final = [
    (Operator.EQ, "is"),
    (Operator.NE, "is not"),
    (Operator.IN, "is one of"),
    (Operator.NOT_IN, "is none of"),
    (Operator.GT, "is more than"),
    (Operator.GTE, "is at least"),
    (Operator.LT, "is less than"),
    (Operator.LTE, "is at most"),
    (Operator.EXISTS, "is there"),
    (Operator.NOT_EXISTS, "is not there"),
]
TYPES: Final = [
    (MetricType.COUNTER, "Counter", "Adds up what happened: calls, tokens, bytes sent."),
    (MetricType.GAUGE, "Gauge", "Knows a level that lasts until the next event: seats, storage, machines."),
    (MetricType.RATE, "Rate", "The busiest stretch of time of a period: rows inserted per minute at the peak."),
    (MetricType.RATIO, "Ratio", "One quantity divided by another: errors per call."),
    (MetricType.CUSTOM, "Query", "An SQL query over the events of one customer and period."),
]
_WORDS: Final = dict(OPERATORS)
_LISTS: Final = (Operator.IN, Operator.NOT_IN)
_FIELDS: Final = (
    "event_name",
    "metric_type",
    "aggregation_type",
    "property_name",
    "expression",
    "percentile",
    "event_type",
    "granularity",
    "proration",
    "window",
    "custom_sql",
)


def sentence(definition: MetricDefinition) -> str:
    """Return what a definition measures, in a sentence without its end."""
    if definition.type is MetricType.CUSTOM:
        return "What a query says"
    value = definition.expression or definition.property_name
    words = _aggregated(definition, value) + f" of the events {definition.event_name}"
    if definition.type is MetricType.GAUGE:
        unit = f" in {definition.granularity.value}" if definition.granularity else ""
        words = (
            f"Level of {value or 'one'}, by the events {definition.event_name}: {definition.aggregation.value}{unit}"
        )
    if definition.type is MetricType.RATE and definition.granularity is not None:
        words = f"Greatest in {definition.granularity.value}: {words[0].lower()}{words[1:]}"
    if definition.filters:
        words += " where " + " and ".join(_condition(each) for each in definition.filters)
    if definition.group_by:
        words += ", by " + ", ".join(definition.group_by)
    if definition.window is not None:
        words += f", in {definition.window.value} of their own"
    if definition.denominator is not None:
        denominator = sentence(definition.denominator)
        words += f", divided by: {denominator[0].lower()}{denominator[1:]}"
    return words


def _aggregated(definition: MetricDefinition, value: str | None) -> str:
    names = {"count": "Number", "unique": f"Different values of {value}", "latest": f"Latest {value}"}
    if definition.percentile is not None:
        return f"{input_text(definition.percentile)}th percentile of {value}"
    return names.get(definition.aggregation.value, f"{definition.aggregation.value.capitalize()} of {value}")


def _condition(condition: Filter) -> str:
    if condition.value is None:
        return f"{condition.property} {_WORDS[condition.operator]}"
    return f"{condition.property} {_WORDS[condition.operator]} {_filter_text(condition.value)}"


def form_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the form that shows a definition as the API shows it."""
    filters = [
        {"property": each["property"], "operator": each["operator"], "value": _filter_text(each["value"])}
        for each in definition["filters"]
    ]
    fields = {name: definition[name] for name in _FIELDS}
    return {**fields, "group_by": ", ".join(definition["group_by"]), "filters": filters}


def with_filter_values(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a definition as it was typed, its filters' texts made into what they mean.

    A number is a number, `true` and `false` are what they say, everything else is text, and so is what stands in double
    quotes; the values of a list are parted by commas.
    """
    rows = [each for each in payload.get("filters", ()) if each]
    return {**payload, "filters": [_with_value(row) for row in rows]} if rows else payload


def _with_value(row: dict[str, Any]) -> dict[str, Any]:
    text = row.get("value")
    if text is None:
        return row
    if row.get("operator") in _LISTS:
        return {**row, "value": [_meant(part.strip()) for part in text.split(",")]}
    return {**row, "value": _meant(text)}


def _meant(text: str) -> str | bool | Decimal:
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        return text[1:-1]
    if text in {"true", "false"}:
        return text == "true"
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if number.is_finite() else text


def _filter_text(value: Any) -> str:  # noqa: ANN401 - what a filter compares with
    if isinstance(value, list | tuple):
        return ", ".join(_filter_text(each) for each in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return input_text(value)
    if value is None:
        return ""
    return value if _meant(value) == value else f'"{value}"'
