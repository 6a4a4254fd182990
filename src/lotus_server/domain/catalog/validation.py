"""Everything that can be wrong with a price, a component, a charge or a version, all of it at once.

Paths are those of the JSON in which the thing arrived: `components[2].price.tiers[0].up_to`.
"""

from decimal import Decimal
from typing import Final

from lotus_server.domain.catalog.plans import (
    COMPONENTS_MAX,
    FEATURES_MAX,
    RECURRING_CHARGES_MAX,
    Component,
    Plan,
    PlanVersion,
    RecurringCharge,
)
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
    needs_event_values,
    prices_within,
)
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.identifiers import identifier_problem, name_problem
from lotus_server.kernel.quantity import ZERO, in_range, plain

AMOUNT_LIMIT: Final = Decimal(10) ** 15
BATCH_SIZE_MIN: Final = Decimal(10) ** -6
DESCRIPTION_LENGTH_MAX: Final = 2_000
_NOT_BILLED: Final = (
    "Plans cannot have this price yet, because it needs each event's value; the price preview serves it."
)


def price_problems(price: Price) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a price; rating trusts a price without problems."""
    found = Problems()
    match price:
        case PerUnit():
            _amount(found, "unit_price", price.unit_price)
            _quantity(found, "free_units", price.free_units)
            _batch(found, "batch_size", price.batch_size)
        case Package():
            _amount(found, "package_price", price.package_price)
            _quantity(found, "free_units", price.free_units)
            _batch(found, "package_size", price.package_size)
        case Percentage():
            _percentage(found, price)
        case GraduatedPercentage():
            found.extend(percentage_tiers_problems(price.tiers))
        case Dynamic():
            _text(found, "amount_property", name_problem(price.amount_property))
            _amount(found, "multiplier", price.multiplier)
        case Matrix():
            _matrix(found, price)
        case _:
            found.extend(tiers_problems(price.tiers))
    _limits(found, "minimum_spend", price.minimum_spend, "maximum_spend", price.maximum_spend)
    return found.found


def tiers_problems(tiers: tuple[Tier, ...]) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with the tiers of one price: each one's own numbers, and their order."""
    found = Problems()
    if _has_tiers(found, len(tiers)):
        for index, tier in enumerate(tiers):
            path = f"tiers[{index}]."
            _amount(found, f"{path}unit_price", tier.unit_price)
            _amount(found, f"{path}flat_fee", tier.flat_fee)
            _batch(found, f"{path}batch_size", tier.batch_size)
        _tier_ends(found, [tier.up_to for tier in tiers])
    return found.found


def percentage_tiers_problems(tiers: tuple[PercentageTier, ...]) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with the tiers of one graduated percentage."""
    found = Problems()
    if _has_tiers(found, len(tiers)):
        for index, tier in enumerate(tiers):
            path = f"tiers[{index}]."
            _amount(found, f"{path}rate_percent", tier.rate_percent)
            _amount(found, f"{path}flat_fee", tier.flat_fee)
        _tier_ends(found, [tier.up_to for tier in tiers])
    return found.found


def component_problems(component: Component) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a component, except whether its metric exists."""
    found = Problems()
    found.extend(price_problems(component.price), under="price.")
    if any(map(needs_event_values, prices_within(component.price))):
        found.add("price.model", "unsupported", _NOT_BILLED)
    if component.limit is not None:
        _quantity(found, "limit", component.limit)
    if component.prepaid is not None and component.prepaid.units is not None:
        _quantity(found, "prepaid_charge.units", component.prepaid.units)
    return found.found


def charge_problems(charge: RecurringCharge) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a recurring charge."""
    found = Problems()
    _text(found, "name", name_problem(charge.name))
    _amount(found, "amount", charge.amount)
    _amount(found, "quantity", charge.quantity)
    return found.found


def version_problems(version: PlanVersion) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a version, except whether the metrics and features it names exist."""
    found = Problems()
    _text(found, "version_id", identifier_problem(version.version_id))
    if version.currency not in CURRENCIES:
        found.add("currency", "unknown_currency", f"{version.currency!r} is not an ISO 4217 currency code.")
    if version.trial_days:
        found.add("trial_days", "unsupported", "Trials are not supported yet: leave trial_days out, or 0.")
    lists = (
        ("recurring_charges", len(version.recurring_charges), RECURRING_CHARGES_MAX),
        ("components", len(version.components), COMPONENTS_MAX),
        ("features", len(version.feature_ids), FEATURES_MAX),
    )
    for field, count, limit in lists:
        if count > limit:
            found.add(field, "too_many", f"A plan version has at most {limit} {field.replace('_', ' ')}.")
            return found.found
    for index, charge in enumerate(version.recurring_charges):
        found.extend(charge_problems(charge), under=f"recurring_charges[{index}].")
    for index, component in enumerate(version.components):
        found.extend(component_problems(component), under=f"components[{index}].")
    return found.found


def plan_problems(plan: Plan) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a plan itself."""
    found = Problems()
    _text(found, "plan_id", identifier_problem(plan.plan_id))
    _text(found, "plan_name", name_problem(plan.plan_name))
    _text(found, "description", description_problem(plan.description))
    return found.found


def description_problem(text: str) -> str | None:
    """Return why a text cannot be a description, as the end of a sentence; it may be empty and have line breaks."""
    if len(text) > DESCRIPTION_LENGTH_MAX:
        return f"must have at most {DESCRIPTION_LENGTH_MAX} characters"
    inner = text.translate({0x09: None, 0x0A: None, 0x0D: None}).strip()
    return name_problem(inner, length_max=DESCRIPTION_LENGTH_MAX) if inner else None


def _text(found: Problems, field: str, problem: str | None) -> None:
    if problem:
        found.add(field, "invalid", f"{field} {problem}.")


def _amount(found: Problems, field: str, amount: Decimal) -> None:
    """Check an amount of money: not negative, below 10^15 major units."""
    if not in_range(amount) or amount >= AMOUNT_LIMIT:
        found.add(field, "out_of_range", f"{field} must be below 10^15, with at most 30 decimal places.")
    elif amount < 0:
        found.add(field, "negative", f"{field} must not be negative.")


def _quantity(found: Problems, field: str, quantity: Decimal) -> bool:
    """Check a number of units: not negative, within the digits that are exact. Tell whether it passed."""
    if not in_range(quantity):
        found.add(field, "out_of_range", f"{field} must have at most 30 digits before and 30 after the decimal point.")
    elif quantity < 0:
        found.add(field, "negative", f"{field} must not be negative.")
    else:
        return True
    return False


def _batch(found: Problems, field: str, size: Decimal) -> None:
    """Check the size of a batch: positive, and not so small or large that a division would need too many digits."""
    if in_range(size) and size <= 0:
        found.add(field, "not_positive", f"{field} must be greater than 0.")
    elif not in_range(size) or not BATCH_SIZE_MIN <= size < AMOUNT_LIMIT:
        found.add(field, "out_of_range", f"{field} must be at least 0.000001 and below 10^15.")


def _limits(found: Problems, lower: str, minimum: Decimal | None, upper: str, maximum: Decimal | None) -> None:
    """Check two amounts (null: no such limit) of which one bounds from below and one from above."""
    given = {field: limit for field, limit in ((lower, minimum), (upper, maximum)) if limit is not None}
    for field, limit in given.items():
        _amount(found, field, limit)
    if len(given) == 2 and all(map(in_range, given.values())) and given[lower] > given[upper]:
        found.add(upper, "below_minimum", f"{upper} must not be below {lower}.")


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
        elif _quantity(found, field, end):
            if end <= start:
                found.add(field, "not_ascending", f"A tier ends above {plain(start)}, where it begins.")
            start = max(start, end)


def _percentage(found: Problems, price: Percentage) -> None:
    _amount(found, "rate_percent", price.rate_percent)
    _amount(found, "fixed_fee", price.fixed_fee)
    if price.free_events is not None:
        _quantity(found, "free_events", Decimal(price.free_events))
    if price.free_amount is not None:
        _quantity(found, "free_amount", price.free_amount)
    limits = {"free_events": price.free_events, "free_amount": price.free_amount}
    given = {field: limit for field, limit in limits.items() if limit is not None}
    if len(given) == 2 and sum(not limit for limit in given.values()) == 1:
        field = next(field for field, limit in given.items() if not limit)
        detail = f"{field} 0 would end the allowance before it begins: leave it out, or leave out the other."
        found.add(field, "ambiguous", detail)
    _limits(found, "min_per_event", price.min_per_event, "max_per_event", price.max_per_event)


def _matrix(found: Problems, price: Matrix) -> None:
    if not price.dimensions:
        found.add("dimensions", "required", "A matrix has at least one dimension.")
    if len(price.dimensions) > DIMENSIONS_MAX:
        found.add("dimensions", "too_many", f"A matrix has at most {DIMENSIONS_MAX} dimensions.")
    for index, name in enumerate(price.dimensions[: DIMENSIONS_MAX + 1]):
        _text(found, f"dimensions[{index}]", name_problem(name))
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
