"""One subscription with its periods, its invoices and what happens next, for whoever looks at it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.invoicing import Invoice
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import Status, Subscription, Turn, next_turn, period_containing
from lotus_server.kernel.period import Period
from lotus_server.ports.invoice_reading import InvoiceQuestion
from lotus_server.ports.records import Page
from lotus_server.usecases.catalog_reading import metrics_by_id
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.subscription_reading import require_subscription
from lotus_server.usecases.subscription_views import SubscriptionView, views_of

PAST_PERIODS_MAX: Final = 12
INVOICES_MAX: Final = 50
_INSTANT: Final = timedelta(microseconds=1)


class Stage(StrEnum):
    """Where a billing period stands: over, present, or to come; over without an invoice yet, it waits."""

    OVER = "over"
    WAITS = "waits"
    PRESENT = "present"
    COMING = "coming"


class Stretch(msgspec.Struct, frozen=True):
    """A billing period of a subscription; `is_paused`: some of it lies in a pause."""

    period: Period
    stage: Stage
    is_trial: bool
    is_paused: bool


class SubscriptionOverview(msgspec.Struct, frozen=True):
    """A subscription with the periods around the present, oldest first, and its latest invoices, newest first.

    `turn` is what happens next (null: it has ended), `metrics` has those of its version by id.
    """

    view: SubscriptionView
    stretches: tuple[Stretch, ...]
    turn: Turn | None
    invoices: tuple[Invoice, ...]
    metrics: Mapping[str, Metric]


def view_subscription(services: Services, organization: Organization, subscription_id: str) -> SubscriptionOverview:
    """Return a subscription with what stands around it. Raises NotFound `subscription_not_found`."""
    now = present(services, organization)
    with services.records.snapshot() as tx:
        subscription = require_subscription(tx, organization, subscription_id)
        (view,) = views_of(tx, organization, [subscription], now)
        question = InvoiceQuestion(customer_id=subscription.customer_id)
        issued = tx.invoices.page(organization.organization_id, Page(INVOICES_MAX), question)
        metrics = metrics_by_id(tx, organization.organization_id)
    return SubscriptionOverview(
        view,
        stretches_of(subscription, now),
        next_turn(subscription, now),
        tuple(each for each in issued if each.subscription_id == subscription_id),
        metrics,
    )


def stretches_of(subscription: Subscription, now: datetime) -> tuple[Stretch, ...]:
    """Return up to twelve periods that are over, the present one, and the next if there is one; oldest first."""
    last = subscription.ends_at
    if last is not None and last <= subscription.starts_at:
        return ()
    around = max(now, subscription.starts_at)
    if last is not None and around >= last:
        around = last - _INSTANT
    present_one = period_containing(subscription, around)
    found = [present_one]
    while found[0].start > subscription.starts_at and len(found) <= PAST_PERIODS_MAX:
        found.insert(0, period_containing(subscription, found[0].start - _INSTANT))
    if subscription.status_at(now) is not Status.ENDED and (last is None or present_one.end < last):
        found.append(period_containing(subscription, present_one.end))
    return tuple(_stretch(subscription, each, now) for each in found)


def _stretch(subscription: Subscription, period: Period, now: datetime) -> Stretch:
    if period.end <= now:
        is_billed = subscription.is_fully_billed or period.end <= subscription.open_period.start
        stage = Stage.OVER if is_billed else Stage.WAITS
    else:
        stage = Stage.COMING if period.start > now else Stage.PRESENT
    is_paused = any(
        pause.starts_at < period.end and (pause.ends_at is None or pause.ends_at > period.start)
        for pause in subscription.pauses
    )
    return Stretch(period, stage, subscription.is_trial_at(period.start), is_paused)
