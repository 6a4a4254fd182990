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
from lotus_server.domain.catalog.prices import TIERS_MAX, Package, PerUnit, Price, Tier
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.identifiers import identifier_problem, name_problem
from lotus_server.kernel.quantity import in_range, plain

AMOUNT_LIMIT: Final = Decimal(10) ** 15
BATCH_SIZE_MIN: Final = Decimal(10) ** -6
DESCRIPTION_LENGTH_MAX: Final = 2_000


def price_problems(price: Price) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a price; rating trusts a price without problems."""
    found = Problems()
    if isinstance(price, PerUnit):
        _amount(found, "unit_price", price.unit_price)
        _quantity(found, "free_units", price.free_units)
        _batch(found, "batch_size", price.batch_size)
    elif isinstance(price, Package):
        _amount(found, "package_price", price.package_price)
        _quantity(found, "free_units", price.free_units)
        _batch(found, "package_size", price.package_size)
    else:
        found.extend(tiers_problems(price.tiers))
    _spend_limits(found, price.minimum_spend, price.maximum_spend)
    return found.found


def tiers_problems(tiers: tuple[Tier, ...]) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with the tiers of one price: each one's own numbers, and their order."""
    found = Problems()
    if not tiers:
        found.add("tiers", "required", "A tiered price has at least one tier.")
    if len(tiers) > TIERS_MAX:
        found.add("tiers", "too_many", f"A price has at most {TIERS_MAX} tiers.")
        return found.found
    start = Decimal(0)
    for index, tier in enumerate(tiers):
        path = f"tiers[{index}]."
        is_last = index == len(tiers) - 1
        _amount(found, f"{path}unit_price", tier.unit_price)
        _amount(found, f"{path}flat_fee", tier.flat_fee)
        _batch(found, f"{path}batch_size", tier.batch_size)
        if tier.up_to is None:
            if not is_last:
                found.add(f"{path}up_to", "required", "Only the last tier may be without an end.")
        elif is_last:
            found.add(f"{path}up_to", "last_tier_not_open", "The last tier has no end: leave up_to out, or null.")
        elif _quantity(found, f"{path}up_to", tier.up_to):
            if tier.up_to <= start:
                found.add(f"{path}up_to", "not_ascending", f"A tier ends above {plain(start)}, where it begins.")
            start = max(start, tier.up_to)
    return found.found


def component_problems(component: Component) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a component, except whether its metric exists."""
    found = Problems()
    found.extend(price_problems(component.price), under="price.")
    if component.limit is not None:
        _quantity(found, "limit", component.limit)
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


def _spend_limits(found: Problems, minimum: Decimal | None, maximum: Decimal | None) -> None:
    limits = {"minimum_spend": minimum, "maximum_spend": maximum}
    given = {field: limit for field, limit in limits.items() if limit is not None}
    for field, limit in given.items():
        _amount(found, field, limit)
    if len(given) == 2 and all(map(in_range, given.values())) and given["minimum_spend"] > given["maximum_spend"]:
        found.add("maximum_spend", "below_minimum", "maximum_spend must not be below minimum_spend.")
