"""Numbers are exact, and what would not be exact is refused."""

from decimal import Decimal, Inexact
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.kernel.quantity import (
    EXACT,
    add,
    in_range,
    multiply,
    parse_decimal,
    plain,
    readable,
    share,
    subtract,
    whole_parts,
)

numbers = st.integers(min_value=1 - 10**60, max_value=10**60 - 1).map(lambda digits: EXACT.scaleb(Decimal(digits), -30))
positive = st.decimals(min_value=Decimal("0.000001"), max_value=10**15, places=6)


@given(numbers, numbers)
def test_sums_differences_and_products_are_exact(left: Decimal, right: Decimal) -> None:
    assert Fraction(left) + Fraction(right) == Fraction(add(left, right))
    assert Fraction(left) - Fraction(right) == Fraction(subtract(left, right))
    assert Fraction(left) * Fraction(right) == Fraction(multiply(left, right))


def test_a_sum_that_could_not_be_exact_is_trapped() -> None:
    with pytest.raises(Inexact):
        add(Decimal("1e200"), Decimal(1))


@given(positive, positive, positive)
def test_a_share_is_exact_to_ninety_places(amount: Decimal, part: Decimal, whole: Decimal) -> None:
    exact = Fraction(amount) * Fraction(part) / Fraction(whole)

    assert abs(Fraction(share(amount, part, whole)) - exact) <= Fraction(1, 2 * 10**90)


def test_a_share_with_an_end_is_exact() -> None:
    assert Decimal("48.4") == share(Decimal(5), Decimal(968), Decimal(100))


@given(st.decimals(min_value=0, max_value=10**12, places=6), positive)
def test_whole_parts_and_the_rest_make_the_amount(amount: Decimal, size: Decimal) -> None:
    count, rest = whole_parts(amount, size)

    assert Fraction(amount) == Fraction(count) * Fraction(size) + Fraction(rest)
    assert count == int(count)
    assert 0 <= rest < size


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", "1"),
        ("-1.50", "-1.5"),
        (" 2e3 ", "2000"),
        ("+.5", "0.5"),
        ("5.", "5"),
        ("1E-30", "0.000000000000000000000000000001"),
        ("9" * 30, "9" * 30),
    ],
)
def test_a_decimal_literal_is_read_exactly(text: str, value: str) -> None:
    assert Decimal(value) == parse_decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "NaN",
        "Infinity",
        "-inf",
        "1e400",
        "1e30",
        "9" * 31,
        "1e-31",
        "0x10",
        "1_000",
        "1,5",
        "\u0661",
        "1 2",
        "--1",
    ],
)
def test_what_is_no_number_in_range_is_refused(text: str) -> None:
    assert parse_decimal(text) is None


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "1e30", "1e-31"])
def test_what_cannot_be_calculated_exactly_is_out_of_range(value: str) -> None:
    assert not in_range(Decimal(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.50", "1.5"),
        ("1E+2", "100"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("0.10", "0.1"),
        ("100", "100"),
        ("1E-7", "0.0000001"),
    ],
)
def test_a_number_is_written_as_people_write_it(value: str, text: str) -> None:
    assert text == plain(Decimal(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.123456789012345678901234567890"), "0.12345678901234567890123456789"),
        (share(Decimal(1), Decimal(1), Decimal(3)), "0.333333333333..."),
        (share(Decimal(-200), Decimal(1), Decimal(3)), "-66.666666666666..."),
        (share(Decimal(1), Decimal(1), Decimal(3) * 10**20), "0.000000000000..."),
        (Decimal("1.50"), "1.5"),
    ],
)
def test_a_quotient_without_end_is_cut_in_a_sentence_and_says_so(value: Decimal, text: str) -> None:
    assert text == readable(value)


@given(numbers)
def test_a_number_that_was_written_reads_back_equal(value: Decimal) -> None:
    assert value == parse_decimal(plain(value))
