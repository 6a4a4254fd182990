"""What discounts take off, and what each line bears."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.invoicing.discounts import Discount, DiscountTerms, DiscountType, apply_discounts
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.money import total

USD = CURRENCIES["USD"]
MAY = datetime(2026, 5, 1, tzinfo=UTC)
amounts = st.lists(st.decimals(-1_000, 1_000, places=2), max_size=10)


def discount(terms: DiscountTerms, **more: object) -> Discount:
    return msgspec.structs.replace(Discount("org", "less", "acme", terms, MAY), **more)


discounts = st.lists(
    st.one_of(
        st.builds(DiscountTerms, st.just("percent"), st.just(DiscountType.PERCENTAGE), st.decimals(0, 100, places=3)),
        st.builds(DiscountTerms, st.just("fixed"), st.just(DiscountType.FIXED), st.decimals(0, 2_000, places=2)),
    ).map(discount),
    max_size=3,
)


def fixed(amount: str) -> Discount:
    return discount(DiscountTerms("less", DiscountType.FIXED, Decimal(amount), "USD"))


def percent(amount: str) -> Discount:
    return discount(DiscountTerms("less", DiscountType.PERCENTAGE, Decimal(amount)))


def test_a_fixed_discount_is_split_over_the_lines_without_losing_a_cent() -> None:
    (found,) = apply_discounts([Decimal("3.33"), Decimal("3.33"), Decimal("3.34")], [fixed("1")], USD)

    assert (Decimal("0.33"), Decimal("0.33"), Decimal("0.34")) == found.parts


def test_the_second_discount_takes_from_what_the_first_has_left() -> None:
    found = apply_discounts([Decimal(100)], [percent("50"), percent("10")], USD)

    assert [Decimal(50), Decimal(5)] == [each.amount for each in found]


def test_a_discount_takes_no_more_than_there_is() -> None:
    (found,) = apply_discounts([Decimal(10), Decimal(20)], [fixed("40")], USD)

    assert (Decimal(30), (Decimal(10), Decimal(20))) == (found.amount, found.parts)


def test_credits_bear_no_discount() -> None:
    (found,) = apply_discounts([Decimal(100), Decimal(-40)], [percent("10")], USD)

    assert (Decimal(10), Decimal(0)) == found.parts


@given(amounts, discounts)
def test_parts_sum_to_the_discount_and_no_line_bears_more_than_itself(
    amounts: list[Decimal], discounts: list[Discount]
) -> None:
    applied = apply_discounts(amounts, discounts, USD)

    assert [each.amount for each in applied] == [total(each.parts) for each in applied]
    assert all(each.amount for each in applied)
    for index, amount in enumerate(amounts):
        assert 0 <= total(each.parts[index] for each in applied) <= max(amount, Decimal(0))


PERCENT = percent("1")
EUROS = discount(DiscountTerms("d", DiscountType.FIXED, Decimal(1), "EUR"))


@pytest.mark.parametrize(
    ("offered", "applies"),
    [
        (msgspec.structs.replace(PERCENT, ends_at=MAY + timedelta(days=1)), True),
        (msgspec.structs.replace(PERCENT, ends_at=MAY), False),
        (msgspec.structs.replace(PERCENT, starts_at=MAY + timedelta(microseconds=1)), False),
        (msgspec.structs.replace(PERCENT, invoices_left=0), False),
        (msgspec.structs.replace(PERCENT, invoices_left=1), True),
        (EUROS, False),
        (fixed("1"), True),
    ],
)
def test_a_discount_applies_in_its_time_its_currency_and_as_often_as_it_says(offered: Discount, applies: bool) -> None:
    assert applies == offered.applies_at(MAY, "USD")


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (DiscountTerms("", DiscountType.PERCENTAGE, Decimal(1)), "invalid"),
        (DiscountTerms("d", DiscountType.PERCENTAGE, Decimal(101)), "out_of_range"),
        (DiscountTerms("d", DiscountType.PERCENTAGE, Decimal(0)), "not_positive"),
        (DiscountTerms("d", DiscountType.FIXED, Decimal(1)), "unknown_currency"),
        (DiscountTerms("d", DiscountType.FIXED, Decimal("0.001"), "USD"), "too_fine"),
    ],
)
def test_what_is_wrong_with_a_discount_is_said(terms: DiscountTerms, code: str) -> None:
    found = Problems()
    terms.add_problems(found)

    assert [code] == [problem.code for problem in found.found]
