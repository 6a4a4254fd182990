"""Prices per unit and per package, one fact each."""

from decimal import Decimal

import pytest

from lotus_server.domain.catalog import Package, PerUnit, Rounding
from lotus_server.domain.rating import Step, rate, rate_on_top

D = Decimal


def test_units_cost_their_number_times_the_price() -> None:
    rated = rate(PerUnit(D("0.001")), D(100))

    assert D("0.1") == rated.amount
    assert (Step("100 units x 0.001", D(100), D("0.001"), D("0.100")),) == rated.steps


def test_one_unit_is_not_called_units() -> None:
    assert "1 unit x 5" == rate(PerUnit(D(5)), D("1.0")).steps[0].text


def test_free_units_are_a_step_of_their_own() -> None:
    rated = rate(PerUnit(D("0.01"), free_units=D(50)), D(120))

    assert ["50 units free", "the other 70 units x 0.01"] == [step.text for step in rated.steps]
    assert [D(0), D("0.70")] == [step.amount for step in rated.steps]


def test_usage_up_to_the_free_units_costs_nothing() -> None:
    rated = rate(PerUnit(D("0.01"), free_units=D(50)), D(50))

    assert D(0) == rated.amount
    assert ["50 units free"] == [step.text for step in rated.steps]


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [(Rounding.UP, "50"), (Rounding.DOWN, "45"), (Rounding.NEAREST, "50"), (Rounding.NONE, "48.40")],
)
def test_a_part_of_a_batch_is_charged_as_the_price_says(rounding: Rounding, expected: str) -> None:
    price = PerUnit(D(5), free_units=D(50), batch_size=D(100), rounding=rounding)

    assert D(expected) == rate(price, D(1018)).amount


def test_half_a_batch_rounds_up_to_the_nearest() -> None:
    price = PerUnit(D(1), batch_size=D(100), rounding=Rounding.NEAREST)

    assert [D(0), D(1), D(2), D(3)] == [rate(price, D(units)).amount for units in (49, 50, 150, 250)]


def test_a_batch_step_says_how_the_batches_came_about() -> None:
    price = PerUnit(D(5), batch_size=D(100), rounding=Rounding.UP)

    assert "968 units in batches of 100, rounded up: 10 x 5" == rate(price, D(968)).steps[0].text


def test_a_third_of_a_batch_costs_a_third() -> None:
    price = PerUnit(D(1), batch_size=D(3))

    assert D(1) == rate(price, D(3)).amount
    assert "0.3333" == str(rate(price, D(1)).amount)[:6]
    assert D(5) == rate(price, D(15)).amount


def test_a_package_begun_is_a_package_sold() -> None:
    price = Package(D(20), D(5))

    assert [D(0), D(5), D(5), D(10), D(15)] == [rate(price, D(units)).amount for units in (0, 1, 20, 21, 45)]


def test_a_package_price_is_not_due_for_free_units() -> None:
    price = Package(D(10), D(100), free_units=D(10))

    assert [D(0), D(100), D(1200)] == [rate(price, D(units)).amount for units in (10, 11, 121)]


def test_the_smallest_fraction_of_a_unit_begins_a_package() -> None:
    assert D(5) == rate(Package(D(20), D(5)), D("0.000000000000000000000000000001")).amount


def test_a_minimum_spend_lifts_the_amount_by_a_step() -> None:
    rated = rate(PerUnit(D("0.01"), minimum_spend=D(5)), D(100))

    assert D(5) == rated.amount
    assert Step("up to the minimum spend of 5", None, None, D("4.00")) == rated.steps[-1]


def test_a_minimum_spend_is_due_without_usage() -> None:
    assert D(5) == rate(PerUnit(D("0.01"), minimum_spend=D(5)), D(0)).amount


def test_a_maximum_spend_cuts_the_amount_by_a_step() -> None:
    rated = rate(PerUnit(D(1), maximum_spend=D(3)), D(5))

    assert D(3) == rated.amount
    assert Step("down to the maximum spend of 3", None, None, D(-2)) == rated.steps[-1]


def test_an_amount_at_a_spend_limit_needs_no_step() -> None:
    assert 1 == len(rate(PerUnit(D(1), minimum_spend=D(5), maximum_spend=D(5)), D(5)).steps)


def test_usage_below_zero_is_charged_as_zero_and_says_so() -> None:
    rated = rate(PerUnit(D(2)), D(-5))

    assert D(0) == rated.amount
    assert not rated.amount.is_signed()
    assert Step("a usage of -5 is charged as 0", D(-5), None, D(0)) == rated.steps[0]


def test_what_was_rated_before_is_not_charged_again() -> None:
    rated = rate_on_top(PerUnit(D(1), free_units=D(10)), D(15), D(5))

    assert D(10) == rated.amount
    assert "less what 5 of them cost already" == rated.steps[-1].text


def test_taking_usage_back_gives_back_exactly_what_it_cost() -> None:
    price = Package(D(10), D(3))

    assert D(-3) == rate_on_top(price, D(-6), D(25)).amount


def test_numbers_of_thirty_digits_are_exact() -> None:
    quantity = D("999999999999999999999999999999.999999999999999999999999999999")
    price = D("0.000000000000000000000000000001")

    assert D("0." + "9" * 60) == rate(PerUnit(price), quantity).amount


def test_a_difference_keeps_every_digit() -> None:
    price = PerUnit(D("0.0001"), batch_size=D(3))

    assert D(0) == rate_on_top(price, D(0), D("103.76")).amount
