"""What decides the numbers of a metric, in JSON: one form for metrics, their previews and the divisors of ratios."""

from typing import Any, Final

from pydantic import ConfigDict, Field

from lotus_server.domain.metering import Aggregation, Granularity, LevelForm, MetricDefinition, MetricType
from lotus_server.kernel.errors import Problems
from lotus_server.wire.forms import Form, Number, Text, choice
from lotus_server.wire.metric_filters import FilterForm, OriginalFilterForm, filter_rows, read_filters

# Earlier generations called a gauge by these names.
TYPES: Final[dict[str, MetricType]] = {
    **{each.value: each for each in MetricType},
    "stateful": MetricType.GAUGE,
    "continuous": MetricType.GAUGE,
}
GRANULARITIES: Final[dict[str, Granularity]] = {
    **{each.value: each for each in Granularity},
    **{each.value.removesuffix("s"): each for each in Granularity},
}
_AGGREGATIONS: Final = {each.value: each for each in Aggregation}
_LEVEL_FORMS: Final = {each.value: each for each in LevelForm}


class DefinitionForm(Form):
    """Which events count, what is taken from them, and how it is put together."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    event_name: Text = Field(None, description="Which events it looks at; every type but custom needs it.")
    metric_type: Text = Field(None, description=f"One of {', '.join(MetricType)}; counter when missing.")
    aggregation_type: Text = Field(None, description=f"One of {', '.join(Aggregation)}.")
    property_name: Text = Field(None, description="What it takes from an event; `count` needs none.")
    expression: Text = Field(None, description="Instead of property_name: computes the value from the properties, CEL.")
    percentile: Number = Field(None, description="Of `percentile`: above 0, at most 100.")
    event_type: Text = Field(None, description="Of a gauge: the event says the level (total) or its change (delta).")
    granularity: Text = Field(None, description="Of a gauge: the unit of time. Of a rate: the length of its stretch.")
    proration: Text = Field(None, description="Of a gauge: how finely time is cut.")
    window: Text = Field(None, description="Every hour, day, week or month is a quantity of its own.")
    denominator: "DefinitionForm | None" = Field(None, description="What a ratio divides by.")
    custom_sql: Text = Field(None, description="The query of a custom metric.")
    filters: list[FilterForm] | None = Field(None, description="Events count when all of them hold.")
    numeric_filters: list[OriginalFilterForm] | None = None
    categorical_filters: list[OriginalFilterForm] | None = None
    group_by: list[str] | None = Field(None, description="A quantity of its own for each value of these properties.")

    def to_definition(self, problems: Problems) -> MetricDefinition:
        """Return the definition; what cannot be read is a problem, what makes no sense is found by its own check."""
        kind = choice(problems, "metric_type", self.metric_type or None, TYPES, MetricType.COUNTER)
        return MetricDefinition(
            event_name=self._event_name(kind, problems),
            aggregation=self._aggregation(kind, problems),
            property_name=self.property_name or None,
            filters=read_filters(self.filters, self.numeric_filters, self.categorical_filters, problems),
            group_by=tuple(self.group_by or ()),
            type=kind,
            expression=self.expression or None,
            percentile=self.percentile,
            level_form=choice(problems, "event_type", self.event_type or None, _LEVEL_FORMS, LevelForm.TOTAL),
            granularity=self._granularity("granularity", kind, problems),
            proration=self._granularity("proration", kind, problems),
            window=_unit("window", self.window, problems),
            denominator=self._denominator(problems),
            sql=self.custom_sql or None,
        )

    def _event_name(self, kind: MetricType, problems: Problems) -> str:
        if self.event_name is None and kind is not MetricType.CUSTOM:
            problems.add("event_name", "required", "event_name is required.")
        return self.event_name or ""

    def _aggregation(self, kind: MetricType, problems: Problems) -> Aggregation:
        if self.aggregation_type is None and kind is not MetricType.CUSTOM:
            problems.add("aggregation_type", "required", "aggregation_type is required.")
        return choice(problems, "aggregation_type", self.aggregation_type, _AGGREGATIONS, Aggregation.COUNT)

    def _granularity(self, field: str, kind: MetricType, problems: Problems) -> Granularity | None:
        """Return a unit of time.

        What counts over the whole period anyway may say so, and the original's gauges say by it that they are not
        prorated.
        """
        unit = _unit(field, getattr(self, field), problems)
        is_said_anyway = kind is not MetricType.GAUGE or field == "proration"
        return None if unit is Granularity.TOTAL and is_said_anyway else unit

    def _denominator(self, problems: Problems) -> MetricDefinition | None:
        if self.denominator is None:
            return None
        wrong = Problems()
        definition = self.denominator.to_definition(wrong)
        problems.extend(wrong.found, under="denominator.")
        return definition


def _unit(field: str, text: str | None, problems: Problems) -> Granularity | None:
    if not text:
        return None
    if text not in GRANULARITIES:
        problems.add(field, "invalid_choice", f"{field} must be one of {', '.join(Granularity)}.")
    return GRANULARITIES.get(text)


def definition_row(definition: MetricDefinition) -> dict[str, Any]:
    """Return what decides the numbers, with the keys of every generation; null where there is nothing to say."""
    is_gauge = definition.type is MetricType.GAUGE
    return {
        "event_name": definition.event_name or None,
        "metric_type": definition.type.value,
        "aggregation_type": definition.aggregation.value,
        "usage_aggregation_type": definition.aggregation.value,
        "billable_aggregation_type": Aggregation.MAX.value if definition.type is MetricType.RATE else None,
        "property_name": definition.property_name,
        "expression": definition.expression,
        "percentile": definition.percentile,
        **filter_rows(definition.filters),
        "group_by": list(definition.group_by),
        "event_type": definition.level_form.value if is_gauge else None,
        "granularity": _value(definition.granularity),
        "proration": _value(definition.proration),
        "window": _value(definition.window),
        "denominator": None if definition.denominator is None else definition_row(definition.denominator),
        "custom_sql": definition.sql,
        "stateful_aggregation_period": None,
    }


def _value(unit: Granularity | None) -> str | None:
    return None if unit is None else unit.value
