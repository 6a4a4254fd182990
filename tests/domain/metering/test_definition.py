"""Metric definitions, and the questions that are asked with them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from lotus_server.domain.metering import (
    Aggregation,
    Filter,
    MetricDefinition,
    Operator,
    PropertyMatch,
    Selection,
)
from lotus_server.domain.metering.definition import FILTER_VALUES_MAX, FILTERS_MAX, GROUP_BY_MAX
from lotus_server.kernel.period import Period

MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
COUNT = MetricDefinition("call", Aggregation.COUNT)


@pytest.mark.parametrize("aggregation", [each for each in Aggregation if each is not Aggregation.COUNT])
def test_only_a_count_needs_no_property(aggregation: Aggregation) -> None:
    assert () == COUNT.problems()
    assert ["property_name"] == [problem.field for problem in MetricDefinition("call", aggregation).problems()]


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
