"""Add-ons of a subscription: attached, cancelled."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.catalog import AddOnFrequency, Plan, PlanVersion, sold_versions, version_in
from lotus_server.domain.subscriptions import (
    Pause,
    PausedFees,
    Status,
    Subscription,
    carry_pauses,
    charge_key,
    period_containing,
)
from lotus_server.kernel.errors import Conflict, FieldProblem, Invalid, NotFound, Problems
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ONE, multiply
from lotus_server.ports.records import Transaction
from lotus_server.usecases.billing import bring_up_to_date
from lotus_server.usecases.catalog_reading import terms_of
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.quantities import first_quantities, quantity_problems
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.subscription_reading import require_subscription
from lotus_server.usecases.subscription_views import SubscriptionView, views_of
from lotus_server.usecases.subscriptions import Cancellation, cancel_within


class Attachment(msgspec.Struct, frozen=True):
    """Which add-on to attach, or which version of one; exactly one of the two.

    `quantity` multiplies its recurring charges. `problems` are those that reading the input found already.
    """

    addon_id: str | None = None
    version_id: str | None = None
    quantity: Decimal = ONE
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    problems: tuple[FieldProblem, ...] = ()


class AttachedView(msgspec.Struct, frozen=True):
    """An add-on of a subscription, and that subscription."""

    addon: SubscriptionView
    parent: SubscriptionView


def attach_addon(
    services: Services, organization: Organization, subscription_id: str, attachment: Attachment
) -> AttachedView:
    """Attach an add-on from now on; what it charges in advance is invoiced at once.

    It has the periods of the subscription, is free (unless it is charged once) as long as that is on trial, and ends
    with it. One that is charged once ends with the present period.
    Raises NotFound, Invalid with every problem, Conflict `invalid_state` when the subscription has ended or is an
    add-on itself, `addon_attached` when it has this recurring add-on already.
    """
    _validate(attachment)
    now = present(services, organization)
    with services.records.transaction() as tx:
        customer_id = require_subscription(tx, organization, subscription_id).customer_id
        customer = require_customer(tx, organization, customer_id, for_update=True)
        parent = require_subscription(tx, organization, subscription_id, for_update=True)
        parent = bring_up_to_date(services, tx, parent, now)
        tx.subscriptions.replace(parent)
        if parent.status_at(now) is Status.ENDED:
            raise Conflict("The subscription has already ended.", code="invalid_state")
        if parent.parent_id is not None:
            raise Conflict("Nothing can be attached to an add-on.", code="invalid_state")
        addon, version = _addon_and_version(tx, customer, terms_of(tx, parent).version.currency, attachment, now)
        attached = _attached(services.ids.new("addon_sub"), parent, (addon, version), attachment, now)
        _refuse_second(tx, attached, addon, now)
        tx.subscriptions.add(attached)
        if attached.starts_at <= now:
            attached = bring_up_to_date(services, tx, attached, now)
            tx.subscriptions.replace(attached)
        return _view(tx, organization, attached, parent, now)


def cancel_addon(
    services: Services, organization: Organization, subscription_id: str, addon_id: str, how: Cancellation
) -> AttachedView:
    """Cancel an add-on of a subscription, every one of it that has not ended, and return the one attached last.

    `addon_id` is the id of the add-on, of its version, or of the attached subscription. Raises NotFound
    `addon_not_found` when it is not attached.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        parent = require_subscription(tx, organization, subscription_id, for_update=True)
        attached = tx.subscriptions.attached_to(organization.organization_id, [subscription_id]).get(
            subscription_id, []
        )
        found = [
            each
            for each in attached
            if addon_id in {each.plan_id, each.version_id, each.subscription_id}
            and each.status_at(now) is not Status.ENDED
        ]
        if not found:
            raise NotFound(f"The subscription has no add-on {addon_id!r}.", code="addon_not_found")
        for each in found:
            current = require_subscription(tx, organization, each.subscription_id, for_update=True)
            last, _ = cancel_within(services, tx, current, how, now)
            tx.subscriptions.replace(last)
        return _view(tx, organization, last, parent, now)


def _validate(attachment: Attachment) -> None:
    problems = Problems()
    problems.extend(attachment.problems)
    if (attachment.addon_id is None) == (attachment.version_id is None):
        problems.add("addon_id", "exactly_one", "Give exactly one of addon_id and addon_version_id.")
    problems.extend(quantity_problems("quantity", attachment.quantity))
    problems.raise_if_any()


def _addon_and_version(
    tx: Transaction, customer: Customer, currency: str, attachment: Attachment, now: datetime
) -> tuple[Plan, PlanVersion]:
    """Return the add-on with the version of it that is sold in the subscription's currency."""
    organization_id = customer.organization_id
    asked = tx.plans.version(organization_id, attachment.version_id) if attachment.version_id is not None else None
    addon_id = attachment.addon_id if asked is None else asked.plan_id
    addon = None if addon_id is None else tx.plans.get(organization_id, addon_id)
    if addon is None or addon.addon is None:
        raise NotFound(f"There is no add-on {attachment.addon_id or attachment.version_id!r}.", code="addon_not_found")
    if addon.archived:
        raise Invalid.field("addon_id", "plan_archived", f"The add-on {addon.plan_id!r} is archived.")
    versions = tx.plans.versions(organization_id, addon.plan_id) if asked is None else [asked]
    sold = sold_versions(versions, customer.customer_id, now)
    version = version_in([each for each in sold if each.currency == currency], [currency])
    if version is None:
        code, what = ("other_currency", f"in {currency}") if sold else ("no_active_version", "now")
        raise Invalid.field("addon_id", code, f"The add-on {addon.plan_id!r} is not sold {what}.")
    return addon, version


def _attached(
    attached_id: str, parent: Subscription, sold: tuple[Plan, PlanVersion], attachment: Attachment, now: datetime
) -> Subscription:
    addon, version = sold
    assert addon.addon is not None, "only add-ons are attached"
    starts_at = max(now, parent.starts_at)
    is_once = addon.addon.frequency is AddOnFrequency.ONE_TIME
    charges = {charge_key(each): multiply(each.quantity, attachment.quantity) for each in version.recurring_charges}
    attached = Subscription(
        organization_id=parent.organization_id,
        subscription_id=attached_id,
        customer_id=parent.customer_id,
        plan_id=addon.plan_id,
        version_id=version.version_id,
        duration=parent.duration,
        starts_at=starts_at,
        anchor=parent.anchor,
        ends_at=parent.ends_at,
        auto_renew=parent.auto_renew and not is_once,
        is_new=True,
        open_period=Period(starts_at, starts_at),
        created_at=now,
        due_at=starts_at,
        matches=parent.matches,
        metadata=attachment.metadata,
        quantities=first_quantities(version, prepaid={}, carried={} if attachment.quantity == ONE else charges),
        parent_id=parent.subscription_id,
        trial_end=parent.trial_end if parent.is_trial_at(starts_at) and not is_once else None,
        timezone=parent.timezone,
        pauses=tuple(_as_attached(each, is_once=is_once) for each in carry_pauses(parent, starts_at)),
    )
    opened = period_containing(attached, starts_at)
    return msgspec.structs.replace(attached, open_period=opened, ends_at=opened.end if is_once else parent.ends_at)


def _as_attached(pause: Pause, *, is_once: bool) -> Pause:
    """Return a pause of the subscription as one of an add-on: what is charged once is charged all the same."""
    is_charged = is_once and pause.fees is not PausedFees.PROLONG
    return msgspec.structs.replace(pause, fees=PausedFees.CHARGE_FULL) if is_charged else pause


def _refuse_second(tx: Transaction, attached: Subscription, addon: Plan, now: datetime) -> None:
    """Refuse a recurring add-on that the subscription has; what is charged once can be bought again."""
    assert addon.addon is not None, "only add-ons are attached"
    assert attached.parent_id is not None, "add-ons have a parent"
    if addon.addon.frequency is AddOnFrequency.ONE_TIME:
        return
    others = tx.subscriptions.attached_to(attached.organization_id, [attached.parent_id]).get(attached.parent_id, [])
    if any(each.plan_id == addon.plan_id and each.status_at(now) is not Status.ENDED for each in others):
        detail = "The subscription has this add-on already; change the quantities of its charges."
        raise Conflict(detail, code="addon_attached")


def _view(
    tx: Transaction, organization: Organization, attached: Subscription, parent: Subscription, now: datetime
) -> AttachedView:
    return AttachedView(*views_of(tx, organization, [attached, parent], now))
