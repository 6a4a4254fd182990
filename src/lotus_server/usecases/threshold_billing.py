"""Invoices within a period because its usage has reached a spend threshold.

Only subscriptions whose customers had events, or corrections of events, since they were looked at last are looked at,
and those of whom an event has come about since then whose time lay ahead.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import threshold_reached
from lotus_server.domain.invoicing import cause_of_threshold
from lotus_server.domain.metering import LogPosition
from lotus_server.domain.subscriptions import Status, Subscription, usage_invoiced
from lotus_server.kernel.money import total
from lotus_server.ports.event_store import EventQuery, Since
from lotus_server.ports.invoicing_records import SpendWatch
from lotus_server.ports.records import Transaction
from lotus_server.usecases.billing import issue_usage
from lotus_server.usecases.catalog_reading import terms_of
from lotus_server.usecases.services import Services
from lotus_server.usecases.usage_billing import usage_within

_log = structlog.get_logger()
WATCHES_AT_ONCE: Final = 5_000
EVENTS_AHEAD_MAX: Final = 100
_INSTANT: Final = timedelta(microseconds=1)
_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


def bill_thresholds(
    services: Services, *, until: datetime | None = None, organization: Organization | None = None
) -> int:
    """Invoice usage that has reached a threshold by `until` (default: the present), and return the number of invoices.

    Without an organization it is that of those that live in real time. Each subscription is a transaction; one that
    fails is looked at again the next time, and stops nobody else.
    """
    now = until or services.clock.now()
    organization_id = organization.organization_id if organization else None
    issued, after = 0, None
    while True:
        with services.records.snapshot() as tx:
            watches = tx.spend_watches.some(WATCHES_AT_ONCE, after, organization_id)
        for owner_id, watched in _by_organization(watches).items():
            issued += _bill_organization(services, owner_id, watched, now)
        if len(watches) < WATCHES_AT_ONCE:
            return issued
        after = (watches[-1].organization_id, watches[-1].subscription_id)


def _by_organization(watches: Iterable[SpendWatch]) -> dict[str, list[SpendWatch]]:
    found: dict[str, list[SpendWatch]] = {}
    for each in watches:
        found.setdefault(each.organization_id, []).append(each)
    return found


def _bill_organization(services: Services, organization_id: str, watches: list[SpendWatch], now: datetime) -> int:
    # Asked before usage is read: what comes in meanwhile is looked at again the next time.
    position = services.events.position(organization_id)
    ripe = {each.subscription_id for each in watches if each.again_at is not None and each.again_at <= now}
    behind = [each for each in watches if each.position != position or each.subscription_id in ripe]
    since: dict[str, Since] = {}
    for each in behind:
        if each.customer_id not in since or _is_older(each.position, since[each.customer_id].position):
            since[each.customer_id] = Since(each.position, _NEVER)
    changed = services.events.changed(organization_id, since) if since else frozenset()
    issued = 0
    for each in behind:
        if each.customer_id in changed or each.subscription_id in ripe:
            issued += _look(services, each, position, now)
    return issued


def _is_older(position: LogPosition, other: LogPosition) -> bool:
    return (position.event, position.correction) < (other.event, other.correction)


def _look(services: Services, watch: SpendWatch, position: LogPosition, now: datetime) -> bool:
    """Compare the usage of one subscription with its thresholds, and tell whether that has made an invoice."""
    try:
        with services.records.transaction() as tx:
            subscription = tx.subscriptions.get(watch.organization_id, watch.subscription_id, for_update=True)
            assert subscription is not None, "subscriptions are never deleted"
            if subscription.is_fully_billed or not subscription.cadence.thresholds:
                tx.spend_watches.remove(watch)
                return False
            if subscription.due_at is None or subscription.due_at <= now:
                return False  # what is due comes first; it is looked at again when that is done
            following = subscription
            if _is_open(subscription, now):
                following = _billed(services, tx, subscription, now)
            tx.spend_watches.put(SpendWatch(*_names(watch), position, _next_event(services, watch, now)))
            if following is not subscription:
                tx.subscriptions.replace(following)
            return following is not subscription
    except Exception:  # noqa: BLE001 - what one subscription meets must not keep others from their bills
        _log.exception("threshold_failed", organization_id=watch.organization_id, subscription_id=watch.subscription_id)
        return False


def _next_event(services: Services, watch: SpendWatch, now: datetime) -> datetime | None:
    """Return when an event of the customer comes about next whose time lies ahead; the present, where they are many."""
    ahead = services.events.events(
        watch.organization_id,
        EventQuery(watch.customer_id, start=now + _INSTANT, limit=EVENTS_AHEAD_MAX),
    )
    if len(ahead) == EVENTS_AHEAD_MAX:
        return now  # there may be an earlier one: it is looked at each time
    return min((each.happened_at for each in ahead), default=None)


def _names(watch: SpendWatch) -> tuple[str, str, str]:
    return watch.organization_id, watch.subscription_id, watch.customer_id


def _is_open(subscription: Subscription, now: datetime) -> bool:
    """Tell whether usage of the open period can be charged now."""
    if subscription.status_at(now) is not Status.ACTIVE or subscription.is_trial_at(now):
        return False
    return subscription.open_period.contains(now)


def _billed(services: Services, tx: Transaction, subscription: Subscription, now: datetime) -> Subscription:
    """Return the subscription after its usage so far was invoiced, or as it is if no further threshold is reached."""
    # A threshold says how much may be owed, so this waits for no other invoice.
    terms = msgspec.structs.replace(terms_of(tx, subscription), waits=False)
    usage = usage_within(services, terms, now, is_boundary=False)
    spent = total(line.amount for line in usage.counted)
    reached = threshold_reached(subscription.cadence.thresholds, spent)
    before = subscription.cadence.reached
    if reached is None or (before is not None and reached <= before):
        return subscription
    issue_usage(services, tx, terms, usage, cause=cause_of_threshold(subscription, reached), now=now)
    return usage_invoiced(subscription, now, reached)
