"""Package: units beyond the free ones are sold by the package, and a package begun is a package sold."""

from decimal import Decimal

from lotus_server.domain.catalog import Package
from lotus_server.domain.rating.batches import charge, free
from lotus_server.domain.rating.lines import Step
from lotus_server.kernel.quantity import subtract


def package_steps(price: Package, quantity: Decimal, steps: list[Step]) -> None:
    """Append the steps of a quantity that is not negative: what is free, then the packages."""
    units, what = quantity, ""
    if price.free_units:
        steps.append(free("", min(quantity, price.free_units)))
        if quantity <= price.free_units:
            return
        units, what = subtract(quantity, price.free_units), "the other "
    steps.append(charge(what, units, price.package_price, size=price.package_size, rounding=price.rounding))
