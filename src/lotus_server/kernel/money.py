"""Money: an exact amount in one currency, and the one place where amounts are rounded."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, Self

import msgspec

from lotus_server.kernel.currencies import CURRENCIES, Currency, currency
from lotus_server.kernel.quantity import DIVISION, EXACT, QUOTIENT_PLACES, ZERO, add, divide, multiply


class Money(msgspec.Struct, frozen=True):
    """An amount in major units (12.34 USD). It may be finer than the minor unit until it is rounded."""

    amount: Decimal
    currency: str

    @classmethod
    def zero(cls, code: str) -> Self:
        """Return nothing, in a currency."""
        return cls(ZERO, code)

    def __add__(self, other: "Money") -> "Money":
        """Return the exact sum; adding two currencies is a defect of the caller, not an input error."""
        assert self.currency == other.currency, f"cannot add {other.currency} to {self.currency}"
        return Money(add(self.amount, other.amount), self.currency)

    def __neg__(self) -> "Money":
        """Return the same amount in the other direction."""
        return Money(self.amount.copy_negate(), self.currency)

    def rounded(self) -> "Money":
        """Return the amount at the currency's minor unit, half-up (away from zero)."""
        return Money(round_to_minor_unit(self.amount, currency(self.currency)), self.currency)


# Finer than any product of a price, a quantity and a share that people write, coarser than the dust of divisions that
# were cut off at `QUOTIENT_PLACES`: three thirds of a tie are the tie again.
_DUST: Final = Decimal(1).scaleb(10 - QUOTIENT_PLACES)
_SWEEPING: Final = DIVISION.copy()
_SWEEPING.rounding = ROUND_HALF_EVEN
# One minor unit, by the currency's exponent.
_STEPS: Final = {unit.exponent: Decimal(1).scaleb(-unit.exponent) for unit in CURRENCIES.values()}


def round_to_minor_unit(amount: Decimal, unit: Currency) -> Decimal:
    """Return `amount` rounded half-up (away from zero) at the currency's exponent, as EN 16931 asks of line nets."""
    rounded = DIVISION.quantize(_SWEEPING.quantize(amount, _DUST), _STEPS[unit.exponent])
    return rounded or rounded.copy_abs()


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum of amounts."""
    result = ZERO
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def allocate(amount: Decimal, weights: Sequence[Decimal], unit: Currency) -> tuple[Decimal, ...]:
    """Split a rounded amount over lines in proportion to non-negative weights, in minor units, by largest remainder.

    The parts always sum to `amount`. Equal remainders go to the earlier line. All weights zero: the first line takes
    all.
    """
    whole = total(weights)
    minor = int(amount.scaleb(unit.exponent, context=DIVISION))
    if not whole:
        return tuple(amount if index == 0 else ZERO for index in range(len(weights)))
    exact = [divide(multiply(Decimal(abs(minor)), weight), whole) for weight in weights]
    parts = [int(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-(exact[index] - parts[index]), index))
    for index in by_remainder[: abs(minor) - sum(parts)]:
        parts[index] += 1
    sign = -1 if minor < 0 else 1
    return tuple(Decimal(sign * part).scaleb(-unit.exponent) for part in parts)
