"""Per unit: every unit beyond the free ones costs the same."""

from decimal import Decimal

from lotus_server.domain.catalog import PerUnit
from lotus_server.domain.rating.batches import charge, free
from lotus_server.domain.rating.lines import Step
from lotus_server.kernel.quantity import subtract


def per_unit_steps(price: PerUnit, quantity: Decimal, steps: list[Step]) -> None:
    """Append the steps of a quantity that is not negative: what is free, then what is charged."""
    units, what = quantity, ""
    if price.free_units:
        steps.append(free("", min(quantity, price.free_units)))
        if quantity <= price.free_units:
            return
        units, what = subtract(quantity, price.free_units), "the other "
    steps.append(charge(what, units, price.unit_price, size=price.batch_size, rounding=price.rounding))
