"""Exact decimal arithmetic. No binary float ever takes part, and no sum ever rounds.

A number that enters has at most 30 digits before and 30 after the decimal point. The context is wide enough that
10^18 sums of such numbers stay exact; `EXACT` traps the moment a result would not be.
"""

import re
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Final

INTEGER_DIGITS_MAX: Final = 30
FRACTION_DIGITS_MAX: Final = 30
_LIMIT: Final = Decimal(10) ** INTEGER_DIGITS_MAX

# 30 + 30 digits and 18 for the number of terms, then doubled for one product of two of them.
EXACT: Final = Context(
    prec=160, rounding=ROUND_HALF_UP, Emin=-999, Emax=999, traps=[Inexact, InvalidOperation, Overflow]
)

# One division per line may be inexact (a third of a month). 100 digits are far beyond the digits of any tie: a
# quotient that
# is a tie at a minor unit has a finite expansion and is therefore exact here.
DIVISION: Final = Context(prec=160, rounding=ROUND_HALF_UP, Emin=-999, Emax=999, traps=[InvalidOperation, Overflow])

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)

# Where a quotient without a finite expansion (a third) is cut off. What is cut off is dust: sums of such quotients are
# exact sums of 90-place numbers, and `kernel.money` sweeps the dust away before it rounds to the minor unit.
QUOTIENT_PLACES: Final = 90
_READABLE_PLACES: Final = 12
_QUOTIENT_STEP: Final = Decimal(1).scaleb(-QUOTIENT_PLACES)

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)


def in_range(value: Decimal) -> bool:
    """Tell whether a finite number keeps within the digits that the arithmetic here is exact for."""
    if not value.is_finite():
        return False
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return value.adjusted() < INTEGER_DIGITS_MAX and exponent >= -FRACTION_DIGITS_MAX and value.copy_abs() < _LIMIT


def parse_decimal(text: str) -> Decimal | None:
    """Return the exact value of a decimal literal such as `-1.50` or `2e3`; None when it is none or out of range."""
    stripped = text.strip()
    if len(stripped) > 80 or _NUMBER.fullmatch(stripped) is None:
        return None
    value = Decimal(stripped)
    return value if in_range(value) else None


def add(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact sum."""
    return EXACT.add(left, right)


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact product."""
    return EXACT.multiply(left, right)


def subtract(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact difference."""
    return EXACT.subtract(left, right)


def divide(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Return the quotient to 160 significant digits."""
    return DIVISION.divide(dividend, divisor)


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return `amount` x `part` / `whole`: one exact product, then one division.

    A quotient with up to 90 decimal places is exact, any other is rounded half-up there, so that sums of shares never
    need more digits than the exact arithmetic has.
    """
    quotient = DIVISION.divide(EXACT.multiply(amount, part), whole)
    exponent = quotient.as_tuple().exponent
    assert isinstance(exponent, int)
    return quotient if exponent >= -QUOTIENT_PLACES else DIVISION.quantize(quotient, _QUOTIENT_STEP)


def whole_parts(amount: Decimal, size: Decimal) -> tuple[Decimal, Decimal]:
    """Return how many whole parts of a positive size an amount (not negative) contains, and the rest, both exact."""
    return EXACT.divmod(amount, size)


def plain(value: Decimal) -> str:
    """Return a number as people write it.

    No exponent, no trailing zeros after the point (`1.50` -> `1.5`, `1E+2` -> `100`).
    """
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def readable(value: Decimal) -> str:
    """Return a number for a sentence: `plain`, but a quotient without end is cut and says so (`0.333333333333...`)."""
    shown, is_cut = cut_quotient(value)
    return f"{shown:f}..." if is_cut else plain(value)


def cut_quotient(value: Decimal) -> tuple[Decimal, bool]:
    """Return a number for people to read, and whether something was cut off: a quotient without end keeps 12 places.

    What has more decimal places than a number that enters can have is such a quotient.
    """
    text = plain(value)
    point = text.find(".")
    if point < 0 or len(text) - point - 1 <= FRACTION_DIGITS_MAX:
        return Decimal(text), False
    return Decimal(text[: point + 1 + _READABLE_PLACES]), True
