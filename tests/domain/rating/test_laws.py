"""What holds for every price and every quantity."""

from decimal import Decimal
from fractions import Fraction
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.catalog import (
    CellPrice,
    Graduated,
    GraduatedPercentage,
    Matrix,
    Percentage,
    PercentageTier,
    PerUnit,
    Price,
    Tier,
    Volume,
    free_units,
    price_problems,
)
from lotus_server.domain.rating import RatedUsage, Step, rate, rate_each, rate_on_top
from lotus_server.kernel.money import total
from lotus_server.kernel.quantity import add
from tests.domain.rating.strategies import (
    amounts,
    event_lists,
    event_prices,
    every_price,
    graduated_percentage_prices,
    matrix_prices,
    percentage_prices,
    prices,
    quantities,
    rising_prices,
    tier_lists,
    usage_of,
)

# Quotients without an end are cut off after 90 places; nothing else is inexact.
DUST = Fraction(1, 10**85)


Events = list[tuple[Decimal, tuple[str, str | None]]]


def _assert_explained(steps: tuple[Step, ...], amount: Decimal) -> None:
    """Every step can be read and has an amount, its quantity times its unit price; together they are the amount."""
    assert amount == total(step.amount for step in steps if step.amount is not None)
    assert steps
    for step in steps:
        assert step.text
        assert step.amount is not None
        if step.quantity is not None and step.unit_price is not None:
            product = Fraction(step.quantity) * Fraction(step.unit_price)
            assert abs(product - Fraction(step.amount)) < DUST


@given(prices, quantities)
def test_the_steps_explain_the_amount(price: Price, quantity: Decimal) -> None:
    rated = rate(price, quantity)

    _assert_explained(rated.steps, rated.amount)


@given(event_prices, event_lists)
def test_the_steps_explain_the_amount_of_events(price: Price, events: Events) -> None:
    rated = rate(price, usage_of(price, events))

    _assert_explained(rated.steps, rated.amount)


@given(every_price)
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


@given(event_prices, event_lists, st.integers(min_value=0, max_value=8))
def test_a_period_of_events_charged_in_parts_costs_what_it_costs_in_one_piece(
    price: Price, events: Events, cut: int
) -> None:
    first, second = usage_of(price, events[:cut]), usage_of(price, events[cut:])
    in_parts = add(rate(price, first).amount, rate_on_top(price, second, first).amount)

    assert rate(price, usage_of(price, events)).amount == in_parts


@given(percentage_prices(), event_lists, st.randoms(use_true_random=False))
def test_the_order_of_events_matters_only_to_an_allowance(price: Percentage, events: Events, source: Random) -> None:
    without = msgspec.structs.replace(price, free_events=None, free_amount=None)
    shuffled = source.sample(events, len(events))

    assert rate(without, usage_of(without, events)).amount == rate(without, usage_of(without, shuffled)).amount


@given(amounts, quantities, event_lists, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter_to_a_free_amount_without_fees(
    percent: Decimal, free: Decimal, events: Events, source: Random
) -> None:
    price = Percentage(percent, free_amount=free)
    shuffled = source.sample(events, len(events))

    assert rate(price, usage_of(price, events)).amount == rate(price, usage_of(price, shuffled)).amount


@given(amounts, quantities.filter(bool), st.lists(st.decimals(min_value=-500, max_value=500, places=2), max_size=8))
def test_a_free_amount_costs_the_same_counted_event_by_event_as_from_the_sum(
    percent: Decimal, free: Decimal, values: list[Decimal]
) -> None:
    from_sum = rate(Percentage(percent, free_amount=free), total(values))
    # More free events than there are change nothing, but have every event looked at.
    one_by_one = rate(Percentage(percent, free_events=9, free_amount=free), RatedUsage.of_events(values))

    assert from_sum.amount == one_by_one.amount


@given(matrix_prices(), event_lists)
def test_the_order_of_groups_does_not_matter(price: Price, events: Events) -> None:
    usage = usage_of(price, events)
    assert usage.groups is not None
    backwards = RatedUsage.of_groups(dict(reversed(list(usage.groups.items()))))

    assert rate(price, usage) == rate(price, backwards)


@given(event_prices, event_lists, quantities)
def test_one_more_event_never_lowers_a_charge_that_is_no_volume_charge(
    price: Price, events: Events, value: Decimal
) -> None:
    more = [*events, (value, ("a", "eu"))]
    priced: CellPrice | None = price.price_of(("a", "eu")) if isinstance(price, Matrix) else None

    if not isinstance(priced, Volume):
        assert rate(price, usage_of(price, events)).amount <= rate(price, usage_of(price, more)).amount


@given(amounts, quantities)
def test_a_percentage_of_one_tier_is_a_plain_percentage(percent: Decimal, amount: Decimal) -> None:
    tiers = (PercentageTier(None, percent),)

    assert rate(Percentage(percent), amount).amount == rate(GraduatedPercentage(tiers), amount).amount


@given(graduated_percentage_prices, quantities)
def test_a_graduated_percentage_is_graduated_by_hundredths(price: GraduatedPercentage, amount: Decimal) -> None:
    tiers = tuple(Tier(tier.up_to, tier.rate_percent / 100, tier.flat_fee) for tier in price.tiers)
    by_units = Graduated(tiers, price.minimum_spend, price.maximum_spend)

    assert rate(by_units, amount).amount == rate(price, amount).amount
