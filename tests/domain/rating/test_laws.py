"""What holds for every price and every quantity."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.catalog import Graduated, PerUnit, Price, Tier, Volume, free_units, price_problems
from lotus_server.domain.rating import rate, rate_each, rate_on_top
from lotus_server.kernel.money import total
from lotus_server.kernel.quantity import add
from tests.domain.rating.strategies import amounts, prices, quantities, rising_prices, tier_lists

# Quotients without an end are cut off after 90 places; nothing else is inexact.
DUST = Fraction(1, 10**85)


@given(prices, quantities)
def test_the_steps_sum_to_the_amount(price: Price, quantity: Decimal) -> None:
    rated = rate(price, quantity)

    assert rated.amount == total(step.amount for step in rated.steps if step.amount is not None)


@given(prices, quantities)
def test_the_amount_of_a_step_is_its_quantity_times_its_unit_price(price: Price, quantity: Decimal) -> None:
    for step in rate(price, quantity).steps:
        if step.quantity is not None and step.unit_price is not None and step.amount is not None:
            product = Fraction(step.quantity) * Fraction(step.unit_price)
            assert abs(product - Fraction(step.amount)) < DUST


@given(prices, quantities)
def test_every_step_has_a_text_and_an_amount(price: Price, quantity: Decimal) -> None:
    steps = rate(price, quantity).steps

    assert steps
    assert all(step.text and step.amount is not None for step in steps)


@given(prices)
def test_every_generated_price_is_valid(price: Price) -> None:
    assert () == price_problems(price)


@given(rising_prices, quantities, quantities)
def test_more_usage_never_lowers_a_charge_that_is_no_volume_charge(price: Price, one: Decimal, other: Decimal) -> None:
    less, more = sorted((one, other))

    assert rate(price, less).amount <= rate(price, more).amount


@given(prices, quantities, quantities)
def test_a_period_charged_in_parts_costs_what_it_costs_in_one_piece(
    price: Price, first: Decimal, second: Decimal
) -> None:
    in_parts = add(rate(price, first).amount, rate_on_top(price, second, first).amount)

    assert rate(price, first + second).amount == in_parts


@given(prices, quantities)
def test_a_charge_keeps_between_minimum_and_maximum_spend(price: Price, quantity: Decimal) -> None:
    amount = rate(price, quantity).amount

    assert price.minimum_spend is None or amount >= price.minimum_spend
    assert price.maximum_spend is None or amount <= price.maximum_spend


@given(prices, st.lists(quantities, max_size=4))
def test_quantities_that_stand_alone_cost_the_sum_of_each(price: Price, values: list[Decimal]) -> None:
    assert total(rate(price, value).amount for value in values) == rate_each(price, values).amount


@given(tier_lists(), st.integers(min_value=0, max_value=4), quantities)
def test_a_tier_cut_in_two_alike_costs_the_same(tiers: tuple[Tier, ...], index: int, quantity: Decimal) -> None:
    plain = tuple(Tier(tier.up_to, tier.unit_price) for tier in tiers)
    index = min(index, len(plain) - 1)
    start = Decimal(0) if index == 0 else plain[index - 1].up_to
    assert start is not None
    end = plain[index].up_to
    middle = start + 1 if end is None else (start + end) / 2
    cut = (*plain[:index], Tier(middle, plain[index].unit_price), *plain[index:])

    assert rate(Graduated(plain), quantity).amount == rate(Graduated(cut), quantity).amount


@given(amounts, quantities)
def test_one_tier_costs_what_a_price_per_unit_costs(price: Decimal, quantity: Decimal) -> None:
    tiers = (Tier(None, price),)

    assert rate(PerUnit(price), quantity).amount == rate(Graduated(tiers), quantity).amount
    assert rate(PerUnit(price), quantity).amount == rate(Volume(tiers), quantity).amount


@given(prices, st.decimals(min_value=-1_000, max_value=0, places=2))
def test_usage_below_zero_costs_what_no_usage_costs(price: Price, quantity: Decimal) -> None:
    assert rate(price, Decimal(0)).amount == rate(price, quantity).amount


@given(prices, quantities)
def test_free_units_cost_what_no_usage_costs(price: Price, quantity: Decimal) -> None:
    free = free_units(price)
    within = quantity if free is None else min(quantity, free)

    assert rate(price, Decimal(0)).amount == rate(price, within).amount
