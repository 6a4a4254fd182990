"""Prices as data: how a quantity becomes money. The arithmetic is in `domain/rating`, one file per model."""

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.kernel.quantity import ONE, ZERO

TIERS_MAX: Final = 100


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


Price = PerUnit | Graduated | Volume | Package


def free_units(price: Price) -> Decimal | None:
    """Return how many units cost nothing at all, or null when no quantity ever costs anything.

    In a tiered price these are the leading tiers that are free. The free units of a price whose first unit costs are
    zero.
    """
    if isinstance(price, PerUnit):
        return price.free_units if price.unit_price else None
    if isinstance(price, Package):
        return price.free_units if price.package_price else None
    return _free_start(price.tiers)


def _free_start(tiers: tuple[Tier, ...]) -> Decimal | None:
    free = ZERO
    for tier in tiers:
        if not tier.is_free:
            return free
        if tier.up_to is None:
            return None
        free = tier.up_to
    return free
