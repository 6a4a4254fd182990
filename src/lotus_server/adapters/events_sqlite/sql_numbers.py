"""Exact decimals inside SQLite, which knows integers of 64 bits and binary floats only.

A decimal with a fraction travels as the float next to it, so that comparing and sorting work; every function that
calculates takes it back as the decimal it stands for. That is certain because a float of at most fifteen significant
digits stands for exactly those digits, and every other float is written down, once, with its decimal. A float that was
neither written down nor is that short was calculated in binary, and is refused.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, DecimalException
from math import inf, nextafter
from typing import Final

from lotus_server.kernel.quantity import DIVISION, EXACT, ONE, ZERO, parse_decimal, share

REMEMBERED_MAX: Final = 200_000
_DIGITS_MAX: Final = 15
_INTEGER_MAX: Final = (1 << 63) - 1
_PLACES_MAX: Final = 30

SqlValue = str | int | float | bytes | None
"""What SQLite hands to a function and takes from it."""


class NotExact(Exception):
    """A number cannot be told exactly."""


class SqlNumbers:
    """The decimals of one query."""

    def __init__(self) -> None:
        """Start with none written down."""
        self._remembered: dict[float, Decimal] = {}

    def to_sql(self, value: Decimal) -> int | float:
        """Return what stands for a decimal in SQLite. Raises NotExact when that would not be clear."""
        if value == value.to_integral_value() and abs(value) <= _INTEGER_MAX:
            return int(value)
        stand_in = float(value)
        shown = Decimal(repr(stand_in))
        is_short = _digits(shown) <= _DIGITS_MAX
        if is_short:
            if shown == value:
                return stand_in
            # Its neighbour, on the side where the value lies, is not that short, so it can be written down.
            stand_in = nextafter(stand_in, inf if value > shown else -inf)
        if self._remembered.setdefault(stand_in, value) != value:
            raise NotExact(f"{value} cannot be told from another number that is very close to it")
        if len(self._remembered) > REMEMBERED_MAX:
            raise NotExact(f"more than {REMEMBERED_MAX} numbers have more than {_DIGITS_MAX} digits")
        return stand_in

    def from_sql(self, value: SqlValue) -> Decimal | None:
        """Return the decimal that a value of SQLite stands for; None when it is no number.

        A text that is a decimal literal is a number. Raises NotExact for a float that was calculated in binary.
        """
        if isinstance(value, int):
            return Decimal(value)
        if isinstance(value, float):
            known = self._remembered.get(value)
            shown = Decimal(repr(value)) if known is None else known
            if known is None and (not shown.is_finite() or _digits(shown) > _DIGITS_MAX):
                raise NotExact(
                    f"{value!r} is a binary floating point number, which is not exact; calculate with decimal_add, "
                    "decimal_sub, decimal_mul and decimal_div"
                )
            return shown
        return parse_decimal(value) if isinstance(value, str) else None

    # -- what queries calculate with

    def decimal(self, value: SqlValue) -> int | float | None:
        """Return a number, or a text that is one, as a number."""
        number = self.from_sql(value)
        return None if number is None else self.to_sql(number)

    def add(self, left: SqlValue, right: SqlValue) -> int | float | None:
        """Return the exact sum."""
        one, other = self.from_sql(left), self.from_sql(right)
        return None if one is None or other is None else self.to_sql(EXACT.add(one, other))

    def subtract(self, left: SqlValue, right: SqlValue) -> int | float | None:
        """Return the exact difference."""
        one, other = self.from_sql(left), self.from_sql(right)
        return None if one is None or other is None else self.to_sql(EXACT.subtract(one, other))

    def multiply(self, left: SqlValue, right: SqlValue) -> int | float | None:
        """Return the exact product."""
        one, other = self.from_sql(left), self.from_sql(right)
        return None if one is None or other is None else self.to_sql(EXACT.multiply(one, other))

    def divide(self, dividend: SqlValue, divisor: SqlValue) -> int | float | None:
        """Return the quotient to 90 decimal places; nothing for a division by zero."""
        one, other = self.from_sql(dividend), self.from_sql(divisor)
        return None if one is None or not other else self.to_sql(share(one, ONE, other))

    def absolute(self, value: SqlValue) -> int | float | None:
        """Return the amount without its sign."""
        number = self.from_sql(value)
        return None if number is None else self.to_sql(number.copy_abs())

    def round(self, value: SqlValue, places: SqlValue = 0) -> int | float | None:
        """Return a number rounded half-up to so many decimal places, 0 to 30."""
        number = self.from_sql(value)
        if number is None or not isinstance(places, int):
            return None
        step = Decimal(1).scaleb(-min(max(places, 0), _PLACES_MAX))
        return self.to_sql(number.quantize(step, ROUND_HALF_UP, DIVISION))

    def ceiling(self, value: SqlValue) -> int | float | None:
        """Return the smallest integer that is not less."""
        number = self.from_sql(value)
        return None if number is None else self.to_sql(number.to_integral_value(ROUND_CEILING))

    def floor(self, value: SqlValue) -> int | float | None:
        """Return the greatest integer that is not more."""
        number = self.from_sql(value)
        return None if number is None else self.to_sql(number.to_integral_value(ROUND_FLOOR))


class ExactSum:
    """An aggregate function: the exact sum of the values that are numbers, nothing when there is none."""

    def __init__(self, numbers: SqlNumbers) -> None:
        """Start without values."""
        self._numbers = numbers
        self._sum = ZERO
        self._count = 0

    def add(self, value: SqlValue) -> None:
        """Take a value in."""
        number = self._numbers.from_sql(value)
        if number is not None:
            self._sum = EXACT.add(self._sum, number)
            self._count += 1

    def sum(self) -> int | float | None:
        """Return the sum."""
        return self._numbers.to_sql(self._sum) if self._count else None

    def total(self) -> int | float:
        """Return the sum, zero when there are no values."""
        return self._numbers.to_sql(self._sum)

    def average(self) -> int | float | None:
        """Return the sum divided by the number of values, to 90 decimal places."""
        return self._numbers.to_sql(share(self._sum, ONE, Decimal(self._count))) if self._count else None


def _digits(value: Decimal) -> int:
    return len(value.normalize().as_tuple().digits)


ARITHMETIC_ERRORS: Final = (NotExact, DecimalException)
