"""Parts of a billing period: how often usage is invoiced in it, and how often tiers and limits begin anew."""

from typing import Final

from lotus_server.domain.catalog.plans import Component, PlanVersion
from lotus_server.domain.catalog.terms import AdjustmentKind
from lotus_server.domain.catalog.thresholds import threshold_problems
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.period import Duration

# What divides a duration without a rest: its boundaries are among those of the part, counted from one anchor.
_PARTS: Final[dict[Duration, tuple[Duration, ...]]] = {
    Duration.DAILY: (),
    Duration.WEEKLY: (Duration.DAILY,),
    Duration.MONTHLY: (Duration.DAILY,),
    Duration.QUARTERLY: (Duration.MONTHLY,),
    Duration.YEARLY: (Duration.MONTHLY, Duration.QUARTERLY),
}


def invoiced_every(version: PlanVersion, component: Component) -> Duration | None:
    """Return how often a component's usage is invoiced; null: when the billing period is over."""
    return component.invoicing_interval or version.usage_invoicing.interval


def usage_interval(version: PlanVersion, duration: Duration) -> Duration | None:
    """Return the shortest part of a billing period after which usage is invoiced; null: only when it is over.

    The boundaries of every longer part are among those of the shortest one.
    """
    found = {invoiced_every(version, component) for component in version.components}
    return next((part for part in _PARTS[duration] if part in found), None)


def has_usage_in_parts(version: PlanVersion, duration: Duration) -> bool:
    """Tell whether usage is invoiced, or rated, in parts of the billing period."""
    resets = {component.reset_interval for component in version.components}
    return usage_interval(version, duration) is not None or any(part in resets for part in _PARTS[duration])


def interval_problems(version: PlanVersion, duration: Duration) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with the intervals of a version of a plan with such billing periods."""
    found = Problems()
    _check(found, "usage_billing_frequency", version.usage_invoicing.interval, duration)
    for index, component in enumerate(version.components):
        path = f"components[{index}]."
        _check(found, f"{path}invoicing_interval_unit", component.invoicing_interval, duration)
        _check(found, f"{path}reset_interval_unit", component.reset_interval, duration)
        if component.prepaid is not None and component.reset_interval not in {None, duration}:
            detail = "Prepaid units are those of a billing period, so usage beyond them begins anew with it."
            found.add(f"{path}reset_interval_unit", "not_with_prepaid", detail)
    found.extend(threshold_problems(version.usage_invoicing.thresholds, "usage_thresholds"))
    is_in_parts = usage_interval(version, duration) is not None or version.usage_invoicing.thresholds
    if is_in_parts and is_overridden(version):
        detail = "An amount that takes the place of a period's charges cannot be invoiced in parts of the period."
        found.add("price_adjustment", "not_with_usage_in_parts", detail)
    return found.found


def is_overridden(version: PlanVersion) -> bool:
    """Tell whether an amount takes the place of everything that a period charges."""
    adjustment = version.price_adjustment
    return adjustment is not None and adjustment.kind is AdjustmentKind.OVERRIDE


def _check(found: Problems, field: str, interval: Duration | None, duration: Duration) -> None:
    if interval is None or interval == duration or interval in _PARTS[duration]:
        return
    parts = " or ".join(part.value for part in _PARTS[duration]) or "none"
    detail = f"{interval.value} is no part of a {duration.value} billing period; parts are: {parts}."
    found.add(field, "not_a_part", detail)
