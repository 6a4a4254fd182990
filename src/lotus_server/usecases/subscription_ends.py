"""Where subscriptions end: another end, none any more, and what that comes to in a period invoiced in advance."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from lotus_server.domain.catalog import AddOnFrequency
from lotus_server.domain.invoicing import adjusted_change, moved_end_lines
from lotus_server.domain.subscriptions import (
    Status,
    Subscription,
    due_after,
    end_with_parent,
    period_containing,
    refuse_overlap,
    renew_again,
)
from lotus_server.kernel.errors import Invalid
from lotus_server.ports.records import Transaction
from lotus_server.usecases.billing import bring_up_to_date, issue
from lotus_server.usecases.catalog_reading import terms_of
from lotus_server.usecases.pending import defer
from lotus_server.usecases.services import Services
from lotus_server.usecases.subscription_reading import attached_to

LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def with_end(
    services: Services,
    tx: Transaction,
    subscription: Subscription,
    ends_at: datetime,
    now: datetime,
    *,
    invoices_now: bool,
) -> Subscription:
    """Return a subscription, which is billed up to now, with an end that lies ahead, and settle what that comes to.

    Raises Invalid when it has ended, when the end does not lie ahead, or in the time of another subscription.
    """
    if subscription.status_at(now) is Status.ENDED:
        raise Invalid.field("end_date", "invalid_state", "The subscription has already ended.")
    if ends_at > LATEST:
        raise Invalid.field("end_date", "invalid", "end_date must lie between the years 1970 and 2200.")
    if ends_at <= max(subscription.open_period.start, now):
        raise Invalid.field("end_date", "invalid", "The end must lie in the future and after what is billed already.")
    changed = _ending_at(subscription, ends_at, now)
    refuse_overlap(changed, tx.subscriptions.of_customer(subscription.organization_id, subscription.customer_id))
    _settle(services, tx, subscription, changed, now, invoices_now=invoices_now)
    return changed


def renewing(
    services: Services, tx: Transaction, subscription: Subscription, now: datetime, *, invoices_now: bool
) -> Subscription:
    """Return a subscription, billed up to now, that goes on after its end, as what would have ended with it does.

    What that comes to is settled. Raises Conflict `invalid_state` when it has ended already.
    """
    if subscription.ends_at is None:
        return subscription
    found = renew_again(subscription, now)
    refuse_overlap(found, tx.subscriptions.of_customer(subscription.organization_id, subscription.customer_id))
    _settle(services, tx, subscription, found, now, invoices_now=invoices_now)
    for attached in attached_to(tx, subscription, now):
        current = bring_up_to_date(services, tx, attached, now)
        if current.ends_at == subscription.ends_at and _is_recurring(tx, current):
            tx.subscriptions.replace(renewing(services, tx, current, now, invoices_now=invoices_now))
    return found


def end_what_is_attached(
    services: Services,
    tx: Transaction,
    subscription: Subscription,
    ends_at: datetime,
    now: datetime,
    *,
    invoices_now: bool = False,
) -> None:
    """What is attached to a subscription, which is given as it was, ends with it at its new end.

    That is later for what would have ended with it before, unless it is charged once and ends with its period.
    """
    was = subscription.ends_at
    for attached in attached_to(tx, subscription, now):
        current = bring_up_to_date(services, tx, attached, now)
        goes_on = was is not None and was < ends_at and current.ends_at == was and _is_recurring(tx, current)
        changed = _ending_at(current, ends_at, now) if goes_on else end_with_parent(current, ends_at, now)
        _settle(services, tx, current, changed, now, invoices_now=invoices_now)
        tx.subscriptions.replace(changed)


def _ending_at(subscription: Subscription, ends_at: datetime, now: datetime) -> Subscription:
    ending = msgspec.structs.replace(subscription, ends_at=ends_at, auto_renew=False)
    whole = period_containing(ending, subscription.open_period.start)
    ending = msgspec.structs.replace(ending, open_period=whole)
    due_at = due_after(ending) if subscription.starts_at <= now else subscription.due_at
    return msgspec.structs.replace(ending, due_at=due_at)


def _settle(
    services: Services,
    tx: Transaction,
    before: Subscription,
    after: Subscription,
    now: datetime,
    *,
    invoices_now: bool,
) -> None:
    """Invoice what another end of the open period comes to, at once or with the customer's next invoice.

    So the open period is always invoiced in advance to exactly where it ends. Nothing of what has not started was.
    """
    if before.open_period == after.open_period or before.starts_at > now:
        return
    terms = terms_of(tx, before)
    lines = adjusted_change(terms, moved_end_lines(terms, after), opened=before.open_period)
    # The same end may be chosen again and again, and each time is settled.
    cause = f"{before.subscription_id}:end:{services.ids.random_uuid()}"
    if invoices_now:
        issue(services, tx, terms, lines, cause=cause, now=now)
        return
    defer(services, tx, msgspec.structs.replace(terms, subscription=after), lines, cause=cause, now=now)


def _is_recurring(tx: Transaction, attached: Subscription) -> bool:
    addon = tx.plans.get(attached.organization_id, attached.plan_id)
    assert addon is not None, "an attached add-on is never deleted"
    return addon.addon is not None and addon.addon.frequency is AddOnFrequency.RECURRING
