"""A price adjustment brings a subscription's lines on an invoice to what they should come to."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.catalog import AdjustmentKind, PriceAdjustment, RecurringCharge
from lotus_server.domain.invoicing import InvoiceLine, LineKind, Terms, adjusted, adjusted_change
from lotus_server.kernel.money import total
from lotus_server.kernel.quantity import add, multiply, subtract
from tests.records_values import MARCH, invoice_line, plan, plan_version, subscription

D = Decimal
PERCENT, FIXED, OVERRIDE = AdjustmentKind
money = st.decimals(-10_000, 10_000, places=2)


def _terms(kind: AdjustmentKind, amount: Decimal | str, in_advance: str = "30", currency: str = "USD") -> Terms:
    version = plan_version(
        currency=currency,
        recurring_charges=(RecurringCharge("fee", "Fee", D(in_advance)),),
        price_adjustment=PriceAdjustment(kind, D(amount), "Partner discount"),
    )
    return Terms(subscription(), plan(), version, {})


def _lines(*amounts: Decimal | str) -> tuple[InvoiceLine, ...]:
    return tuple(invoice_line(amount=D(amount)) for amount in amounts)


def _sum(terms: Terms, *amounts: Decimal | str) -> Decimal:
    return total(line.amount for line in adjusted(terms, _lines(*amounts), opened=MARCH))


@pytest.mark.parametrize(
    ("kind", "amount", "charged", "expected"),
    [
        (PERCENT, "-10", "200", "180"),
        (PERCENT, "5", "200", "210"),
        (PERCENT, "-100", "200", "0"),
        (PERCENT, "-12.5", "0.99", "0.87"),  # 0.12375 off
        (FIXED, "-1", "30", "29"),
        (FIXED, "2.50", "30", "32.50"),
        (FIXED, "2.50", "0", "2.50"),
        (OVERRIDE, "20", "30", "20"),
        (OVERRIDE, "20", "0", "20"),
        (OVERRIDE, "0", "30", "0"),
    ],
)
def test_what_is_charged_comes_to_what_the_adjustment_says(
    kind: AdjustmentKind, amount: str, charged: str, expected: str
) -> None:
    assert D(expected) == _sum(_terms(kind, amount), charged)


def test_a_discount_never_takes_off_more_than_is_charged() -> None:
    (*_, line) = adjusted(_terms(FIXED, "-50"), _lines("10", "20"), opened=MARCH)

    assert (D(-30), ["-50 on 30, and not below 0"]) == (line.amount, [step.text for step in line.steps])


def test_the_line_says_what_it_is_and_how_it_came_about() -> None:
    (*_, line) = adjusted(_terms(PERCENT, "-10"), _lines("150", "50"), opened=MARCH)

    assert ("Partner discount", LineKind.ADJUSTMENT, MARCH, D(-20)) == (line.name, line.kind, line.period, line.amount)
    (step,) = line.steps
    assert ("-10 % of 200", D(200), D("-0.1"), D(-20)) == (step.text, step.quantity, step.unit_price, step.amount)


def test_a_line_without_a_name_is_a_price_adjustment() -> None:
    terms = _terms(FIXED, "1")
    nameless = msgspec.structs.replace(terms.version, price_adjustment=PriceAdjustment(FIXED, D(1)))

    (*_, line) = adjusted(msgspec.structs.replace(terms, version=nameless), _lines("1"), opened=MARCH)

    assert "Price adjustment" == line.name


@pytest.mark.parametrize(("kind", "amount"), [(PERCENT, "-10"), (FIXED, "-5"), (OVERRIDE, "30")])
def test_nothing_is_added_where_nothing_changes(kind: AdjustmentKind, amount: str) -> None:
    lines = _lines("30" if kind is OVERRIDE else "0")

    assert lines == adjusted(_terms(kind, amount), lines, opened=MARCH)
    assert () == adjusted(_terms(kind, amount), (), opened=MARCH)


@pytest.mark.parametrize(
    ("kind", "amount", "expected"),
    [
        (PERCENT, "-10", "-27"),  # 30 was charged as 27
        (FIXED, "-6", "-24"),
        (FIXED, "6", "-36"),
        (OVERRIDE, "20", "-20"),
        (FIXED, "-40", "0"),
    ],
)
def test_what_was_charged_in_part_is_given_back_in_part(kind: AdjustmentKind, amount: str, expected: str) -> None:
    assert D(expected) == _sum(_terms(kind, amount), "-30")
    assert multiply(D(expected), D("0.5")) == _sum(_terms(kind, amount), "-15")


def test_usage_and_what_is_given_back_on_one_invoice_are_adjusted_apart() -> None:
    assert D(75) == _sum(_terms(FIXED, "-5"), "100", "-24")  # 95, and 24 of 30 charged as 25: 20


def test_what_comes_back_says_what_was_never_charged() -> None:
    (*_, line) = adjusted(_terms(FIXED, "-6"), _lines("-15"), opened=MARCH)

    assert ["of 15 that comes back, what was never charged: 24 was, for 30"] == [step.text for step in line.steps]


def test_money_back_for_nothing_in_advance_is_given_back_whole() -> None:
    assert D(-7) == _sum(_terms(OVERRIDE, "20", in_advance="0"), "-7")


@pytest.mark.parametrize(
    ("kind", "amount", "expected"), [(PERCENT, "-10", "9"), (FIXED, "-6", "10"), (OVERRIDE, "20", "10")]
)
def test_a_change_within_a_period_is_adjusted_by_percentages_only(
    kind: AdjustmentKind, amount: str, expected: str
) -> None:
    lines = adjusted_change(_terms(kind, amount), _lines("10"), opened=MARCH)

    assert D(expected) == total(line.amount for line in lines)


@pytest.mark.parametrize(("currency", "expected"), [("JPY", "105"), ("USD", "104.89"), ("KWD", "104.895")])
def test_the_adjustment_is_rounded_to_the_currency_once(currency: str, expected: str) -> None:
    terms = _terms(PERCENT, "-0.1", currency=currency)

    assert D(expected) == total(line.amount for line in adjusted(terms, _lines("50", "55"), opened=MARCH))


@given(st.sampled_from(AdjustmentKind), st.decimals(-100, 100, places=2), st.lists(money, max_size=5))
def test_the_steps_sum_to_the_line_and_a_discount_leaves_nothing_below_zero(
    kind: AdjustmentKind, amount: Decimal, amounts: list[Decimal]
) -> None:
    lines = _lines(*amounts)
    found = adjusted(_terms(kind, abs(amount) if kind is OVERRIDE else amount), lines, opened=MARCH)

    assert lines == found[: len(lines)]
    for line in found[len(lines) :]:
        assert line.exact_amount == total(step.amount for step in line.steps if step.amount is not None)
        assert line.amount != 0
    if all(each >= 0 for each in amounts):
        assert total(line.amount for line in found) >= 0


@given(st.decimals(-100, 100, places=2), st.lists(money, min_size=1, max_size=5))
def test_giving_everything_back_gives_back_what_was_paid(percent: Decimal, amounts: list[Decimal]) -> None:
    terms = _terms(PERCENT, percent)
    paid = _sum(terms, *amounts)
    back = _sum(terms, *(subtract(D(0), each) for each in amounts))

    assert 0 == add(paid, back)
