"""What a price comes to over a range of quantities: the points that show its bends and its steps."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from lotus_server.domain.catalog import (
    CellPrice,
    Dynamic,
    Graduated,
    GraduatedPercentage,
    Package,
    Percentage,
    PerUnit,
    Rounding,
    Volume,
    needs_only_quantity,
)
from lotus_server.domain.rating.rate import rate
from lotus_server.domain.rating.usage import RatedUsage
from lotus_server.kernel.quantity import ZERO, add, divide, multiply

EVEN_POINTS: Final = 25
STEPS_MAX: Final = 60
_HUNDRED: Final = Decimal(100)
_TEN: Final = Decimal(10)
_HALF_MORE: Final = Decimal("1.5")
_EVEN_STEP: Final = Decimal("0.04")
_NEXT_TO: Final = Decimal("0.001")


def curve_of(price: CellPrice, *, up_to: Decimal | None = None) -> tuple[tuple[Decimal, Decimal], ...]:
    """Return quantities from 0 on, ascending, each with what it costs alone, exact.

    They lie evenly, and besides on both sides of every quantity at which the price bends or jumps. The range has all
    tiers of the price, and `up_to` if that is given. What is charged by the event is shown for one event.
    """
    end = max(_natural_end(price), up_to or ZERO)
    points = {multiply(end, multiply(_EVEN_STEP, Decimal(number))) for number in range(EVEN_POINTS + 1)}
    for bend in _bends(price, end):
        points |= {each for each in (bend, add(bend, multiply(end, _NEXT_TO))) if each <= end}
    return tuple((each, rate(price, _usage(price, each)).amount) for each in sorted(points))


def _usage(price: CellPrice, quantity: Decimal) -> RatedUsage:
    if needs_only_quantity(price) or isinstance(price, Dynamic):
        return RatedUsage(quantity)
    return RatedUsage.of_events((quantity,))


def _natural_end(price: CellPrice) -> Decimal:
    """Return a quantity by which a price has shown what there is to it."""
    match price:
        case PerUnit():
            return add(multiply(price.free_units, Decimal(2)), multiply(price.batch_size, _TEN))
        case Package():
            return add(price.free_units, multiply(price.package_size, Decimal(6)))
        case Percentage():
            return max(_HUNDRED, multiply(price.free_amount or ZERO, Decimal(2)))
        case Dynamic():
            return _HUNDRED
        case Graduated() | Volume() | GraduatedPercentage():
            ends = [tier.up_to for tier in price.tiers if tier.up_to is not None]
            return multiply(ends[-1], _HALF_MORE) if ends else _HUNDRED


def _bends(price: CellPrice, end: Decimal) -> Iterator[Decimal]:
    """Yield the quantities at which a price bends or jumps, except those of its limits of spend."""
    match price:
        case PerUnit():
            yield price.free_units
            if price.rounding is not Rounding.NONE:
                yield from _multiples(price.free_units, price.batch_size, end)
        case Package():
            yield price.free_units
            yield from _multiples(price.free_units, price.package_size, end)
        case Percentage():
            yield price.free_amount or ZERO
        case Graduated() | Volume() | GraduatedPercentage():
            yield ZERO
            yield from (tier.up_to for tier in price.tiers if tier.up_to is not None)
        case Dynamic():
            return


def _multiples(start: Decimal, size: Decimal, end: Decimal) -> Iterator[Decimal]:
    """Yield the ends of batches, unless they are too many to be seen."""
    if divide(end, size) > STEPS_MAX:
        return
    place = start
    while place <= end:
        yield place
        place = add(place, size)
