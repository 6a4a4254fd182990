"""Graduated: each tier prices the part of the quantity that falls into it."""

from decimal import Decimal

from lotus_server.domain.catalog import Graduated
from lotus_server.domain.rating.lines import Step
from lotus_server.domain.rating.tiers import tier_steps
from lotus_server.kernel.quantity import ZERO, subtract


def graduated_steps(price: Graduated, quantity: Decimal, steps: list[Step]) -> None:
    """Append the steps of every tier that a quantity (not negative) reaches.

    A tier is reached by a quantity beyond the end of the one before; the first tier, and with it its flat fee, always.
    """
    start = ZERO
    for number, tier in enumerate(price.tiers, start=1):
        if number > 1 and quantity <= start:
            return
        end = quantity if tier.up_to is None else min(quantity, tier.up_to)
        steps += tier_steps(tier, number, start, subtract(end, start))
        if tier.up_to is None:
            return
        start = tier.up_to
