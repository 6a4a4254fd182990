"""The way into rating: find the price's model, and keep to its limits of spend."""

from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never

from lotus_server.domain.catalog import Graduated, Package, PerUnit, Price, Volume
from lotus_server.domain.rating.graduated import graduated_steps
from lotus_server.domain.rating.lines import Rated, Step, with_spend_limits
from lotus_server.domain.rating.package import package_steps
from lotus_server.domain.rating.per_unit import per_unit_steps
from lotus_server.domain.rating.volume import volume_steps
from lotus_server.kernel.quantity import ZERO, add, plain, subtract


def rate(price: Price, quantity: Decimal) -> Rated:
    """Return what a quantity of one period costs, exact and not rounded, with every step of the calculation.

    A quantity below zero (more was taken back than used) is charged as zero and says so in a step of its own: what is
    owed to a customer for it belongs to the period in which that usage was charged, as a correction there.
    """
    steps: list[Step] = []
    if quantity < ZERO:
        steps.append(Step(f"a usage of {plain(quantity)} is charged as 0", quantity, None, ZERO))
    if quantity.is_signed():
        quantity = ZERO
    if isinstance(price, PerUnit):
        per_unit_steps(price, quantity, steps)
    elif isinstance(price, Graduated):
        graduated_steps(price, quantity, steps)
    elif isinstance(price, Volume):
        volume_steps(price, quantity, steps)
    elif isinstance(price, Package):
        package_steps(price, quantity, steps)
    else:
        assert_never(price)
    return with_spend_limits(steps, price.minimum_spend, price.maximum_spend)


def rate_on_top(price: Price, quantity: Decimal, already_rated: Decimal) -> Rated:
    """Return what a quantity costs that comes on top of another, which the same period was charged for before.

    It is the price of both together less the price of what was rated already, so a period that is charged in parts
    costs what it costs in one piece. Negative when the price falls with the quantity, or when `quantity` is negative.
    """
    before = rate(price, already_rated)
    both = rate(price, add(already_rated, quantity))
    text = f"less what {plain(already_rated)} of them cost already"
    # Not `-before.amount`: an operator rounds to the 28 digits of the interpreter's own context.
    less = subtract(ZERO, before.amount)
    return Rated(add(both.amount, less), (*both.steps, Step(text, already_rated, None, less)))


def rate_each(price: Price, quantities: Sequence[Decimal]) -> Rated:
    """Return what several quantities cost of which each is priced on its own, such as the groups of a metric.

    The steps are those of one quantity after the other. No quantities cost nothing: no price is reached.
    """
    parts = [rate(price, quantity) for quantity in quantities]
    amount = ZERO
    for part in parts:
        amount = add(amount, part.amount)
    return Rated(amount, tuple(step for part in parts for step in part.steps))
