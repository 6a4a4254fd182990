"""Metric definitions, and the questions that are asked with them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

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
from lotus_server.domain.metering.definition import FILTER_VALUES_MAX, FILTERS_MAX, GROUP_BY_MAX, SQL_LENGTH_MAX
from lotus_server.domain.metering.expressions import EXPRESSION_LENGTH_MAX
from lotus_server.kernel.period import Period

MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
COUNT = MetricDefinition("call", Aggregation.COUNT)


@pytest.mark.parametrize("aggregation", [each for each in Aggregation if each is not Aggregation.COUNT])
def test_only_a_count_needs_no_property(aggregation: Aggregation) -> None:
    assert () == COUNT.problems()

    percentile = Decimal(50) if aggregation is Aggregation.PERCENTILE else None
    without = MetricDefinition("call", aggregation, percentile=percentile)

    assert ["property_name"] == [problem.field for problem in without.problems()]


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        (Filter("", Operator.EXISTS), "filters[0].property"),
        (Filter("p", Operator.EQ), "filters[0].value"),
        (Filter("p", Operator.EQ, ("a",)), "filters[0].value"),
        (Filter("p", Operator.IN, "a"), "filters[0].value"),
        (Filter("p", Operator.IN, ()), "filters[0].value"),
        (Filter("p", Operator.IN, tuple("a" * (FILTER_VALUES_MAX + 1))), "filters[0].value"),
        (Filter("p", Operator.GT, "many"), "filters[0].value"),
        (Filter("p", Operator.GT, True), "filters[0].value"),
    ],
)
def test_a_filter_that_cannot_work_is_named(condition: Filter, field: str) -> None:
    definition = MetricDefinition("call", Aggregation.COUNT, filters=(condition,))

    assert [field] == [problem.field for problem in definition.problems()]


def test_limits_are_kept() -> None:
    definition = MetricDefinition(
        "call",
        Aggregation.COUNT,
        filters=(Filter("p", Operator.EXISTS),) * (FILTERS_MAX + 1),
        group_by=tuple(f"g{number}" for number in range(GROUP_BY_MAX + 1)),
    )

    assert ["filters", "group_by"] == [problem.field for problem in definition.problems()]


def test_a_property_is_grouped_by_once() -> None:
    definition = MetricDefinition("call", Aggregation.COUNT, group_by=("g", "g"))

    assert ["duplicate"] == [problem.code for problem in definition.problems()]


def test_equal_questions_have_one_fingerprint() -> None:
    one = Selection(MetricDefinition("call", Aggregation.COUNT), "c", MARCH)

    assert Selection(COUNT, "c", MARCH).fingerprint("org") == one.fingerprint("org")


def test_different_questions_have_different_fingerprints() -> None:
    questions = [
        Selection(COUNT, "c", MARCH),
        Selection(COUNT, "d", MARCH),
        Selection(COUNT, "c", Period(MARCH.start, MARCH.start)),
        Selection(COUNT, "c", MARCH, (PropertyMatch("p", "x"),)),
        Selection(MetricDefinition("visit", Aggregation.COUNT), "c", MARCH),
        Selection(MetricDefinition("call", Aggregation.SUM, "p"), "c", MARCH),
        Selection(MetricDefinition("call", Aggregation.COUNT, filters=(Filter("p", Operator.EQ, "1"),)), "c", MARCH),
        Selection(
            MetricDefinition("call", Aggregation.COUNT, filters=(Filter("p", Operator.EQ, Decimal(1)),)), "c", MARCH
        ),
        Selection(MetricDefinition("call", Aggregation.COUNT, group_by=("g",)), "c", MARCH),
    ]
    prints = {question.fingerprint("org") for question in questions} | {questions[0].fingerprint("another")}

    assert len(questions) + 1 == len(prints)


GAUGE = MetricDefinition("seat", Aggregation.SUM, "n", type=MetricType.GAUGE, granularity=Granularity.MONTH)
RATE = MetricDefinition("call", Aggregation.COUNT, type=MetricType.RATE, granularity=Granularity.MINUTE)
RATIO = MetricDefinition("failure", Aggregation.COUNT, type=MetricType.RATIO, denominator=COUNT)
CUSTOM = MetricDefinition("", Aggregation.COUNT, type=MetricType.CUSTOM, sql="SELECT 1")
SUM = MetricDefinition("call", Aggregation.SUM, "n")


@pytest.mark.parametrize("definition", [COUNT, SUM, GAUGE, RATE, RATIO, CUSTOM])
def test_each_type_of_metric_can_be_valid(definition: MetricDefinition) -> None:
    assert () == definition.problems()


@pytest.mark.parametrize(
    ("definition", "changes", "expected"),
    [
        (COUNT, {"event_name": ""}, "event_name invalid"),
        (COUNT, {"expression": "1"}, "expression not_for_type"),
        (COUNT, {"percentile": Decimal(1)}, "percentile not_for_type"),
        (COUNT, {"level_form": LevelForm.DELTA}, "event_type not_for_type"),
        (COUNT, {"granularity": Granularity.DAY}, "granularity not_for_type"),
        (COUNT, {"proration": Granularity.DAY}, "proration not_for_type"),
        (COUNT, {"window": Granularity.MINUTE}, "window invalid_choice"),
        (COUNT, {"denominator": COUNT}, "denominator not_for_type"),
        (COUNT, {"sql": "SELECT 1"}, "custom_sql not_for_type"),
        (COUNT, {"group_by": ("",)}, "group_by[0] invalid"),
        (SUM, {"expression": "n"}, "expression exactly_one"),
        (SUM, {"property_name": None, "expression": "n +"}, "expression invalid"),
        (SUM, {"property_name": None, "expression": "n" * (EXPRESSION_LENGTH_MAX + 1)}, "expression invalid"),
        (SUM, {"aggregation": Aggregation.PERCENTILE}, "percentile required"),
        (SUM, {"aggregation": Aggregation.PERCENTILE, "percentile": Decimal(0)}, "percentile out_of_range"),
        (SUM, {"aggregation": Aggregation.PERCENTILE, "percentile": Decimal("100.1")}, "percentile out_of_range"),
        (SUM, {"aggregation": Aggregation.PERCENTILE, "percentile": Decimal("NaN")}, "percentile out_of_range"),
        (GAUGE, {"aggregation": Aggregation.AVERAGE}, "aggregation_type invalid_choice"),
        (GAUGE, {"granularity": None}, "granularity required"),
        (GAUGE, {"proration": Granularity.YEAR}, "proration invalid_choice"),
        (GAUGE, {"aggregation": Aggregation.LATEST, "proration": Granularity.DAY}, "proration not_for_type"),
        (RATE, {"granularity": None}, "granularity required"),
        (RATE, {"granularity": Granularity.MONTH}, "granularity invalid_choice"),
        (RATE, {"aggregation": Aggregation.LATEST, "property_name": "n"}, "aggregation_type invalid_choice"),
        (RATE, {"window": Granularity.DAY}, "window not_for_type"),
        (RATIO, {"denominator": None}, "denominator required"),
        (RATIO, {"denominator": RATIO}, "denominator.metric_type invalid_choice"),
        (RATIO, {"denominator": CUSTOM}, "denominator.metric_type invalid_choice"),
        (RATIO, {"group_by": ("g",)}, "denominator.group_by invalid"),
        (RATIO, {"window": Granularity.DAY}, "window not_for_type"),
        (CUSTOM, {"sql": " "}, "custom_sql required"),
        (CUSTOM, {"sql": "S" * (SQL_LENGTH_MAX + 1)}, "custom_sql too_long"),
        (CUSTOM, {"event_name": "call"}, "event_name not_for_type"),
        (CUSTOM, {"group_by": ("g",)}, "group_by not_for_type"),
    ],
)
def test_what_does_not_fit_the_type_is_named(
    definition: MetricDefinition, changes: dict[str, Any], expected: str
) -> None:
    problems = msgspec.structs.replace(definition, **changes).problems()

    assert [expected] == [f"{problem.field} {problem.code}" for problem in problems]


def test_a_proration_may_equal_the_granularity() -> None:
    assert () == msgspec.structs.replace(GAUGE, proration=GAUGE.granularity).problems()


def test_the_problems_of_a_denominator_are_found_below_it() -> None:
    below = MetricDefinition("", Aggregation.SUM, window=Granularity.DAY, sql="x")
    problems = msgspec.structs.replace(RATIO, denominator=below).problems()

    assert [
        "denominator.window",
        "denominator.event_name",
        "denominator.property_name",
        "denominator.custom_sql",
    ] == [problem.field for problem in problems]


def test_an_expressions_problem_says_where_it_is() -> None:
    (problem,) = MetricDefinition("call", Aggregation.SUM, expression="n + * 2").problems()

    assert "Character 5: A value is expected here, not '*'." == problem.detail


def test_equal_numbers_make_equal_questions() -> None:
    def question(bound: str) -> Selection:
        filters = (Filter("p", Operator.GT, Decimal(bound)), Filter("p", Operator.IN, (Decimal(bound), "a")))
        return Selection(msgspec.structs.replace(COUNT, filters=filters), "c", MARCH)

    assert 1 == len({question(bound).fingerprint("org") for bound in ("100", "100.0", "1E+2")})


def test_the_cycle_is_part_of_a_question_where_it_matters() -> None:
    first_week = Period(MARCH.start, datetime(2026, 3, 8, tzinfo=UTC))

    for definition, matters in (
        (COUNT, False),
        (GAUGE, True),
        (msgspec.structs.replace(RATIO, denominator=GAUGE), True),
    ):
        prints = {Selection(definition, "c", first_week, cycle=cycle).fingerprint("o") for cycle in (None, MARCH)}
        assert matters == (len(prints) == 2)


def test_the_period_itself_is_the_cycle_when_none_is_given() -> None:
    assert Selection(GAUGE, "c", MARCH).fingerprint("o") == Selection(GAUGE, "c", MARCH, cycle=MARCH).fingerprint("o")
