"""What a metric is: which events it looks at, what it takes from them, and how it puts that together."""

import hashlib
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.period import Period

FILTERS_MAX: Final = 50
GROUP_BY_MAX: Final = 5
FILTER_VALUES_MAX: Final = 1_000


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

    `total` is the whole billing cycle.
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


class Filter(msgspec.Struct, frozen=True):
    """One condition on one property. `value` is null for `exists` and `not_exists`, a tuple for `in` and `not_in`."""

    property: str
    operator: Operator
    value: FilterScalar | tuple[FilterScalar, ...] | None = None


class MetricDefinition(msgspec.Struct, frozen=True, omit_defaults=True):
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
        if self.aggregation is not Aggregation.COUNT and not self.property_name:
            found.add("property_name", "required", f"The aggregation {self.aggregation} needs a property_name.")
        if len(self.filters) > FILTERS_MAX:
            found.add("filters", "too_many", f"A metric has at most {FILTERS_MAX} filters.")
        if len(self.group_by) > GROUP_BY_MAX:
            found.add("group_by", "too_many", f"A metric groups by at most {GROUP_BY_MAX} properties.")
        if len(set(self.group_by)) < len(self.group_by):
            found.add("group_by", "duplicate", "A property can be grouped by only once.")
        for index, condition in enumerate(self.filters):
            _filter_problems(condition, f"filters[{index}].", found)
        return found.found


def _filter_problems(condition: Filter, path: str, found: Problems) -> None:
    value, operator = condition.value, condition.operator
    if not condition.property:
        found.add(f"{path}property", "required", "A filter names the property it looks at.")
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
    """A named metric of an organization."""

    organization_id: str
    metric_id: str
    metric_name: str
    definition: MetricDefinition
    is_cost_metric: bool = False
    archived: bool = False


class PropertyMatch(msgspec.Struct, frozen=True):
    """A subscription's own condition: only events whose property has exactly this text count for it."""

    property_name: str
    value: str


class Selection(msgspec.Struct, frozen=True):
    """One question to the event store: a metric of one customer over one half-open period.

    `cycle` is the whole billing cycle of which the period is a part (null: the period itself). Only what is measured in
    time depends on it: the units of a gauge begin at its start, and `total` is its length.
    """

    definition: MetricDefinition
    customer_id: str
    period: Period
    matches: tuple[PropertyMatch, ...] = ()
    cycle: Period | None = None

    def fingerprint(self, organization_id: str) -> str:
        """Return 32 hex digits that are equal exactly for equal questions of one organization.

        Incremental aggregates are stored under it, so a changed definition can never read an aggregate of the old one.
        """
        text = _fingerprinted((organization_id, msgspec.structs.replace(self, cycle=None)))
        return hashlib.blake2b(text, digest_size=16).hexdigest()
