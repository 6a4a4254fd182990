"""When billing has to look at a subscription within a period: usage that is invoiced in parts of it."""

from datetime import datetime
from decimal import Decimal

import msgspec

from lotus_server.domain.catalog import PlanVersion, SpendThreshold, usage_interval
from lotus_server.domain.subscriptions.standstills import series_at
from lotus_server.domain.subscriptions.subscription import Cadence, Subscription
from lotus_server.kernel.period import Duration, Period


def interval_at(subscription: Subscription, interval: Duration, instant: datetime) -> Period:
    """Return the uncut interval that contains an instant, of the series through the subscription's anchor."""
    return series_at(subscription, interval, instant)


def due_after(subscription: Subscription) -> datetime:
    """Return when billing has to look next at a subscription that has started, if nothing else happens.

    That is where the interval ends up to which usage is invoiced next, and at the latest the end of the open period.
    """
    opened, cadence = subscription.open_period, subscription.cadence
    if cadence.interval is None or subscription.is_trial_at(opened.start):
        return opened.end
    since = max(opened.start, cadence.invoiced_until or opened.start)
    if since >= opened.end:
        return opened.end
    return min(interval_at(subscription, cadence.interval, since).end, opened.end)


def with_cadence_of(subscription: Subscription, version: PlanVersion) -> Subscription:
    """Return a subscription of which no usage of the open period is invoiced yet, in the intervals of a version.

    Thresholds of its own stay.
    """
    was = subscription.cadence
    thresholds = was.thresholds if was.has_own_thresholds else version.usage_invoicing.thresholds
    cadence = Cadence(
        usage_interval(version, subscription.duration),
        thresholds=thresholds,
        has_own_thresholds=was.has_own_thresholds,
    )
    return msgspec.structs.replace(subscription, cadence=cadence)


def with_own_thresholds(
    subscription: Subscription, thresholds: tuple[SpendThreshold, ...] | None, version: PlanVersion
) -> Subscription:
    """Return a subscription with thresholds of its own from now on; null: with those of its version."""
    own = thresholds is not None
    found = version.usage_invoicing.thresholds if thresholds is None else thresholds
    cadence = msgspec.structs.replace(subscription.cadence, thresholds=found, has_own_thresholds=own)
    return msgspec.structs.replace(subscription, cadence=cadence)


def usage_invoiced(subscription: Subscription, until: datetime, reached: Decimal | None = None) -> Subscription:
    """Return the subscription after usage of the open period was invoiced up to an instant, due when it is next.

    `reached` is the threshold that was the reason, if one was.
    """
    cadence = msgspec.structs.replace(
        subscription.cadence, invoiced_until=until, reached=subscription.cadence.reached if reached is None else reached
    )
    invoiced = msgspec.structs.replace(subscription, cadence=cadence, parked_cause=None)
    return msgspec.structs.replace(invoiced, due_at=due_after(invoiced))
