"""Prices in a pricing unit become money as the last step."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.catalog import Conversion, PerUnit, Price
from lotus_server.domain.rating import Step, in_money, rate
from lotus_server.kernel.money import total
from lotus_server.kernel.quantity import multiply
from tests.domain.rating.strategies import prices

D = Decimal


def test_without_a_conversion_the_amount_is_money() -> None:
    rated = rate(PerUnit(D(2)), D(10))

    assert rated == in_money(rated, None)


def test_units_are_shown_and_become_money_in_the_last_step() -> None:
    rated = in_money(rate(PerUnit(D(2), minimum_spend=D(30)), D(10)), Conversion("credits", D("0.05")))

    assert D("1.5") == rated.amount
    assert [
        ("10 units x 2 = 20 credits", None),
        ("up to the minimum spend of 30 = 10 credits", None),
        ("30 credits at 0.05 each", D("1.50")),
    ] == [(step.text, step.amount) for step in rated.steps]
    assert Step("30 credits at 0.05 each", D(30), D("0.05"), D("1.5")) == rated.steps[-1]


@given(prices, st.decimals(0, 100_000, places=3), st.decimals("0.000001", 1_000, places=15))
def test_the_amount_is_that_of_the_units_times_the_rate(price: Price, quantity: Decimal, cost: Decimal) -> None:
    in_units = rate(price, quantity)

    rated = in_money(in_units, Conversion("credits", cost))

    assert multiply(in_units.amount, cost) == rated.amount
    assert rated.amount == total(step.amount for step in rated.steps if step.amount is not None)
    for step in rated.steps:
        if step.quantity is not None and step.unit_price is not None:
            assert step.amount == multiply(step.quantity, step.unit_price)
