"""Overage: what usage costs beyond units that were paid for in advance."""

from decimal import Decimal

from lotus_server.domain.catalog import Price
from lotus_server.domain.rating.lines import Rated, Step
from lotus_server.domain.rating.rate import rate
from lotus_server.kernel.quantity import ZERO, add, plain, readable, subtract


def rate_beyond(price: Price, quantity: Decimal, *, prepaid: Decimal) -> Rated:
    """Return what a quantity costs more than the prepaid units, never less than nothing.

    Unused units are not given back. Usage up to the prepaid units costs nothing more, whatever the price.
    """
    if quantity <= prepaid:
        return Rated(
            ZERO, (Step(f"{readable(quantity)} of {plain(prepaid)} prepaid units were used", quantity, ZERO, ZERO),)
        )
    whole, paid = rate(price, quantity), rate(price, prepaid)
    less = subtract(ZERO, paid.amount)
    steps = [*whole.steps, Step(f"less what the {plain(prepaid)} prepaid units cost", prepaid, None, less)]
    amount = add(whole.amount, less)
    if amount < 0:
        steps.append(
            Step("no more is due than was prepaid, and nothing comes back", None, None, subtract(ZERO, amount))
        )
        amount = ZERO
    return Rated(amount, tuple(steps))
