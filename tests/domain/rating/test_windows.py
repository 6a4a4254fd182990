"""Windows: each is priced as if it were alone, and equal ones share their steps."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.catalog import CellPrice, PerUnit
from lotus_server.domain.rating import RatedUsage, Step, rate_each, rate_windows
from lotus_server.domain.rating.windows import STEPS_MAX
from lotus_server.kernel.money import total
from tests.domain.rating.strategies import prices

few_quantities = st.lists(st.sampled_from([Decimal(0), Decimal(3), Decimal("7.5"), Decimal(1000)]), max_size=30)


@given(prices, few_quantities)
def test_windows_cost_what_they_cost_one_by_one(price: CellPrice, quantities: list[Decimal]) -> None:
    usages = [RatedUsage(quantity, 1) for quantity in quantities]

    rated = rate_windows(price, usages)

    assert rate_each(price, usages).amount == rated.amount
    assert rated.amount == total(step.amount for step in rated.steps if step.amount is not None)
    for step in rated.steps:
        if step.quantity is not None and step.unit_price is not None and step.amount is not None:
            assert abs(Fraction(step.quantity) * Fraction(step.unit_price) - Fraction(step.amount)) < Fraction(
                1, 10**80
            )


def test_equal_windows_share_their_steps() -> None:
    usages = [RatedUsage(Decimal(3), 1)] * 24 + [RatedUsage(Decimal(5), 1)]

    rated = rate_windows(PerUnit(Decimal("0.1")), usages)

    assert (
        Step("24 windows of 3: 3 units x 0.1", Decimal(72), Decimal("0.1"), Decimal("7.2")),
        Step("1 window of 5: 5 units x 0.1", Decimal(5), Decimal("0.1"), Decimal("0.5")),
    ) == rated.steps


def test_the_steps_of_a_year_of_hours_stay_few_and_sum_to_the_amount() -> None:
    usages = [RatedUsage(Decimal(hour), hour) for hour in range(8_760)]

    rated = rate_windows(PerUnit(Decimal(1)), usages)

    assert STEPS_MAX + 1 == len(rated.steps)
    assert Decimal(8_760 * 8_759 // 2) == rated.amount == total(step.amount for step in rated.steps if step.amount)


def test_no_windows_cost_nothing() -> None:
    rated = rate_windows(PerUnit(Decimal(1), minimum_spend=Decimal(5)), [])

    assert (Decimal(0), "no usage in any window") == (rated.amount, rated.steps[0].text)
