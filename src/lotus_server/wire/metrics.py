"""Metrics in JSON."""

from decimal import Decimal
from typing import Any, Final

from pydantic import ConfigDict, Field

from lotus_server.domain.metering import Aggregation, Filter, FilterScalar, Metric, MetricDefinition, Operator
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.quantity import in_range, parse_decimal
from lotus_server.usecases.metrics import MetricDraft
from lotus_server.wire.forms import Form, Number, Text, required

AGGREGATIONS_TO_COME: Final = ("min", "average", "percentile")
TYPES_TO_COME: Final = ("gauge", "rate", "custom", "stateful", "continuous")
_ORDER: Final = {Operator.GT, Operator.GTE, Operator.LT, Operator.LTE}
_NUMERIC: Final = {operator.value: operator for operator in (*_ORDER, Operator.EQ)}
_CATEGORICAL: Final = {"isin": Operator.IN, "isnotin": Operator.NOT_IN}


class FilterForm(Form):
    """A condition on one property of an event."""

    property: Text = None
    operator: Text = Field(None, description=f"One of {', '.join(Operator)}.")
    value: Any = Field(None, description="A text, number or boolean; a list of them for `in` and `not_in`.")


class OriginalFilterForm(Form):
    """A condition in the form of the original system."""

    property_name: Text = None
    operator: Text = None
    comparison_value: Any = None


class MetricForm(Form):
    """A metric to be made."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        json_schema_extra={"required": ["metric_name", "event_name", "aggregation_type"]},
    )

    metric_id: Text = Field(None, description="Made when missing.")
    metric_name: Text = None
    billable_metric_name: Text = Field(None, description="Another name for metric_name.")
    event_name: Text = Field(None, description="Which events it looks at.")
    metric_type: Text = Field(None, description="counter")
    aggregation_type: Text = Field(None, description=f"One of {', '.join(Aggregation)}.")
    property_name: Text = Field(None, description="What it takes from an event; `count` needs none.")
    filters: list[FilterForm] | None = Field(None, description="Events count when all of them hold.")
    numeric_filters: list[OriginalFilterForm] | None = None
    categorical_filters: list[OriginalFilterForm] | None = None
    group_by: list[str] | None = Field(None, description="A quantity of its own for each value of these properties.")
    is_cost_metric: bool | None = None
    expression: Any = None
    custom_sql: Any = None
    percentile: Number = None
    granularity: Text = None
    proration: Text = None
    event_type: Text = None

    def to_draft(self, problems: Problems) -> MetricDraft:
        """Return the draft; it carries everything that is wrong with the form, besides what the use case will find."""
        name = self.metric_name if self.metric_name is not None else self.billable_metric_name
        self._refuse_what_is_to_come(problems)
        definition = MetricDefinition(
            event_name=required(problems, "event_name", self.event_name),
            aggregation=_aggregation(self.aggregation_type, problems),
            property_name=self.property_name or None,
            filters=tuple(self._filters(problems)),
            group_by=tuple(self.group_by or ()),
        )
        return MetricDraft(
            metric_name=required(problems, "metric_name", name),
            definition=definition,
            metric_id=self.metric_id,
            is_cost_metric=bool(self.is_cost_metric),
            problems=problems.found,
        )

    def _refuse_what_is_to_come(self, problems: Problems) -> None:
        if self.metric_type in TYPES_TO_COME:
            problems.add(
                "metric_type", "unsupported", f"{self.metric_type} metrics are not supported yet: use counter."
            )
        elif self.metric_type not in {None, "counter"}:
            problems.add("metric_type", "invalid_choice", "metric_type must be counter.")
        for field in ("expression", "custom_sql", "percentile"):
            if getattr(self, field) is not None:
                problems.add(field, "unsupported", f"{field} is not supported yet.")
        for field in ("granularity", "proration", "event_type"):
            # A counter counts over the whole period, which is what `total` says.
            if getattr(self, field) not in {None, "", "total"}:
                problems.add(field, "not_for_type", f"A counter has no {field}.")

    def _filters(self, problems: Problems) -> list[Filter]:
        found = [_filter(form, f"filters[{index}].", problems) for index, form in enumerate(self.filters or ())]
        originals = (
            ("numeric_filters", self.numeric_filters, _NUMERIC),
            ("categorical_filters", self.categorical_filters, _CATEGORICAL),
        )
        for field, forms, operators in originals:
            for index, form in enumerate(forms or ()):
                path = f"{field}[{index}]."
                operator = operators.get(form.operator or "")
                if operator is None:
                    known = ", ".join(operators)
                    problems.add(f"{path}operator", "invalid_choice", f"operator must be one of {known}.")
                    continue
                name = required(problems, f"{path}property_name", form.property_name)
                value = _value(form.comparison_value, operator, f"{path}comparison_value", problems)
                if field == "numeric_filters" and not isinstance(value, Decimal):
                    problems.add(f"{path}comparison_value", "invalid_number", "comparison_value must be a number.")
                    continue
                found.append(Filter(name, operator, value))
        return found


def _aggregation(text: str | None, problems: Problems) -> Aggregation:
    if text is None:
        problems.add("aggregation_type", "required", "aggregation_type is required.")
    elif text in AGGREGATIONS_TO_COME:
        problems.add("aggregation_type", "unsupported", f"The aggregation {text} is not supported yet.")
    elif text in set(Aggregation):
        return Aggregation(text)
    else:
        problems.add("aggregation_type", "invalid_choice", f"aggregation_type must be one of {', '.join(Aggregation)}.")
    return Aggregation.COUNT


def _filter(form: FilterForm, path: str, problems: Problems) -> Filter:
    name = required(problems, f"{path}property", form.property)
    if form.operator not in set(Operator):
        problems.add(f"{path}operator", "invalid_choice", f"operator must be one of {', '.join(Operator)}.")
        return Filter(name, Operator.EXISTS)
    operator = Operator(form.operator)
    if operator in {Operator.EXISTS, Operator.NOT_EXISTS}:
        return Filter(name, operator)
    return Filter(name, operator, _value(form.value, operator, f"{path}value", problems))


def _value(value: Any, operator: Operator, path: str, problems: Problems) -> Any:  # noqa: ANN401 - a JSON value
    """Return a filter's value: a scalar, or a tuple of them for a list."""
    if isinstance(value, list):
        return tuple(_scalar(member, operator, f"{path}[{index}]", problems) for index, member in enumerate(value))
    return None if value is None else _scalar(value, operator, path, problems)


def _scalar(value: object, operator: Operator, path: str, problems: Problems) -> FilterScalar:
    """Return a text, boolean or exact number; for an operator of order also the number that a text spells."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if isinstance(value, Decimal) and in_range(value):
        return value
    if isinstance(value, str):
        number = parse_decimal(value) if operator in _ORDER else None
        return value if number is None else number
    if isinstance(value, bool):
        return value
    problems.add(path, "invalid", f"{path} must be a text, a boolean, or a number of at most 30 + 30 digits.")
    return ""


def metric_row(metric: Metric) -> dict[str, Any]:
    """Return a metric as it is shown; the keys of every generation of clients, null where there is nothing to say."""
    definition = metric.definition
    return {
        "metric_id": metric.metric_id,
        "metric_name": metric.metric_name,
        "billable_metric_name": metric.metric_name,
        "event_name": definition.event_name,
        "metric_type": "counter",
        "aggregation_type": definition.aggregation.value,
        "usage_aggregation_type": definition.aggregation.value,
        "billable_aggregation_type": None,
        "property_name": definition.property_name,
        "filters": [
            {"property": condition.property, "operator": condition.operator.value, "value": condition.value}
            for condition in definition.filters
        ],
        "numeric_filters": _original_filters(definition, _NUMERIC, Decimal),
        "categorical_filters": _original_filters(definition, _CATEGORICAL, tuple),
        "group_by": list(definition.group_by),
        "is_cost_metric": metric.is_cost_metric,
        "status": "archived" if metric.archived else "active",
        "expression": None,
        "percentile": None,
        "granularity": None,
        "proration": None,
        "event_type": None,
        "custom_sql": None,
        "stateful_aggregation_period": None,
    }


def _original_filters(
    definition: MetricDefinition, operators: dict[str, Operator], kind: type[Decimal] | type[tuple[Any, ...]]
) -> list[dict[str, Any]]:
    """Return those filters that the original's form can express."""
    names = {operator: name for name, operator in operators.items()}
    return [
        {
            "property_name": condition.property,
            "operator": names[condition.operator],
            "comparison_value": condition.value,
        }
        for condition in definition.filters
        if condition.operator in names and isinstance(condition.value, kind)
    ]
