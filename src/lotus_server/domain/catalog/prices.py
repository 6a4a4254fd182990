"""Prices as data: how a quantity becomes money. The arithmetic is in `domain/rating`, one file per model."""

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.kernel.quantity import ONE, ZERO

TIERS_MAX: Final = 100
CELLS_MAX: Final = 1_000
DIMENSIONS_MAX: Final = 5

DimensionValues = tuple[str | None, ...]
"""A group's values, in the order of a matrix price's dimensions; null: the events lack the property."""


class Rounding(StrEnum):
    """What happens to a part of a batch. `nearest` takes a half up."""

    UP = "up"
    DOWN = "down"
    NEAREST = "nearest"
    NONE = "none"


class Tier(msgspec.Struct, frozen=True, omit_defaults=True):
    """A range of quantities, from the end of the tier before to `up_to` (included; null: without end).

    `unit_price` is the price of one batch of `batch_size` units; `flat_fee` is due once when the tier is reached, in
    the first tier always.
    """

    up_to: Decimal | None = None
    unit_price: Decimal = ZERO
    flat_fee: Decimal = ZERO
    batch_size: Decimal = ONE
    rounding: Rounding = Rounding.NONE

    @property
    def is_free(self) -> bool:
        """Tell whether nothing in this tier costs anything."""
        return not self.unit_price and not self.flat_fee


class PerUnit(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="model", tag="per_unit"):
    """Every unit beyond the free ones costs the same.

    Units are sold in batches of `batch_size` at `unit_price` a batch.
    """

    unit_price: Decimal
    free_units: Decimal = ZERO
    batch_size: Decimal = ONE
    rounding: Rounding = Rounding.NONE
    minimum_spend: Decimal | None = None
    maximum_spend: Decimal | None = None


class Graduated(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="model", tag="graduated"):
    """Each tier prices the part of the quantity that falls into it."""

    tiers: tuple[Tier, ...]
    minimum_spend: Decimal | None = None
    maximum_spend: Decimal | None = None


class Volume(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="model", tag="volume"):
    """The one tier that contains the whole quantity prices all of it.

    A quantity equal to a tier's end belongs to that tier.
    """

    tiers: tuple[Tier, ...]
    minimum_spend: Decimal | None = None
    maximum_spend: Decimal | None = None


class Package(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="model", tag="package"):
    """Units beyond the free ones are sold in whole packages.

    A package begun is a package sold, unless `rounding` says otherwise.
    """

    package_size: Decimal
    package_price: Decimal
    free_units: Decimal = ZERO
    rounding: Rounding = Rounding.UP
    minimum_spend: Decimal | None = None
    maximum_spend: Decimal | None = None


class PercentageTier(msgspec.Struct, frozen=True, omit_defaults=True):
    """A range of amounts, from the end of the tier before to `up_to` (included; null: without end).

    `rate_percent` of what falls into it is charged; `flat_fee` is due once when the tier is reached, in the first tier
    always.
    """

    up_to: Decimal | None = None
    rate_percent: Decimal = ZERO
    flat_fee: Decimal = ZERO


class Percentage(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="model", tag="percentage"):
    """A part of the amounts that events have, and a fee for each event.

    `free_events` and `free_amount` (null: no such limit) are the allowance at the start of a period: it ends for good
    at whichever limit is met first, and an event that is wholly within it costs nothing. `min_per_event` and
    `max_per_event` (null: none) bound what each further event costs, its fixed fee included.
    """

    rate_percent: Decimal
    fixed_fee: Decimal = ZERO
    free_events: int | None = None
    free_amount: Decimal | None = None
    min_per_event: Decimal | None = None
    max_per_event: Decimal | None = None
    minimum_spend: Decimal | None = None
    maximum_spend: Decimal | None = None

    @property
    def is_free(self) -> bool:
        """Tell whether no event ever costs anything."""
        return self.max_per_event == 0 or not (self.rate_percent or self.fixed_fee or self.min_per_event)

    @property
    def has_allowance(self) -> bool:
        """Tell whether what comes first in a period may be free."""
        return bool(self.free_events or self.free_amount)


class GraduatedPercentage(
    msgspec.Struct, frozen=True, omit_defaults=True, tag_field="model", tag="graduated_percentage"
):
    """Each tier charges its percentage of the part of the amount that falls into it."""

    tiers: tuple[PercentageTier, ...]
    minimum_spend: Decimal | None = None
    maximum_spend: Decimal | None = None


class Dynamic(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="model", tag="dynamic"):
    """The events say themselves what they cost, in `amount_property`; the sum of it is charged `multiplier` times."""

    amount_property: str
    multiplier: Decimal = ONE
    minimum_spend: Decimal | None = None
    maximum_spend: Decimal | None = None


CellPrice = PerUnit | Graduated | Volume | Package | Percentage | GraduatedPercentage | Dynamic
"""A price that a cell of a matrix can have: every model but the matrix itself."""


class MatrixCell(msgspec.Struct, frozen=True):
    """The price of one group: `when` has its value for each dimension, in their order."""

    when: DimensionValues
    price: CellPrice


class Matrix(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="model", tag="matrix"):
    """Each group of the usage is priced on its own: at its cell, or at `default` (null: it is not charged)."""

    dimensions: tuple[str, ...]
    cells: tuple[MatrixCell, ...] = ()
    default: CellPrice | None = None
    minimum_spend: Decimal | None = None
    maximum_spend: Decimal | None = None

    def price_of(self, group: DimensionValues) -> CellPrice | None:
        """Return the price of a group (null: it is not charged)."""
        return next((cell.price for cell in self.cells if cell.when == group), self.default)


Price = CellPrice | Matrix


def needs_event_count(price: Price) -> bool:
    """Tell whether a price needs to know how many events there were, beside their sum."""
    return isinstance(price, Percentage) and bool(price.fixed_fee)


def needs_event_values(price: Price) -> bool:
    """Tell whether a price needs the value of every event of the period, in order.

    Which events an allowance covers, and the least and the most for an event, cannot be had from a sum and a count. A
    free amount without fees can: whatever the events, all of the sum beyond it is charged.
    """
    if not isinstance(price, Percentage):
        return False
    if price.min_per_event is not None or price.max_per_event is not None:
        return True
    return bool(price.free_events) or bool(price.free_amount and price.fixed_fee)


def needs_only_quantity(price: Price) -> bool:
    """Tell whether the quantity that a metric answers is all that a price needs.

    A matrix needs the usage of each group, and a dynamic price the sum of a property of its own choice, which is the
    metric's quantity only by chance.
    """
    return not (isinstance(price, Matrix | Dynamic) or needs_event_count(price) or needs_event_values(price))


def prices_within(price: Price) -> tuple[CellPrice, ...]:
    """Return the prices that quantities meet: the price itself, or those of a matrix's cells and its default."""
    if not isinstance(price, Matrix):
        return (price,)
    return (*(cell.price for cell in price.cells), *(() if price.default is None else (price.default,)))


def without_minimum(price: Price) -> Price:
    """Return a price that charges what usage costs and lifts it to no minimum spend."""
    if not isinstance(price, Matrix):
        return msgspec.structs.replace(price, minimum_spend=None)
    cells = tuple(
        MatrixCell(cell.when, msgspec.structs.replace(cell.price, minimum_spend=None)) for cell in price.cells
    )
    default = None if price.default is None else msgspec.structs.replace(price.default, minimum_spend=None)
    return msgspec.structs.replace(price, cells=cells, default=default, minimum_spend=None)


def free_units(price: Price) -> Decimal | None:
    """Return how many units cost nothing at all, or null when no quantity ever costs anything.

    In a tiered price these are the leading tiers that are free. The free units of a price whose first unit costs are
    zero, and so are those of one that is not priced by its quantity alone.
    """
    match price:
        case PerUnit():
            return price.free_units if price.unit_price else None
        case Package():
            return price.free_units if price.package_price else None
        case Percentage():
            if price.is_free:
                return None
            return ZERO if needs_event_values(price) else price.free_amount or ZERO
        case Dynamic():
            return ZERO if price.multiplier else None
        case Matrix():
            costs = any(free_units(cell.price) is not None for cell in price.cells)
            return ZERO if costs or (price.default is not None and free_units(price.default) is not None) else None
        case GraduatedPercentage():
            return _free_start([(tier.up_to, not tier.rate_percent and not tier.flat_fee) for tier in price.tiers])
        case _:
            return _free_start([(tier.up_to, tier.is_free) for tier in price.tiers])


def _free_start(tiers: list[tuple[Decimal | None, bool]]) -> Decimal | None:
    """Return where the leading free tiers end; a tier is its end, and whether it is free."""
    free = ZERO
    for end, is_free in tiers:
        if not is_free:
            return free
        if end is None:
            return None
        free = end
    return free
