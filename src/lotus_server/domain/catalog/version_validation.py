"""Everything that can be wrong with a plan, an add-on or a version, all of it at once."""

from decimal import Decimal
from typing import Final

from lotus_server.domain.catalog.checks import AMOUNT_LIMIT, check_amount, check_text, description_problem
from lotus_server.domain.catalog.plans import (
    COMPONENTS_MAX,
    FEATURES_MAX,
    LINKS_MAX,
    RECURRING_CHARGES_MAX,
    TAGS_MAX,
    TARGET_CUSTOMERS_MAX,
    TRIAL_DAYS_MAX,
    Plan,
    PlanVersion,
)
from lotus_server.domain.catalog.terms import (
    AddOnKind,
    AddOnTerms,
    AdjustmentKind,
    Calendar,
    Commitment,
    FeatureValue,
    PriceAdjustment,
    UsageInvoicing,
)
from lotus_server.domain.catalog.validation import charge_problems, component_problems
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.identifiers import identifier_problem, name_problem
from lotus_server.kernel.quantity import ONE, in_range

_HUNDRED: Final = Decimal(100)


def version_problems(version: PlanVersion) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a version, except whether what it names exists."""
    found = Problems()
    check_text(found, "version_id", identifier_problem(version.version_id))
    if version.currency not in CURRENCIES:
        found.add("currency", "unknown_currency", f"{version.currency!r} is not an ISO 4217 currency code.")
    _check_time(found, version)
    found.extend(sale_problems(version))
    if version.price_adjustment is not None:
        found.extend(adjustment_problems(version.price_adjustment), under="price_adjustment.")
    if version.commitment is not None:
        found.extend(commitment_problems(version.commitment), under="commitment.")
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
    for index, feature_id in enumerate(version.feature_ids):
        _check_value(found, f"features[{index}].value", version.value_of(feature_id))
    return found.found


def _check_time(found: Problems, version: PlanVersion) -> None:
    if not 0 <= version.trial_days <= TRIAL_DAYS_MAX:
        found.add("trial_days", "out_of_range", f"trial_days is a number of days from 0 to {TRIAL_DAYS_MAX}.")
    if version.calendar is not None:
        found.extend(calendar_problems(version.calendar))


def calendar_problems(terms: Calendar) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with the days on which periods begin."""
    found = Problems()
    for field, value, last in (("day_anchor", terms.day_anchor, 31), ("month_anchor", terms.month_anchor, 12)):
        if not 1 <= value <= last:
            found.add(field, "out_of_range", f"{field} is a number from 1 to {last}.")
    return found.found


def sale_problems(version: PlanVersion) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with when and to whom a version is sold."""
    found = Problems()
    start, end = version.active_from, version.active_to
    if start is not None and end is not None and end <= start:
        found.add("active_to", "end_before_start", "active_to must lie after active_from.")
    if version.localized_name is not None:
        check_text(found, "localized_name", name_problem(version.localized_name))
    if len(version.target_customer_ids) > TARGET_CUSTOMERS_MAX:
        detail = f"A custom version is for at most {TARGET_CUSTOMERS_MAX} customers."
        found.add("target_customer_ids", "too_many", detail)
    return found.found


def adjustment_problems(adjustment: PriceAdjustment) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a price adjustment."""
    found = Problems()
    amount = adjustment.amount
    if not in_range(amount) or amount.copy_abs() >= AMOUNT_LIMIT:
        found.add("amount", "out_of_range", "amount must be below 10^15, with at most 30 decimal places.")
    elif adjustment.kind is AdjustmentKind.PERCENTAGE and amount < -_HUNDRED:
        found.add("amount", "out_of_range", "A percentage must not be below -100: more cannot be taken off.")
    elif adjustment.kind is AdjustmentKind.OVERRIDE and amount < 0:
        found.add("amount", "negative", "The amount that takes the place of others must not be negative.")
    if adjustment.name:
        check_text(found, "name", name_problem(adjustment.name))
    check_text(found, "description", description_problem(adjustment.description))
    return found.found


def commitment_problems(commitment: Commitment) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a commitment."""
    found = Problems()
    check_amount(found, "amount", commitment.amount)
    check_amount(found, "overage_factor", commitment.overage_factor)
    if in_range(commitment.overage_factor) and 0 <= commitment.overage_factor < ONE:
        found.add("overage_factor", "out_of_range", "overage_factor must be at least 1.")
    return found.found


def plan_problems(plan: Plan) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a plan or an add-on itself."""
    found = Problems()
    noun, description = ("plan", "description") if plan.addon is None else ("addon", "addon_description")
    check_text(found, f"{noun}_id", identifier_problem(plan.plan_id))
    check_text(found, f"{noun}_name", name_problem(plan.plan_name))
    check_text(found, description, description_problem(plan.description))
    for field, count, limit in (
        ("tags", len(plan.tags), TAGS_MAX),
        ("external_links", len(plan.external_links), LINKS_MAX),
    ):
        if count > limit:
            found.add(field, "too_many", f"A plan has at most {limit} {field.replace('_', ' ')}.")
            return found.found
    for index, tag in enumerate(plan.tags):
        check_text(found, f"tags[{index}].tag_name", name_problem(tag.name))
        for key, text in (("tag_hex", tag.hex), ("tag_color", tag.color)):
            if text:
                check_text(found, f"tags[{index}].{key}", name_problem(text))
    for index, link in enumerate(plan.external_links):
        check_text(found, f"external_links[{index}].source", name_problem(link.source))
        check_text(found, f"external_links[{index}].external_plan_id", name_problem(link.external_plan_id))
    return found.found


def addon_problems(addon: AddOnTerms, version: PlanVersion) -> tuple[FieldProblem, ...]:
    """Return what does not fit between an add-on and its version."""
    found = Problems()
    if addon.kind is AddOnKind.FLAT and version.components:
        found.add("components", "not_for_type", "A flat add-on has no components.")
    if addon.kind is AddOnKind.USAGE_BASED and not version.components:
        found.add("components", "required", "A usage-based add-on has at least one component.")
    if version.trial_days:
        found.add(
            "trial_days", "not_for_type", "An add-on is free during the trial of its subscription, and no longer."
        )
    if version.calendar is not None:
        found.add("billing_cycle", "not_for_type", "An add-on has the periods of its subscription.")
    if version.usage_invoicing != UsageInvoicing():
        detail = "The usage of an add-on is invoiced when a period of its subscription is over."
        found.add("usage_billing_frequency", "not_for_type", detail)
    for index, each in enumerate(version.components):
        for field, interval in (("invoicing", each.invoicing_interval), ("reset", each.reset_interval)):
            if interval is not None:
                detail = "The usage of an add-on is counted and invoiced by the periods of its subscription."
                found.add(f"components[{index}].{field}_interval_unit", "not_for_type", detail)
    return found.found


def _check_value(found: Problems, field: str, value: FeatureValue) -> None:
    """Check what is said of a feature: on or off, a number within the digits that are exact, or a text on one line."""
    if isinstance(value, Decimal):
        if not in_range(value):
            detail = f"{field} must have at most 30 digits before and 30 after the decimal point."
            found.add(field, "out_of_range", detail)
    elif isinstance(value, str):
        check_text(found, field, name_problem(value))
