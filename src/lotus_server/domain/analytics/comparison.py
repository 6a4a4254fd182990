"""A number beside the one of the window before."""

from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.kernel.quantity import DIVISION, ZERO, share, subtract

_HUNDRED: Final = Decimal(100)
_TENTH: Final = Decimal("0.1")


class Comparison(msgspec.Struct, frozen=True):
    """A number of a window, and of the window of the same length before it."""

    value: Decimal
    before: Decimal

    @property
    def change(self) -> Decimal:
        """Return by how much the number is greater than before."""
        return subtract(self.value, self.before)

    @property
    def change_percent(self) -> Decimal | None:
        """Return the change in percent of what was before, to a tenth, half-up; null when that was zero or less."""
        return percent_of(self.change, self.before)


def percent_of(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return what percentage a part is of a whole, to a tenth, half-up; null when the whole is zero or less."""
    if whole <= ZERO:
        return None
    return share(part, _HUNDRED, whole).quantize(_TENTH, context=DIVISION)
