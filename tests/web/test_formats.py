"""Numbers on pages and in fields: exact, and readable."""

from decimal import Decimal

import pytest

from lotus_server.domain.accounts import InvoiceSettings
from lotus_server.http.web.formats import Formats, input_text
from lotus_server.kernel.quantity import ONE, share

LONG = "123456789012345678901234567891.123456789012345678901234567891"
THIRD = share(ONE, ONE, Decimal(3))


def test_a_field_has_every_digit_of_its_value() -> None:
    assert LONG == input_text(Decimal(LONG))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.123456789012345678901234567891"), "0.123456789012345678901234567891"),
        (Decimal("123456789012345678901234567891.50"), "123,456,789,012,345,678,901,234,567,891.5"),
        (Decimal("1E+3"), "1,000"),
        (THIRD, "0.333333333333\N{HORIZONTAL ELLIPSIS}"),
        (None, "\N{EN DASH}"),
    ],
)
def test_a_number_has_every_digit_that_somebody_gave(value: Decimal | None, text: str) -> None:
    assert text == Formats(InvoiceSettings()).number(value)


def test_an_amount_that_is_a_quotient_without_end_is_cut_and_says_so() -> None:
    assert "$0.333333333333\N{HORIZONTAL ELLIPSIS}" == Formats(InvoiceSettings()).money(THIRD, "USD")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("up to 5000000: 764806 units x 0.003", "up to 5,000,000: 764,806 units \N{MULTIPLICATION SIGN} 0.003"),
        ("1234567.00050 units", "1,234,567.0005 units"),
        ("group tier_10000: 2026-01-31, key 10000-a", "group tier_10000: 2026-01-31, key 10000-a"),
        ("0.00012345 each", "0.00012345 each"),
    ],
)
def test_large_numbers_of_a_step_are_read_at_a_glance(text: str, expected: str) -> None:
    assert expected == Formats(InvoiceSettings()).step(text)
