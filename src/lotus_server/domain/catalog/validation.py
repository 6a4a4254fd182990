"""Everything that can be wrong with a price, a component or a charge, all of it at once.

Paths are those of the JSON in which the thing arrived: `components[2].price.tiers[0].up_to`.
"""

from decimal import Decimal

from lotus_server.domain.catalog.checks import (
    check_amount,
    check_batch,
    check_limits,
    check_quantity,
    check_rate,
    check_text,
)
from lotus_server.domain.catalog.plans import Component, RecurringCharge
from lotus_server.domain.catalog.prices import (
    CELLS_MAX,
    DIMENSIONS_MAX,
    TIERS_MAX,
    Dynamic,
    GraduatedPercentage,
    Matrix,
    Package,
    Percentage,
    PercentageTier,
    PerUnit,
    Price,
    Tier,
)
from lotus_server.domain.catalog.terms import Conversion
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.identifiers import name_problem
from lotus_server.kernel.quantity import ZERO, plain


def price_problems(price: Price) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a price; rating trusts a price without problems."""
    found = Problems()
    match price:
        case PerUnit():
            check_amount(found, "unit_price", price.unit_price)
            check_quantity(found, "free_units", price.free_units)
            check_batch(found, "batch_size", price.batch_size)
        case Package():
            check_amount(found, "package_price", price.package_price)
            check_quantity(found, "free_units", price.free_units)
            check_batch(found, "package_size", price.package_size)
        case Percentage():
            _percentage(found, price)
        case GraduatedPercentage():
            found.extend(percentage_tiers_problems(price.tiers))
        case Dynamic():
            check_text(found, "amount_property", name_problem(price.amount_property))
            check_amount(found, "multiplier", price.multiplier)
        case Matrix():
            _matrix(found, price)
        case _:
            found.extend(tiers_problems(price.tiers))
    check_limits(found, "minimum_spend", price.minimum_spend, "maximum_spend", price.maximum_spend)
    return found.found


def tiers_problems(tiers: tuple[Tier, ...]) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with the tiers of one price: each one's own numbers, and their order."""
    found = Problems()
    if _has_tiers(found, len(tiers)):
        for index, tier in enumerate(tiers):
            path = f"tiers[{index}]."
            check_amount(found, f"{path}unit_price", tier.unit_price)
            check_amount(found, f"{path}flat_fee", tier.flat_fee)
            check_batch(found, f"{path}batch_size", tier.batch_size)
        _tier_ends(found, [tier.up_to for tier in tiers])
    return found.found


def percentage_tiers_problems(tiers: tuple[PercentageTier, ...]) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with the tiers of one graduated percentage."""
    found = Problems()
    if _has_tiers(found, len(tiers)):
        for index, tier in enumerate(tiers):
            path = f"tiers[{index}]."
            check_amount(found, f"{path}rate_percent", tier.rate_percent)
            check_amount(found, f"{path}flat_fee", tier.flat_fee)
        _tier_ends(found, [tier.up_to for tier in tiers])
    return found.found


def component_problems(component: Component) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a component, except whether its metric exists."""
    found = Problems()
    found.extend(price_problems(component.price), under="price.")
    if component.limit is not None:
        check_quantity(found, "limit", component.limit)
    if component.prepaid is not None and component.prepaid.units is not None:
        check_quantity(found, "prepaid_charge.units", component.prepaid.units)
    if component.conversion is not None:
        found.extend(conversion_problems(component.conversion))
    return found.found


def conversion_problems(conversion: Conversion) -> tuple[FieldProblem, ...]:
    """Return what is wrong with what a pricing unit costs."""
    found = Problems()
    check_rate(found, conversion.rate)
    return found.found


def charge_problems(charge: RecurringCharge) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a recurring charge."""
    found = Problems()
    check_text(found, "name", name_problem(charge.name))
    check_amount(found, "amount", charge.amount)
    check_amount(found, "quantity", charge.quantity)
    if charge.conversion is not None:
        found.extend(conversion_problems(charge.conversion))
    return found.found


def _has_tiers(found: Problems, count: int) -> bool:
    """Check the number of tiers. Tell whether there are not too many to look at each."""
    if not count:
        found.add("tiers", "required", "A tiered price has at least one tier.")
    if count > TIERS_MAX:
        found.add("tiers", "too_many", f"A price has at most {TIERS_MAX} tiers.")
    return count <= TIERS_MAX


def _tier_ends(found: Problems, ends: list[Decimal | None]) -> None:
    """Check that the ends of tiers ascend from 0, and that only the last one is missing."""
    start = ZERO
    for index, end in enumerate(ends):
        field = f"tiers[{index}].up_to"
        is_last = index == len(ends) - 1
        if end is None:
            if not is_last:
                found.add(field, "required", "Only the last tier may be without an end.")
        elif is_last:
            found.add(field, "last_tier_not_open", "The last tier has no end: leave up_to out, or null.")
        elif check_quantity(found, field, end):
            if end <= start:
                found.add(field, "not_ascending", f"A tier ends above {plain(start)}, where it begins.")
            start = max(start, end)


def _percentage(found: Problems, price: Percentage) -> None:
    check_amount(found, "rate_percent", price.rate_percent)
    check_amount(found, "fixed_fee", price.fixed_fee)
    if price.free_events is not None:
        check_quantity(found, "free_events", Decimal(price.free_events))
    if price.free_amount is not None:
        check_quantity(found, "free_amount", price.free_amount)
    limits = {"free_events": price.free_events, "free_amount": price.free_amount}
    given = {field: limit for field, limit in limits.items() if limit is not None}
    if len(given) == 2 and sum(not limit for limit in given.values()) == 1:
        field = next(field for field, limit in given.items() if not limit)
        detail = f"{field} 0 would end the allowance before it begins: leave it out, or leave out the other."
        found.add(field, "ambiguous", detail)
    check_limits(found, "min_per_event", price.min_per_event, "max_per_event", price.max_per_event)


def _matrix(found: Problems, price: Matrix) -> None:
    if not price.dimensions:
        found.add("dimensions", "required", "A matrix has at least one dimension.")
    if len(price.dimensions) > DIMENSIONS_MAX:
        found.add("dimensions", "too_many", f"A matrix has at most {DIMENSIONS_MAX} dimensions.")
    for index, name in enumerate(price.dimensions[: DIMENSIONS_MAX + 1]):
        check_text(found, f"dimensions[{index}]", name_problem(name))
        if name in price.dimensions[:index]:
            found.add(f"dimensions[{index}]", "duplicate", f"The dimension {name!r} stands there twice.")
    if not price.cells and price.default is None:
        found.add("cells", "required", "A matrix has at least one cell, or a default.")
    if len(price.cells) > CELLS_MAX:
        found.add("cells", "too_many", f"A matrix has at most {CELLS_MAX} cells.")
    else:
        _cells(found, price)
    if price.default is not None:
        found.extend(price_problems(price.default), under="default.")


def _cells(found: Problems, price: Matrix) -> None:
    known = set()
    for index, cell in enumerate(price.cells):
        if len(cell.when) != len(price.dimensions):
            found.add(f"cells[{index}].when", "invalid", "A cell has one value for each dimension.")
        elif cell.when in known:
            found.add(f"cells[{index}].when", "duplicate", "Another cell has the same values.")
        known.add(cell.when)
        found.extend(price_problems(cell.price), under=f"cells[{index}].price.")
