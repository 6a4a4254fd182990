"""May this customer do this now: usage of the present period against free units and limits, and features."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from lotus_server.domain.catalog import Component, Feature, Plan, PlanVersion, free_units
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import Subscription, prepaid_units
from lotus_server.kernel.quantity import ONE, add, plain, subtract


class LimitType(StrEnum):
    """Which limit a caller asks about: the units that cost nothing, or all that may be used."""

    FREE = "free"
    TOTAL = "total"


class MeteredComponent(msgspec.Struct, frozen=True):
    """A component of one of the customer's subscriptions, with its metric."""

    subscription: Subscription
    plan: Plan
    version: PlanVersion
    component: Component
    metric: Metric

    @property
    def free_limit(self) -> Decimal | None:
        """Return how many units cost nothing more (null: all of them), being free or prepaid."""
        free = free_units(self.component.price)
        if self.component.prepaid is None or free is None:
            return free
        return max(free, prepaid_units(self.subscription, self.component))

    @property
    def total_limit(self) -> Decimal | None:
        """Return how many units may be used (null: no limit)."""
        return self.component.limit

    def limit(self, limit_type: LimitType) -> Decimal | None:
        """Return the limit that is asked about."""
        return self.free_limit if limit_type is LimitType.FREE else self.total_limit


class Entitlements(msgspec.Struct, frozen=True):
    """What a customer's subscriptions entitle to, before usage: it changes only when they or the catalog change.

    `subscriptions` has those that have not ended when it was made; which of them are active is asked with `now`.
    """

    customer_id: str
    customer_name: str
    email: str | None
    subscriptions: tuple[Subscription, ...]
    components: tuple[MeteredComponent, ...]
    features: dict[str, tuple[Feature, ...]]
    plans: dict[str, tuple[Plan, PlanVersion]]


class ComponentUsage(msgspec.Struct, frozen=True):
    """The usage of one component in its present period."""

    held: MeteredComponent
    quantity: Decimal


class AccessDecision(msgspec.Struct, frozen=True):
    """The answer. `reason` says why access is refused; `allowed` has one entry per usage, in the same order."""

    access: bool
    usages: tuple[ComponentUsage, ...] = ()
    allowed: tuple[bool, ...] = ()
    reason: str | None = None


def is_below(quantity: Decimal, limit: Decimal | None) -> bool:
    """Tell whether one more unit is allowed: below the limit, or there is none. At the limit it is not."""
    return limit is None or quantity < limit


def decide(usages: tuple[ComponentUsage, ...], limit_type: LimitType) -> AccessDecision:
    """Return whether a customer may go on: there is a component, and none has reached its limit.

    A component that a subscription lacks is not among the usages, so it can never grant access.
    """
    if not usages:
        return AccessDecision(
            access=False, reason="No active subscription of the customer has a component for this event."
        )
    allowed = tuple(is_below(usage.quantity, usage.held.limit(limit_type)) for usage in usages)
    if all(allowed):
        return AccessDecision(access=True, usages=usages, allowed=allowed)
    full = [usage.held.metric.metric_name for usage, is_allowed in zip(usages, allowed, strict=True) if not is_allowed]
    reason = f"The {limit_type} limit is reached for {', '.join(dict.fromkeys(full))}."
    return AccessDecision(access=False, usages=usages, allowed=allowed, reason=reason)


def decide_more(usages: tuple[ComponentUsage, ...], limit_type: LimitType, more: Decimal) -> AccessDecision:
    """Return whether so many more units, one after the other, would each be allowed; `more` is 1 or greater.

    One more is what `decide` decides.
    """
    before_the_last = tuple(ComponentUsage(each.held, add(each.quantity, subtract(more, ONE))) for each in usages)
    decision = msgspec.structs.replace(decide(before_the_last, limit_type), usages=usages)
    if decision.access or not usages:
        return decision
    full = [
        each.held.metric.metric_name
        for each, is_allowed in zip(usages, decision.allowed, strict=True)
        if not is_allowed
    ]
    reason = f"{plain(more)} more would go beyond the {limit_type} limit of {', '.join(dict.fromkeys(full))}."
    return msgspec.structs.replace(decision, reason=reason)
