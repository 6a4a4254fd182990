"""Prices by group, and prices that are in the events, one fact each."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import Dynamic, Matrix, MatrixCell, Percentage, PerUnit, Price
from lotus_server.domain.rating import RatedUsage, Step, rate, rate_on_top

D = Decimal
SMALL = MatrixCell(("small",), PerUnit(D(2), free_units=D(1)))
LARGE = MatrixCell(("large",), PerUnit(D(3), minimum_spend=D(50)))
MATRIX = Matrix(("model",), (SMALL, LARGE))


def _groups(**quantities: int) -> RatedUsage:
    return RatedUsage.of_groups({(name,): RatedUsage(D(quantity)) for name, quantity in quantities.items()})


def test_each_group_is_priced_at_its_cell() -> None:
    rated = rate(MATRIX, _groups(large=20, small=5))

    assert D(68) == rated.amount
    assert ["model small: 1 unit free", "model small: the other 4 units x 2", "model large: 20 units x 3"] == [
        step.text for step in rated.steps
    ]


def test_a_cell_that_nobody_used_costs_nothing() -> None:
    assert D(0) == rate(MATRIX, _groups(small=1)).amount
    assert (Step("no usage", D(0), None, D(0)),) == rate(MATRIX, _groups()).steps


def test_the_spend_limits_of_a_cell_are_its_own() -> None:
    assert D(50) == rate(MATRIX, _groups(large=1)).amount


def test_a_group_without_a_cell_is_not_charged_and_says_so() -> None:
    rated = rate(MATRIX, _groups(other=5))

    assert (Step("model other: no price, 5 not charged", D(5), D(0), D(0)),) == rated.steps


def test_a_group_without_a_cell_has_the_default_price_each_on_its_own() -> None:
    matrix = Matrix(("model",), (), PerUnit(D(1), free_units=D(10)))

    assert D(5) == rate(matrix, _groups(one=15, other=5)).amount


def test_a_group_without_the_property_can_have_a_cell() -> None:
    matrix = Matrix(("model", "region"), (MatrixCell(("small", None), PerUnit(D(1))),))
    rated = rate(matrix, RatedUsage.of_groups({("small", None): RatedUsage(D(3)), ("small", "eu"): RatedUsage(D(9))}))

    assert ["model small, without region: 3 units x 1", "model small, region eu: no price, 9 not charged"] == [
        step.text for step in rated.steps
    ]


def test_the_spend_limits_of_a_matrix_are_for_all_of_its_groups() -> None:
    matrix = Matrix(("model",), (SMALL,), None, D(5), D(8))

    assert [D(5), D(8)] == [rate(matrix, _groups(small=count)).amount for count in (2, 100)]


def test_a_cell_that_needs_events_takes_those_of_its_group() -> None:
    matrix = Matrix(("method",), (MatrixCell(("card",), Percentage(D(1), free_events=1)),))
    usage = RatedUsage.of_groups({("card",): RatedUsage.of_events([D(50), D(100)])})

    assert D(1) == rate(matrix, usage).amount


def test_what_was_rated_before_lies_below_its_own_group() -> None:
    assert D(10) == rate_on_top(MATRIX, _groups(small=5), _groups(small=1, large=1)).amount


def test_the_events_say_what_they_cost() -> None:
    rated = rate(Dynamic("cost", D("1.2")), D("10.5"))

    assert (Step("cost of the events: 10.5 x 1.2", D("10.5"), D("1.2"), D("12.60")),) == rated.steps
    assert "cost of the events: 10.5" == rate(Dynamic("cost"), D("10.5")).steps[0].text


def test_events_that_name_no_amount_are_reported() -> None:
    usage = RatedUsage(D(2), 3, skipped=1).and_then(RatedUsage(D(0), 0, skipped=1))

    rated = rate(Dynamic("cost"), usage)

    assert ["cost of the events: 2", "2 events have no number in cost and cost nothing"] == [
        step.text for step in rated.steps
    ]
    assert D(2) == rated.amount


def test_events_that_give_back_more_than_they_cost_are_charged_as_zero() -> None:
    assert D(0) == rate(Dynamic("cost"), D(-5)).amount


@pytest.mark.parametrize("usage", [D(5), RatedUsage(D(5), 1, (D(5),))])
def test_a_matrix_without_groups_is_never_guessed(usage: RatedUsage | Decimal) -> None:
    price: Price = MATRIX

    with pytest.raises(AssertionError):
        rate(price, usage)
