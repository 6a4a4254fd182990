"""How many of something a subscription has, and since when: seats of a recurring charge, prepaid units of a metric.

What is counted goes by a key that outlives a plan's version: the name of a charge, the id of a metric.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Final

import msgspec

from lotus_server.domain.catalog import Component, PlanVersion, RecurringCharge
from lotus_server.domain.subscriptions.subscription import Pause, PausedFees, QuantityChange, Status, Subscription
from lotus_server.kernel.errors import Conflict, Invalid
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ONE, ZERO

QUANTITY_CHANGES_MAX: Final = 1_000
_ANYTHING: Final = ""
"""The key of something of which everybody has one all the time, unless paused."""


def charge_key(charge: RecurringCharge) -> str:
    """Return the key of the quantity of a recurring charge."""
    return f"charge:{charge.name}"


def prepaid_key(component: Component) -> str:
    """Return the key of the prepaid units of a component."""
    return f"prepaid:{component.metric_id}"


def default_prepaid_units(component: Component) -> Decimal:
    """Return how many units a component has where a subscription says nothing of it."""
    return (component.prepaid.units if component.prepaid is not None else None) or ZERO


def charged_quantity_before(subscription: Subscription, key: str, instant: datetime, default: Decimal) -> Decimal:
    """Return the quantity with which a period begins at an instant: that just before it, and what was planned for it.

    `default` is the one that the plan has. In a pause that is not charged it is nothing.
    """
    found = subscription.quantities.get(key, default)
    for change in charged_changes(subscription, key, default):
        if change.effective_at < instant or (change.is_planned and change.effective_at == instant):
            found = change.quantity
    return found


def present_quantity(subscription: Subscription, key: str, default: Decimal) -> Decimal:
    """Return the quantity after every change so far, whether the subscription is paused or not."""
    return _quantity_before(subscription, key, datetime.max.replace(tzinfo=UTC), default)


def prepaid_within(subscription: Subscription, component: Component, period: Period) -> Decimal:
    """Return how many units of a component are prepaid at the end of a period: none in one that is not charged."""
    if not is_charged_within(subscription, period):
        return ZERO
    return _quantity_before(subscription, prepaid_key(component), period.end, default_prepaid_units(component))


def _quantity_before(subscription: Subscription, key: str, instant: datetime, default: Decimal) -> Decimal:
    found = subscription.quantities.get(key, default)
    for change in subscription.quantity_changes:
        if change.key == key and change.effective_at < instant:
            found = change.quantity
    return found


def prepaid_units(subscription: Subscription, component: Component) -> Decimal:
    """Return how many units of a component are prepaid now."""
    return present_quantity(subscription, prepaid_key(component), default_prepaid_units(component))


def charged_changes(subscription: Subscription, key: str, default: Decimal) -> tuple[QuantityChange, ...]:
    """Return every change of the quantity that is charged, in order: those that were ordered, and those by pauses.

    A pause that is not charged begins with a change to nothing and ends with one to what is held then.
    """
    own = tuple(each for each in subscription.quantity_changes if each.key == key)
    pauses = [each for each in subscription.pauses if each.fees is PausedFees.CHARGE_PRORATED]
    if not pauses:
        return own
    is_paused, held = False, subscription.quantities.get(key, default)
    found = []
    for step in _steps(subscription, key, pauses):
        is_paused = step.is_paused if step.change is None else is_paused
        held = held if step.change is None else step.change.quantity
        quantity = ZERO if is_paused else held
        found.append(QuantityChange(key, quantity, step.effective_at, step.is_invoiced, step.is_planned))
    return tuple(found)


class _Step(msgspec.Struct, frozen=True):
    """A change of quantity, or the start or end of a pause, which came after `place` changes of quantities."""

    effective_at: datetime
    place: int
    is_invoiced: bool
    is_planned: bool = False
    is_paused: bool = False
    change: QuantityChange | None = None


def _steps(subscription: Subscription, key: str, pauses: Sequence[Pause]) -> list[_Step]:
    """Return what changes a quantity, in the order in which it takes effect, and at one instant came about."""
    found = []
    for each in pauses:
        found.append(_Step(each.starts_at, each.place, each.is_invoiced, each.is_planned, is_paused=True))
        if each.ends_at is not None:
            found.append(_Step(each.ends_at, each.end_place, each.end_is_invoiced, each.end_is_planned))
    for place, change in enumerate(subscription.quantity_changes):
        if change.key == key:
            found.append(_Step(change.effective_at, place, change.is_invoiced, change.is_planned, change=change))
    return sorted(found, key=lambda step: (step.effective_at, step.place, step.change is not None))


def is_charged_at(subscription: Subscription, instant: datetime) -> bool:
    """Tell whether a period that begins at an instant is charged from its beginning: not in a pause that is free."""
    return not subscription.pauses or charged_quantity_before(subscription, _ANYTHING, instant, ONE) == ONE


def is_charged_within(subscription: Subscription, period: Period) -> bool:
    """Tell whether any of a period is charged, because it lies in no pause that is free."""
    return not subscription.pauses or any(
        quantity for _, quantity in held_quantities(subscription, _ANYTHING, period, ONE)
    )


def charged_parts(subscription: Subscription, period: Period) -> tuple[tuple[Period, bool], ...]:
    """Return the parts of a period that touch and make it up, each with whether it is charged: not in a free pause."""
    parts = held_quantities(subscription, _ANYTHING, period, ONE)
    return tuple((part, quantity == ONE) for part, quantity in parts)


def changes_within(
    subscription: Subscription, key: str, period: Period, default: Decimal = ZERO
) -> tuple[QuantityChange, ...]:
    """Return the changes of the charged quantity within a period, in their order; it begins with what was planned."""
    return tuple(
        each
        for each in charged_changes(subscription, key, default)
        if period.contains(each.effective_at) and not (each.is_planned and each.effective_at == period.start)
    )


def held_quantities(
    subscription: Subscription, key: str, period: Period, default: Decimal
) -> tuple[tuple[Period, Decimal], ...]:
    """Return the parts of a period in which the charged quantity stays the same; they touch and make up the period.

    Of several changes at one instant only the last one is held for any time. An empty period has one part.
    """
    changes = changes_within(subscription, key, period, default)
    first = charged_quantity_before(subscription, key, period.start, default)
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
