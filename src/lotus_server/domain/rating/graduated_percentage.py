"""Graduated percentage: each tier charges its percentage of the part of the amount that falls into it."""

from decimal import Decimal

from lotus_server.domain.catalog import GraduatedPercentage
from lotus_server.domain.rating.lines import Step
from lotus_server.domain.rating.percents import free_amount, percent_charge
from lotus_server.domain.rating.tiers import tier_name
from lotus_server.kernel.quantity import ONE, ZERO, subtract


def graduated_percentage_steps(price: GraduatedPercentage, amount: Decimal, steps: list[Step]) -> None:
    """Append the steps of every tier that an amount (not negative) reaches.

    A tier is reached by an amount beyond the end of the one before; the first tier, and with it its flat fee, always.
    """
    start = ZERO
    for number, tier in enumerate(price.tiers, start=1):
        if number > 1 and amount <= start:
            return
        end = amount if tier.up_to is None else min(amount, tier.up_to)
        what, within = tier_name(number, start, tier.up_to), subtract(end, start)
        if tier.flat_fee:
            steps.append(Step(f"{what}flat fee", ONE, tier.flat_fee, tier.flat_fee))
        if tier.rate_percent:
            steps.append(percent_charge(what, within, tier.rate_percent))
        elif not tier.flat_fee:
            steps.append(free_amount(what, within))
        if tier.up_to is None:
            return
        start = tier.up_to
