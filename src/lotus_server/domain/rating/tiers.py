"""One tier: its flat fee, and its units."""

from decimal import Decimal
from functools import lru_cache

from lotus_server.domain.catalog import Tier
from lotus_server.domain.rating.batches import charge, free
from lotus_server.domain.rating.lines import Step
from lotus_server.kernel.quantity import ONE, plain


def tier_steps(tier: Tier, number: int, start: Decimal, units: Decimal) -> list[Step]:
    """Return the steps of a reached tier, which begins beyond `start`, for the units that are charged in it."""
    what = tier_name(number, start, tier.up_to)
    if tier.is_free:
        return [free(what, units)]
    steps = []
    if tier.flat_fee:
        steps.append(Step(f"{what}flat fee", ONE, tier.flat_fee, tier.flat_fee))
    if tier.unit_price:
        steps.append(charge(what, units, tier.unit_price, size=tier.batch_size, rounding=tier.rounding))
    return steps


@lru_cache(maxsize=4_096)
def tier_name(number: int, start: Decimal, end: Decimal | None) -> str:
    """Return what a tier is called in its steps. Kept, because the few tiers of a price are rated again and again."""
    if end is None:
        within = f"above {plain(start)}" if start else "every unit"
    else:
        within = f"above {plain(start)} up to {plain(end)}" if start else f"up to {plain(end)}"
    return f"tier {number} ({within}): "
