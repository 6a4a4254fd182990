"""Money is rounded in one place, and split without losing any of it."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.kernel.currencies import CURRENCIES, Currency, currency
from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.money import Money, allocate, round_to_minor_unit, total
from lotus_server.kernel.quantity import add, share

D = Decimal
currencies = st.sampled_from(["USD", "JPY", "KWD", "CLF"]).map(CURRENCIES.__getitem__)


@pytest.mark.parametrize(
    ("amount", "code", "rounded"),
    [
        ("1.005", "USD", "1.01"),
        ("1.0049999999999999999999999999999999999", "USD", "1.00"),
        ("-1.005", "USD", "-1.01"),
        ("0.5", "JPY", "1"),
        ("0.0005", "KWD", "0.001"),
        ("0.00005", "CLF", "0.0001"),
        ("2", "USD", "2.00"),
    ],
)
def test_an_amount_is_rounded_half_up_at_its_currencys_minor_unit(amount: str, code: str, rounded: str) -> None:
    assert rounded == str(round_to_minor_unit(D(amount), CURRENCIES[code]))


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert "0.00" == str(round_to_minor_unit(D("-0.004"), CURRENCIES["USD"]))


def test_three_thirds_of_half_a_cent_round_like_half_a_cent() -> None:
    third = share(D("0.005"), D(1), D(3))

    assert D("0.01") == round_to_minor_unit(add(add(third, third), third), CURRENCIES["USD"])


@given(st.decimals(min_value=-(10**20), max_value=10**20, places=8), currencies)
def test_rounding_moves_an_amount_by_at_most_half_a_unit(amount: Decimal, unit: Currency) -> None:
    rounded = round_to_minor_unit(amount, unit)

    assert abs(Fraction(rounded) - Fraction(amount)) <= Fraction(1, 2 * 10**unit.exponent)


@st.composite
def splits(draw: st.DrawFn) -> tuple[str, Decimal, list[Decimal]]:
    code = draw(st.sampled_from(["USD", "JPY", "KWD"]))
    minor = draw(st.integers(min_value=-(10**12), max_value=10**12))
    weights = draw(st.lists(st.decimals(min_value=0, max_value=10**9, places=3), min_size=1, max_size=12))
    return code, D(minor).scaleb(-CURRENCIES[code].exponent), weights


@given(splits())
def test_the_parts_of_an_allocation_sum_to_the_whole(split: tuple[str, Decimal, list[Decimal]]) -> None:
    code, amount, weights = split

    assert amount == total(allocate(amount, weights, CURRENCIES[code]))


@given(splits())
def test_each_part_is_within_one_unit_of_its_share(split: tuple[str, Decimal, list[Decimal]]) -> None:
    code, amount, weights = split
    unit = Fraction(1, 10 ** CURRENCIES[code].exponent)
    whole = sum(map(Fraction, weights))
    parts = allocate(amount, weights, CURRENCIES[code])

    for part, weight in zip(parts, weights, strict=True):
        exact = Fraction(amount) * Fraction(weight) / whole if whole else None
        assert exact is None or abs(Fraction(part) - exact) < unit


def test_equal_remainders_go_to_the_earlier_lines() -> None:
    assert (D("0.34"), D("0.33"), D("0.33")) == allocate(D(1), [D(1), D(1), D(1)], CURRENCIES["USD"])


def test_without_weights_the_first_line_takes_all() -> None:
    assert (D(1), D(0)) == allocate(D(1), [D(0), D(0)], CURRENCIES["USD"])


def test_two_currencies_do_not_add() -> None:
    with pytest.raises(AssertionError):
        Money(D(1), "USD") + Money(D(1), "EUR")


def test_money_keeps_every_digit_until_it_is_rounded() -> None:
    fine = Money(D("0." + "0" * 59 + "1"), "USD")

    assert Money(D("1." + "0" * 59 + "1"), "USD") == fine + Money(D(1), "USD")
    assert D("-1." + "0" * 59 + "1") == (-(fine + Money(D(1), "USD"))).amount
    assert D("0.00") == fine.rounded().amount


def test_an_unknown_currency_is_named() -> None:
    with pytest.raises(Invalid) as raised:
        currency("XXX")

    assert "unknown_currency" == raised.value.code
