"""Units that are sold in batches: how many batches they are, and what those cost."""

from decimal import Decimal

from lotus_server.domain.catalog import Rounding
from lotus_server.domain.rating.lines import Step, units_text
from lotus_server.kernel.quantity import EXACT, ONE, ZERO, add, plain, share, whole_parts


def batches(units: Decimal, size: Decimal, rounding: Rounding) -> Decimal:
    """Return how many batches of a size a number of units (not negative) is charged as. `nearest` takes a half up."""
    if rounding is Rounding.NONE:
        return share(units, ONE, size)
    count, rest = whole_parts(units, size)
    if not rest or rounding is Rounding.DOWN:
        return count
    if rounding is Rounding.NEAREST and add(rest, rest) < size:
        return count
    return add(count, ONE)


def charge(what: str, units: Decimal, price: Decimal, *, size: Decimal, rounding: Rounding) -> Step:
    """Return the step that charges units at a price for each batch; `what` comes first in its text."""
    if size == ONE and rounding is Rounding.NONE:
        return Step(f"{what}{units_text(units)} x {plain(price)}", units, price, EXACT.multiply(units, price))
    count = batches(units, size, rounding)
    if rounding is Rounding.NONE:
        # The number of batches may have been cut off, so the amount is a product first and only then divided.
        text = f"{what}{units_text(units)} x {plain(price)} per {plain(size)}"
        return Step(text, count, price, share(units, price, size))
    rounded = "rounded half up" if rounding is Rounding.NEAREST else f"rounded {rounding}"
    text = f"{what}{units_text(units)} in batches of {plain(size)}, {rounded}: {plain(count)} x {plain(price)}"
    return Step(text, count, price, EXACT.multiply(count, price))


def free(what: str, units: Decimal) -> Step:
    """Return the step that charges nothing for units."""
    return Step(f"{what}{units_text(units)} free", units, ZERO, ZERO)
