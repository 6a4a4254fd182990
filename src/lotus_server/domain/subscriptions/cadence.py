"""When billing has to look at a subscription within a period: usage that is invoiced in parts of it."""

from datetime import datetime

import msgspec

from lotus_server.domain.catalog import PlanVersion, usage_interval
from lotus_server.domain.subscriptions.subscription import Cadence, Subscription
from lotus_server.kernel.period import Duration, Period, period_at
from lotus_server.kernel.zones import zone_of


def interval_at(subscription: Subscription, interval: Duration, instant: datetime) -> Period:
    """Return the uncut interval that contains an instant, of the series through the subscription's anchor."""
    return period_at(subscription.anchor, interval, instant, zone_of(subscription.timezone))


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
    """Return a subscription of which no usage of the open period is invoiced yet, in the intervals of a version."""
    return msgspec.structs.replace(subscription, cadence=Cadence(usage_interval(version, subscription.duration)))


def usage_invoiced(subscription: Subscription, until: datetime) -> Subscription:
    """Return the subscription after usage of the open period was invoiced up to an instant, due when it is next."""
    cadence = msgspec.structs.replace(subscription.cadence, invoiced_until=until)
    invoiced = msgspec.structs.replace(subscription, cadence=cadence, parked_cause=None)
    return msgspec.structs.replace(invoiced, due_at=due_after(invoiced))
