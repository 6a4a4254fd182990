"""Events and questions that hypothesis chooses from: few of each kind, so that they meet often."""

from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from lotus_server.domain.metering import (
    Aggregation,
    Filter,
    Granularity,
    LevelForm,
    MetricDefinition,
    MetricType,
    Operator,
    PropertyMatch,
    Selection,
)
from lotus_server.kernel.period import Period
from tests.contracts.metering_model import Sent, days

MAY = Period(days(0), days(31))
JUNE = Period(days(31), days(61))
SPAN = Period(days(10), days(40))


def many() -> settings:
    """How tests with these examples run. A function, because the profile is chosen after the first import."""
    return settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


SERIES = (
    MetricDefinition("call", Aggregation.PERCENTILE, "n", percentile=Decimal(90)),
    MetricDefinition("call", Aggregation.PERCENTILE, "n", percentile=Decimal(50), window=Granularity.WEEK),
    MetricDefinition("call", Aggregation.MAX, "n", type=MetricType.GAUGE, level_form=LevelForm.DELTA),
    MetricDefinition("call", Aggregation.SUM, "n", type=MetricType.GAUGE, granularity=Granularity.DAY, group_by=("g",)),
    MetricDefinition("call", Aggregation.LATEST, "n", type=MetricType.GAUGE),
    MetricDefinition("call", Aggregation.COUNT, type=MetricType.RATE, granularity=Granularity.DAY),
    MetricDefinition(
        "call",
        Aggregation.UNIQUE,
        "n",
        (Filter("g", Operator.EXISTS),),
        ("g",),
        type=MetricType.RATE,
        granularity=Granularity.WEEK,
    ),
)
DEFINITIONS = st.sampled_from(
    [
        MetricDefinition("call", Aggregation.COUNT),
        MetricDefinition("call", Aggregation.SUM, "n"),
        MetricDefinition("call", Aggregation.SUM, "a.b", group_by=("g",)),
        MetricDefinition("call", Aggregation.MAX, "n"),
        MetricDefinition("call", Aggregation.LATEST, "n", group_by=("g", "n")),
        MetricDefinition("call", Aggregation.LATEST, "n"),
        MetricDefinition("call", Aggregation.UNIQUE, "n"),
        MetricDefinition("call", Aggregation.UNIQUE, "n", group_by=("g",)),
        MetricDefinition("call", Aggregation.COUNT, filters=(Filter("n", Operator.GT, Decimal("0.5")),)),
        MetricDefinition("call", Aggregation.SUM, "n", filters=(Filter("g", Operator.IN, ("a", Decimal(1), True)),)),
        MetricDefinition("call", Aggregation.COUNT, filters=(Filter("g", Operator.EQ, Decimal(1)),)),
        MetricDefinition("call", Aggregation.COUNT, filters=(Filter("g", Operator.EQ, True),)),
        MetricDefinition("other", Aggregation.COUNT, group_by=("g",)),
        MetricDefinition("call", Aggregation.AVERAGE, "n", group_by=("g",)),
        MetricDefinition("call", Aggregation.MIN, expression="properties.n * 2"),
        MetricDefinition("call", Aggregation.UNIQUE, "n", window=Granularity.DAY, group_by=("g",)),
        *SERIES,
        MetricDefinition(
            "call",
            Aggregation.SUM,
            "n",
            group_by=("g",),
            type=MetricType.RATIO,
            denominator=MetricDefinition("other", Aggregation.COUNT, group_by=("g",)),
        ),
    ]
)
SELECTIONS = st.builds(
    Selection,
    definition=DEFINITIONS,
    customer_id=st.sampled_from(["acme", "beta"]),
    period=st.sampled_from([MAY, JUNE, SPAN]),
    matches=st.sampled_from([(), (), (PropertyMatch("g", "a"),)]),
    without=st.sampled_from(
        [(), (), (Period(days(3), days(20)),), (Period(days(5), days(6)), Period(days(6), days(35)))]
    ),
)
NUMBERS = ["1", "1.0", "2", "-0.25", "1e2", '"3.5"', '"x"', "true", "null", "[1]", "99999999999999999999.5"]
PROPERTIES = st.one_of(
    st.sampled_from(["{}", "null", '{"a":{"b":0.1}}', '{"a.b":7,"g":"a"}', '{"a":{"b":"2"},"g":1}']),
    st.builds('{{"n":{}}}'.format, st.sampled_from(NUMBERS)),
    st.builds('{{"g":{},"n":{}}}'.format, st.sampled_from(['"a"', '"b"', "1", "true"]), st.sampled_from(NUMBERS)),
)
SENT = st.builds(
    Sent,
    id=st.integers(0, 30).map(str),
    customer=st.sampled_from(["acme", "acme", "beta"]),
    name=st.sampled_from(["call", "call", "other"]),
    at=st.sampled_from([None, None, days(0), days(5), days(11), days(14.5), days(15.5), days(-3)]),
    properties=PROPERTIES,
)
