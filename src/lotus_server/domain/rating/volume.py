"""Volume: the one tier that contains the whole quantity prices all of it."""

from decimal import Decimal

from lotus_server.domain.catalog import Volume
from lotus_server.domain.rating.lines import Step
from lotus_server.domain.rating.tiers import tier_steps
from lotus_server.kernel.quantity import ZERO


def volume_steps(price: Volume, quantity: Decimal, steps: list[Step]) -> None:
    """Append the steps of the first tier that ends at or after a quantity (not negative); all its units count there."""
    start = ZERO
    for number, tier in enumerate(price.tiers, start=1):
        if tier.up_to is None or quantity <= tier.up_to:
            steps += tier_steps(tier, number, start, quantity)
            return
        start = tier.up_to
    raise AssertionError("the last tier of a price has no end")
