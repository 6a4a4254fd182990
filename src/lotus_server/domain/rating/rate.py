"""The way into rating: find the price's model, and keep to its limits of spend."""

from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never

from lotus_server.domain.catalog import (
    Dynamic,
    Graduated,
    GraduatedPercentage,
    Matrix,
    Package,
    Percentage,
    PerUnit,
    Price,
    Volume,
)
from lotus_server.domain.rating.dynamic import dynamic_steps
from lotus_server.domain.rating.graduated import graduated_steps
from lotus_server.domain.rating.graduated_percentage import graduated_percentage_steps
from lotus_server.domain.rating.lines import Rated, Step, charged_quantity, with_spend_limits
from lotus_server.domain.rating.matrix import matrix_steps
from lotus_server.domain.rating.package import package_steps
from lotus_server.domain.rating.per_unit import per_unit_steps
from lotus_server.domain.rating.percentage import percentage_steps
from lotus_server.domain.rating.usage import RatedUsage
from lotus_server.domain.rating.volume import volume_steps
from lotus_server.kernel.quantity import ZERO, add, readable, subtract


def rate(price: Price, usage: RatedUsage | Decimal) -> Rated:
    """Return what the usage of one period costs, exact and not rounded, with every step of the calculation.

    A quantity alone is enough for a price of which `needs_only_quantity` is true, and, as the sum of the amounts that
    the events name, for a dynamic one. Usage that lacks what a price needs is a defect of the caller, never a guess.
    """
    if isinstance(usage, Decimal):
        usage = RatedUsage(usage)
    steps: list[Step] = []
    if isinstance(price, Matrix):
        assert usage.groups is not None, "a matrix needs the usage of each group"
        matrix_steps(price, usage.groups, steps, rate)
    elif isinstance(price, Percentage):
        percentage_steps(price, usage, steps)
    elif isinstance(price, Dynamic):
        dynamic_steps(price, charged_quantity(usage.quantity, steps), usage.skipped, steps)
    else:
        _append_steps(price, charged_quantity(usage.quantity, steps), steps)
    return with_spend_limits(steps, price.minimum_spend, price.maximum_spend)


def _append_steps(
    price: PerUnit | Graduated | Volume | Package | GraduatedPercentage, quantity: Decimal, steps: list[Step]
) -> None:
    if isinstance(price, PerUnit):
        per_unit_steps(price, quantity, steps)
    elif isinstance(price, Graduated):
        graduated_steps(price, quantity, steps)
    elif isinstance(price, Volume):
        volume_steps(price, quantity, steps)
    elif isinstance(price, Package):
        package_steps(price, quantity, steps)
    elif isinstance(price, GraduatedPercentage):
        graduated_percentage_steps(price, quantity, steps)
    else:
        assert_never(price)


def rate_on_top(price: Price, usage: RatedUsage | Decimal, already_rated: RatedUsage | Decimal) -> Rated:
    """Return what usage costs that comes on top of other usage, which the same period was charged for before.

    It is the price of both together less the price of what was rated already, so a period that is charged in parts
    costs what it costs in one piece. Negative when the price falls with the quantity, or when `usage` is negative.
    """
    earlier = RatedUsage(already_rated) if isinstance(already_rated, Decimal) else already_rated
    later = RatedUsage(usage) if isinstance(usage, Decimal) else usage
    before = rate(price, earlier)
    both = rate(price, earlier.and_then(later))
    text = f"less what {readable(earlier.quantity)} of them cost already"
    # Not `-before.amount`: an operator rounds to the 28 digits of the interpreter's own context.
    less = subtract(ZERO, before.amount)
    return Rated(add(both.amount, less), (*both.steps, Step(text, earlier.quantity, None, less)))


def rate_each(price: Price, usages: Sequence[RatedUsage] | Sequence[Decimal]) -> Rated:
    """Return what several usages cost of which each is priced on its own, such as the windows of a period.

    The steps are those of one after the other. No usages cost nothing: no price is reached.
    """
    parts = [rate(price, usage) for usage in usages]
    amount = ZERO
    for part in parts:
        amount = add(amount, part.amount)
    return Rated(amount, tuple(step for part in parts for step in part.steps))
