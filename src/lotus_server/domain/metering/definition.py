"""What a metric is: which events it looks at, what it takes from them, and how it puts that together."""

import hashlib
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec
from typing_extensions import override

from lotus_server.domain.metering.expressions import ExpressionProblem, compiled
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.identifiers import identifier_problem, name_problem
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO, in_range, plain

FILTERS_MAX: Final = 50
GROUP_BY_MAX: Final = 5
FILTER_VALUES_MAX: Final = 1_000
SQL_LENGTH_MAX: Final = 10_000


class MetricType(StrEnum):
    """What the values of events mean.

    A counter adds up what happened. A gauge knows a level that lasts until the next event, over the ends of periods.
    A rate is the greatest aggregate of any stretch of time of one length. A ratio divides one metric by another. A
    custom metric is a query.
    """

    COUNTER = "counter"
    GAUGE = "gauge"
    RATE = "rate"
    RATIO = "ratio"
    CUSTOM = "custom"


class Aggregation(StrEnum):
    """How the values of the counted events of a period become one quantity.

    For a gauge, `sum` is the level times how long it lasted.
    """

    COUNT = "count"
    SUM = "sum"
    MAX = "max"
    MIN = "min"
    AVERAGE = "average"
    UNIQUE = "unique"
    LATEST = "latest"
    PERCENTILE = "percentile"


class LevelForm(StrEnum):
    """What an event of a gauge says: the level, or by how much it changes."""

    TOTAL = "total"
    DELTA = "delta"


class Granularity(StrEnum):
    """A unit of time. Weeks, months and longer have the boundaries of the billing cycle, shorter ones those of UTC.

    `total` is the whole billing cycle. The windows of a metric are always those of UTC, and weeks begin on Monday.
    """

    SECOND = "seconds"
    MINUTE = "minutes"
    HOUR = "hours"
    DAY = "days"
    WEEK = "weeks"
    MONTH = "months"
    QUARTER = "quarters"
    YEAR = "years"
    TOTAL = "total"


class Operator(StrEnum):
    """How a filter compares the event's property with its own value."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EXISTS = "exists"
    NOT_EXISTS = "not_exists"


# Numbers stay numbers: the filter values `1.0` and "1.0" let different events through.
_fingerprinted: Final = msgspec.json.Encoder(order="deterministic", decimal_format="number").encode

FilterScalar = str | Decimal | bool


class Filter(msgspec.Struct, frozen=True, gc=False):
    """One condition on one property. `value` is null for `exists` and `not_exists`, a tuple for `in` and `not_in`.

    The number 1 and true make two filters, though Python calls them equal: answers are kept by their question.
    """

    property: str
    operator: Operator
    value: FilterScalar | tuple[FilterScalar, ...] | None = None

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and self._told_apart() == other._told_apart()

    @override
    def __hash__(self) -> int:
        return hash(self._told_apart())

    def _told_apart(self) -> tuple[object, ...]:
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        return (self.property, self.operator, self.value, *(type(each) for each in values))


class MetricDefinition(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The part of a metric that decides numbers. Two metrics of equal definition always have equal quantities.

    An event's value is its property, or what `expression` computes from its properties. `granularity` is the unit of a
    gauge's level-times-time, and the length of the stretches of a rate; with `proration` a gauge's level counts as the
    greatest within each such unit. With `window` every window of that length is a quantity of its own. `denominator` is
    what a ratio divides by. `sql` is a custom metric's query; it has no event name.
    """

    event_name: str
    aggregation: Aggregation
    property_name: str | None = None
    filters: tuple[Filter, ...] = ()
    group_by: tuple[str, ...] = ()
    type: MetricType = MetricType.COUNTER
    expression: str | None = None
    percentile: Decimal | None = None
    level_form: LevelForm = LevelForm.TOTAL
    granularity: Granularity | None = None
    proration: Granularity | None = None
    window: Granularity | None = None
    denominator: "MetricDefinition | None" = None
    sql: str | None = None

    def problems(self) -> tuple[FieldProblem, ...]:
        """Return everything that is wrong with the definition."""
        found = Problems()
        if self.type is MetricType.CUSTOM:
            _custom_problems(self, found)
            return found.found
        _named("event_name", identifier_problem(self.event_name), found)
        _aggregation_problems(self, found)
        _value_problems(self, found)
        _time_problems(self, found)
        _denominator_problems(self, found)
        if self.sql is not None:
            found.add("custom_sql", "not_for_type", "Only a custom metric has custom_sql.")
        if len(self.filters) > FILTERS_MAX:
            found.add("filters", "too_many", f"A metric has at most {FILTERS_MAX} filters.")
        if len(self.group_by) > GROUP_BY_MAX:
            found.add("group_by", "too_many", f"A metric groups by at most {GROUP_BY_MAX} properties.")
        if len(set(self.group_by)) < len(self.group_by):
            found.add("group_by", "duplicate", "A property can be grouped by only once.")
        for index, name in enumerate(self.group_by):
            _named(f"group_by[{index}]", name_problem(name), found)
        for index, condition in enumerate(self.filters):
            _filter_problems(condition, f"filters[{index}].", found)
        return found.found

    @property
    def is_time_weighted(self) -> bool:
        """Tell whether a gauge's quantity is its level times how long it lasted.

        So it is for `sum`, and for `max` with a proration finer than the granularity: then the greatest level of each
        such unit counts for the unit alone, and not for the whole period.
        """
        if self.type is not MetricType.GAUGE:
            return False
        is_refined = self.proration is not None and self.proration is not self.granularity
        return self.aggregation is Aggregation.SUM or (self.aggregation is Aggregation.MAX and is_refined)

    @property
    def depends_on_cycle(self) -> bool:
        """Tell whether the billing cycle around the period takes part in the answer."""
        units = {self.granularity, self.proration}
        is_stepped = self.is_time_weighted and not units.isdisjoint(_OF_THE_CYCLE)
        return is_stepped or (self.denominator is not None and self.denominator.depends_on_cycle)


_AGGREGATIONS: Final = {
    MetricType.COUNTER: frozenset(Aggregation),
    MetricType.GAUGE: frozenset({Aggregation.SUM, Aggregation.MAX, Aggregation.LATEST}),
    MetricType.RATE: frozenset(Aggregation) - {Aggregation.LATEST, Aggregation.PERCENTILE},
    MetricType.RATIO: frozenset(Aggregation),
}
_STRETCHES: Final = (Granularity.SECOND, Granularity.MINUTE, Granularity.HOUR, Granularity.DAY, Granularity.WEEK)
_WINDOWS: Final = (Granularity.HOUR, Granularity.DAY, Granularity.WEEK, Granularity.MONTH)
_FROM_FINE_TO_COARSE: Final = tuple(Granularity)
_OF_THE_CYCLE: Final = frozenset(
    {Granularity.WEEK, Granularity.MONTH, Granularity.QUARTER, Granularity.YEAR, Granularity.TOTAL}
)


def _named(field: str, problem: str | None, found: Problems) -> None:
    if problem is not None:
        found.add(field, "invalid", f"{field.rpartition('.')[2]} {problem}.")


def _custom_problems(metric: MetricDefinition, found: Problems) -> None:
    if not metric.sql or not metric.sql.strip():
        found.add("custom_sql", "required", "A custom metric needs custom_sql.")
    elif len(metric.sql) > SQL_LENGTH_MAX:
        found.add("custom_sql", "too_long", f"custom_sql has at most {SQL_LENGTH_MAX} characters.")
    has = {
        "event_name": metric.event_name != "",
        "property_name": metric.property_name is not None,
        "expression": metric.expression is not None,
        "percentile": metric.percentile is not None,
        "event_type": metric.level_form is not LevelForm.TOTAL,
        "granularity": metric.granularity is not None,
        "proration": metric.proration is not None,
        "window": metric.window is not None,
        "denominator": metric.denominator is not None,
        "group_by": metric.group_by != (),
        "filters": metric.filters != (),
    }
    for field, is_given in has.items():
        if is_given:
            found.add(field, "not_for_type", f"A custom metric is its query alone; it has no {field}.")


def _aggregation_problems(metric: MetricDefinition, found: Problems) -> None:
    known = _AGGREGATIONS[metric.type]
    if metric.aggregation not in known:
        names = ", ".join(each for each in Aggregation if each in known)
        found.add("aggregation_type", "invalid_choice", f"A {metric.type} has one of the aggregations {names}.")
    if metric.aggregation is not Aggregation.PERCENTILE:
        if metric.percentile is not None:
            found.add("percentile", "not_for_type", "Only the aggregation percentile has a percentile.")
    elif metric.percentile is None:
        found.add("percentile", "required", "The aggregation percentile needs a percentile.")
    elif not in_range(metric.percentile) or not ZERO < metric.percentile <= 100:
        found.add("percentile", "out_of_range", "A percentile is above 0 and at most 100.")


def _value_problems(metric: MetricDefinition, found: Problems) -> None:
    if metric.property_name is not None:
        _named("property_name", name_problem(metric.property_name), found)
    if metric.aggregation is Aggregation.COUNT:
        if metric.expression is not None:
            found.add("expression", "not_for_type", "count counts events; it takes no value from them.")
    elif metric.expression is None:
        if metric.property_name is None:
            detail = f"The aggregation {metric.aggregation} needs a property_name or an expression."
            found.add("property_name", "required", detail)
    elif metric.property_name is not None:
        found.add("expression", "exactly_one", "A value is a property_name or an expression, not both.")
    else:
        try:
            compiled(metric.expression)
        except ExpressionProblem as problem:
            found.add("expression", "invalid", str(problem))


def _time_problems(metric: MetricDefinition, found: Problems) -> None:
    if metric.type is MetricType.GAUGE:
        _level_problems(metric, found)
    else:
        if metric.level_form is not LevelForm.TOTAL:
            found.add("event_type", "not_for_type", "Only a gauge has the event_type delta.")
        if metric.proration is not None:
            found.add("proration", "not_for_type", "Only a gauge has a proration.")
        if metric.type is MetricType.RATE:
            if metric.granularity not in _STRETCHES:
                code = "required" if metric.granularity is None else "invalid_choice"
                found.add("granularity", code, f"A rate needs a granularity, one of {', '.join(_STRETCHES)}.")
        elif metric.granularity is not None:
            found.add("granularity", "not_for_type", f"A {metric.type} has no granularity.")
    if metric.window is None:
        return
    if metric.type not in {MetricType.COUNTER, MetricType.GAUGE}:
        found.add("window", "not_for_type", f"A {metric.type} has no window.")
    elif metric.window not in _WINDOWS:
        found.add("window", "invalid_choice", f"A window is one of {', '.join(_WINDOWS)}.")


def _level_problems(metric: MetricDefinition, found: Problems) -> None:
    """Check the units of a gauge. The greatest and the latest level are the same in every granularity."""
    if metric.proration is not None and metric.aggregation is Aggregation.LATEST:
        found.add("proration", "not_for_type", "The latest level has no proration.")
    elif metric.granularity is None:
        if metric.aggregation is Aggregation.SUM or metric.proration is not None:
            found.add("granularity", "required", "A level times how long it lasted needs the granularity of that time.")
    elif metric.proration is not None:
        coarseness = _FROM_FINE_TO_COARSE.index
        if coarseness(metric.proration) > coarseness(metric.granularity):
            found.add("proration", "invalid_choice", "A proration must not be coarser than the granularity.")


def _denominator_problems(metric: MetricDefinition, found: Problems) -> None:
    below = metric.denominator
    if metric.type is not MetricType.RATIO:
        if below is not None:
            found.add("denominator", "not_for_type", "Only a ratio has a denominator.")
        return
    if below is None:
        found.add("denominator", "required", "A ratio needs a denominator.")
        return
    if below.type in {MetricType.RATIO, MetricType.CUSTOM}:
        found.add("denominator.metric_type", "invalid_choice", "A denominator is a counter, a gauge or a rate.")
        return
    if below.window is not None:
        found.add("denominator.window", "not_for_type", "A denominator has no window.")
    if below.group_by != metric.group_by:
        found.add("denominator.group_by", "invalid", "Both parts of a ratio are grouped by the same properties.")
    found.extend(below.problems(), "denominator.")


def _filter_problems(condition: Filter, path: str, found: Problems) -> None:
    value, operator = condition.value, condition.operator
    if not condition.property:
        found.add(f"{path}property", "required", "A filter names the property it looks at.")
    else:
        _named(f"{path}property", name_problem(condition.property), found)
    if operator in {Operator.EXISTS, Operator.NOT_EXISTS}:
        return
    if operator in {Operator.IN, Operator.NOT_IN}:
        if not isinstance(value, tuple) or not value:
            found.add(f"{path}value", "invalid", f"The operator {operator} takes a list with at least one value.")
        elif len(value) > FILTER_VALUES_MAX:
            found.add(f"{path}value", "too_many", f"A filter lists at most {FILTER_VALUES_MAX} values.")
    elif value is None or isinstance(value, tuple):
        found.add(f"{path}value", "invalid", f"The operator {operator} takes a single value.")
    elif operator not in {Operator.EQ, Operator.NE} and not isinstance(value, Decimal):
        found.add(f"{path}value", "invalid", f"The operator {operator} compares with a number.")


class Metric(msgspec.Struct, frozen=True):
    """A named metric of an organization.

    What was sold keeps its numbers, so a plan's metric is never defined anew: a further `version` is a metric with an
    id of its own that `replaces` the one before, which is then archived and knows it as `replaced_by`.
    """

    organization_id: str
    metric_id: str
    metric_name: str
    definition: MetricDefinition
    is_cost_metric: bool = False
    archived: bool = False
    version: int = 1
    replaces: str | None = None
    replaced_by: str | None = None


class PropertyMatch(msgspec.Struct, frozen=True, gc=False):
    """A subscription's own condition: only events whose property has exactly this text count for it."""

    property_name: str
    value: str


class Selection(msgspec.Struct, frozen=True, gc=False):
    """One question to the event store: a metric of one customer over one half-open period.

    `cycle` is the whole billing cycle of which the period is a part (null: the period itself). Only what is measured in
    time depends on it: a gauge's units of a week and longer begin at its start, and `total` is its length.
    Events of the stretches `without` do not count; the level of a gauge is made by all events, whatever it says.
    """

    definition: MetricDefinition
    customer_id: str
    period: Period
    matches: tuple[PropertyMatch, ...] = ()
    cycle: Period | None = None
    without: tuple[Period, ...] = ()

    def leaves_out(self, happened_us: int) -> bool:
        """Tell whether an event of an instant, in microseconds since 1970, lies in a stretch that is left out."""
        return any(to_microseconds(each.start) <= happened_us < to_microseconds(each.end) for each in self.without)

    def fingerprint(self, organization_id: str) -> str:
        """Return 32 hex digits that are equal for equal questions of one organization and differ for any other.

        Incremental aggregates are stored under it, so a changed definition can never read an aggregate of the old one.
        The cycle takes part only where the answer depends on it, and an equal number is one number however it is
        written.
        """
        return Fingerprints(organization_id).of(self)


class _Fingerprinted(msgspec.Struct, frozen=True, gc=False):
    """A selection as it is encoded for its fingerprint: what every selection says, the definition encoded already."""

    definition: msgspec.Raw
    customer_id: str
    period: Period
    matches: tuple[PropertyMatch, ...]
    cycle: Period | None


class Fingerprints:
    """The fingerprints of many selections of an organization: a definition that several share is encoded once.

    That takes 2 us for each, and 7 us with its definition.
    """

    def __init__(self, organization_id: str) -> None:
        """Know no definition yet."""
        self._organization_id = organization_id
        # By identity, which costs less than comparing; what is kept here has its identity to itself.
        self._known: dict[int, tuple[MetricDefinition, bool, msgspec.Raw]] = {}

    def of(self, selection: Selection) -> str:
        """Return the fingerprint of a selection, as `Selection.fingerprint` describes it."""
        known = self._known.get(id(selection.definition))
        if known is None:
            definition = selection.definition
            encoded = msgspec.Raw(_fingerprinted(_canonical(definition)))
            known = self._known[id(definition)] = definition, definition.depends_on_cycle, encoded
        _, depends_on_cycle, encoded = known
        period = selection.period
        cycle = (selection.cycle or period) if depends_on_cycle else None
        question = _Fingerprinted(encoded, selection.customer_id, period, selection.matches, cycle)
        rest = (selection.without,) if selection.without else ()
        return hashlib.blake2b(_fingerprinted((self._organization_id, question, *rest)), digest_size=16).hexdigest()


def _canonical(definition: MetricDefinition) -> MetricDefinition:
    """Return a definition in which equal numbers have one form."""
    denominator = definition.denominator
    return msgspec.structs.replace(
        definition,
        filters=tuple(
            msgspec.structs.replace(condition, value=_canonical_value(condition.value))
            for condition in definition.filters
        ),
        percentile=None if definition.percentile is None else Decimal(plain(definition.percentile)),
        denominator=None if denominator is None else _canonical(denominator),
    )


def _canonical_value(
    value: FilterScalar | tuple[FilterScalar, ...] | None,
) -> FilterScalar | tuple[FilterScalar, ...] | None:
    if isinstance(value, tuple):
        return tuple(Decimal(plain(each)) if isinstance(each, Decimal) else each for each in value)
    return Decimal(plain(value)) if isinstance(value, Decimal) else value
