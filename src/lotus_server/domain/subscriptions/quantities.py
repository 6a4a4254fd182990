"""How many of something a subscription has, and since when: seats of a recurring charge, prepaid units of a metric.

What is counted goes by a key that outlives a plan's version: the name of a charge, the id of a metric.
"""

from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Final

import msgspec

from lotus_server.domain.catalog import Component, PlanVersion, RecurringCharge
from lotus_server.domain.subscriptions.subscription import QuantityChange, Status, Subscription
from lotus_server.kernel.errors import Conflict, Invalid
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO

QUANTITY_CHANGES_MAX: Final = 1_000


def charge_key(charge: RecurringCharge) -> str:
    """Return the key of the quantity of a recurring charge."""
    return f"charge:{charge.name}"


def prepaid_key(component: Component) -> str:
    """Return the key of the prepaid units of a component."""
    return f"prepaid:{component.metric_id}"


def default_prepaid_units(component: Component) -> Decimal:
    """Return how many units a component has where a subscription says nothing of it."""
    return (component.prepaid.units if component.prepaid is not None else None) or ZERO


def quantity_before(subscription: Subscription, key: str, instant: datetime, default: Decimal) -> Decimal:
    """Return the quantity just before an instant; `default` is the one that the plan has."""
    found = subscription.quantities.get(key, default)
    for change in subscription.quantity_changes:
        if change.key == key and change.effective_at < instant:
            found = change.quantity
    return found


def present_quantity(subscription: Subscription, key: str, default: Decimal) -> Decimal:
    """Return the quantity after every change so far."""
    return quantity_before(subscription, key, datetime.max.replace(tzinfo=subscription.starts_at.tzinfo), default)


def prepaid_units(subscription: Subscription, component: Component) -> Decimal:
    """Return how many units of a component are prepaid now."""
    return present_quantity(subscription, prepaid_key(component), default_prepaid_units(component))


def changes_within(subscription: Subscription, key: str, period: Period) -> tuple[QuantityChange, ...]:
    """Return the changes that take effect in a period, in their order."""
    return tuple(
        each for each in subscription.quantity_changes if each.key == key and period.contains(each.effective_at)
    )


def held_quantities(
    subscription: Subscription, key: str, period: Period, default: Decimal
) -> tuple[tuple[Period, Decimal], ...]:
    """Return the parts of a period in which the quantity stays the same, with it; they touch and make up the period.

    Of several changes at one instant only the last one is held for any time. An empty period has one part.
    """
    changes = changes_within(subscription, key, period)
    first = quantity_before(subscription, key, period.start, default)
    edges = [period.start, *(change.effective_at for change in changes), period.end]
    quantities = [first, *(change.quantity for change in changes)]
    parts = [(Period(start, end), quantity) for (start, end), quantity in zip(pairwise(edges), quantities, strict=True)]
    return tuple(part for part in parts if part[0].microseconds) or (parts[-1],)


def change_quantity(
    subscription: Subscription, key: str, quantity: Decimal, *, now: datetime, is_invoiced: bool
) -> Subscription:
    """Return the subscription with another quantity from `now` on, or from its start if it has not started.

    Raises Conflict `invalid_state` when it has ended, Invalid `too_many` after a thousand changes.
    """
    status = subscription.status_at(now)
    if status is Status.ENDED:
        raise Conflict("The subscription has already ended.", code="invalid_state")
    if status is Status.NOT_STARTED:
        return msgspec.structs.replace(subscription, quantities={**subscription.quantities, key: quantity})
    if len(subscription.quantity_changes) >= QUANTITY_CHANGES_MAX:
        detail = f"A subscription keeps at most {QUANTITY_CHANGES_MAX} changes of quantities."
        raise Invalid.field("quantity", "too_many", detail)
    change = QuantityChange(key, quantity, now, is_invoiced)
    return msgspec.structs.replace(subscription, quantity_changes=(*subscription.quantity_changes, change))


def carry_quantities(old: Subscription, version: PlanVersion) -> dict[str, Decimal]:
    """Return the quantities that `old` has now of what another version sells, too, by key."""
    keys = {charge_key(charge) for charge in version.recurring_charges}
    keys |= {prepaid_key(component) for component in version.components if component.prepaid is not None}
    known = {*old.quantities, *(change.key for change in old.quantity_changes)}
    return {key: present_quantity(old, key, ZERO) for key in sorted(keys & known)}
