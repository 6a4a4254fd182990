"""What happens to a subscription: start, renewal, cancellation. Each takes a subscription and returns a new one."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from lotus_server.domain.catalog import PlanVersion
from lotus_server.domain.subscriptions.cadence import due_after, with_cadence_of
from lotus_server.domain.subscriptions.pauses import carry_pauses, carry_what_is_let_off, until_present
from lotus_server.domain.subscriptions.standstills import series_at
from lotus_server.domain.subscriptions.subscription import Status, Subscription
from lotus_server.kernel.errors import Conflict, Invalid
from lotus_server.kernel.period import Duration, Period, period_at
from lotus_server.kernel.zones import UTC_NAME, zone_of


def first_period(
    *, starts_at: datetime, ends_at: datetime | None, anchor: datetime, duration: Duration, timezone: str = UTC_NAME
) -> Period:
    """Return the first billing period of a subscription without a trial.

    From the start to the next boundary of the anchor's series, or to the end if sooner.
    """
    whole = period_at(anchor, duration, starts_at, zone_of(timezone))
    return Period(starts_at, whole.end if ends_at is None else min(whole.end, ends_at))


def period_containing(subscription: Subscription, instant: datetime) -> Period:
    """Return the billing period that contains an instant, cut to what the subscription covers.

    The instant has to lie within `[starts_at, ends_at)`.
    """
    if subscription.ends_at is None and subscription.open_period.contains(instant):
        return subscription.open_period  # the usual case, asked at every access check: no calendar arithmetic
    whole = whole_period(subscription, instant)
    end = whole.end if subscription.ends_at is None else min(whole.end, subscription.ends_at)
    trial_end = subscription.trial_end
    first = subscription.starts_at if trial_end is None or instant < trial_end else trial_end
    return Period(max(whole.start, first), end)


def whole_period(subscription: Subscription, instant: datetime) -> Period:
    """Return the uncut period of the series that contains an instant: the denominator of every share.

    A trial is a period of its own, and the series begins anew at its end.
    """
    trial_end = subscription.trial_end
    if trial_end is not None and instant < trial_end:
        return Period(subscription.starts_at, trial_end)
    return series_at(subscription, subscription.duration, instant)


def usage_period(subscription: Subscription, period: Period, metric_id: str) -> Period:
    """Return the time whose usage of a metric is billed with a billing period, or with a part from its start on.

    It is the period itself, except that usage carried over from another subscription lies before the first one.
    """
    if not subscription.usage_from or period.start != subscription.starts_at:
        return period
    return Period(subscription.usage_from.get(metric_id, period.start), period.end)


def metered_period(subscription: Subscription, period: Period, metric_id: str) -> Period:
    """Return the period over which a billing period's usage is kept: to the whole period's end, wherever it was cut.

    Aggregates are kept under it, so a cancellation in the middle needs no new one.
    """
    used = usage_period(subscription, period, metric_id)
    if subscription.ends_at is None:
        return used  # nothing cuts it
    return Period(used.start, whole_period(subscription, period.start).end)


def refuse_overlap(new: Subscription, existing: list[Subscription]) -> None:
    """Raise Invalid `overlapping_subscription` when the customer has the same plan and filters at the same time.

    The subscription itself, and one that was cancelled before it started, are in nobody's way.
    """
    for other in existing:
        if other.subscription_id == new.subscription_id or other.ends_at == other.starts_at:
            continue
        same = other.plan_id == new.plan_id and set(other.matches) == set(new.matches)
        starts_in_time = new.ends_at is None or other.starts_at < new.ends_at
        ends_in_time = other.ends_at is None or new.starts_at < other.ends_at
        if same and starts_in_time and ends_in_time:
            raise Invalid.field(
                "plan_id",
                "overlapping_subscription",
                f"The customer has plan {new.plan_id!r} in this time already, "
                f"with subscription {other.subscription_id!r}.",
            )


def awaits_invoice(subscription: Subscription, now: datetime) -> bool:
    """Tell whether the open period is over and has no invoice yet."""
    return subscription.due_at is not None and subscription.open_period.end <= now


def advance(subscription: Subscription) -> Subscription:
    """Return the subscription after its open period was invoiced: the next period is open, or everything is billed."""
    end = subscription.open_period.end
    if subscription.ends_at is not None and end >= subscription.ends_at:
        return msgspec.structs.replace(subscription, is_fully_billed=True, due_at=None, parked_cause=None)
    following = period_containing(subscription, end)
    cadence = subscription.cadence
    if cadence.invoiced_until is not None:
        cadence = msgspec.structs.replace(cadence, invoiced_until=None, reached=None)
    opened = msgspec.structs.replace(
        subscription, open_period=following, due_at=following.end, is_new=False, parked_cause=None, cadence=cadence
    )
    return opened if cadence.interval is None else msgspec.structs.replace(opened, due_at=due_after(opened))


def end_now(subscription: Subscription, now: datetime) -> Subscription:
    """Return the subscription ended at `now` and billed: nothing is due any more.

    One that has not started ends where it starts. Raises Invalid `invalid_state` when it has ended before.
    """
    _refuse_ended(subscription, now)
    ends_at = max(now, subscription.starts_at)
    return msgspec.structs.replace(
        until_present(subscription, now),
        ends_at=ends_at,
        auto_renew=False,
        canceled_at=now,
        open_period=subscription.open_period.until(ends_at),
        is_fully_billed=True,
        due_at=None,
        parked_cause=None,
    )


def end_with_period(subscription: Subscription, now: datetime) -> Subscription:
    """Return the subscription that runs to the end of its present period, is billed then, and does not renew.

    Raises Invalid `invalid_state` when it has ended before.
    """
    _refuse_ended(subscription, now)
    if subscription.ends_at is not None and not subscription.auto_renew:
        return msgspec.structs.replace(subscription, canceled_at=subscription.canceled_at or now)
    last = period_containing(subscription, max(now, subscription.starts_at))
    return msgspec.structs.replace(subscription, ends_at=last.end, auto_renew=False, canceled_at=now)


def renew_again(subscription: Subscription, now: datetime) -> Subscription:
    """Return the subscription that goes on after the end that it has, period by period, as if it had never had one.

    Raises Conflict `invalid_state` when it has ended before.
    """
    _refuse_ended(subscription, now)
    renewing = msgspec.structs.replace(subscription, ends_at=None, auto_renew=True, canceled_at=None)
    start = subscription.open_period.start
    ahead = msgspec.structs.replace(renewing, open_period=Period(start, start))
    opened = Period(start, period_containing(ahead, start).end)
    is_due_at_its_end = subscription.due_at == subscription.open_period.end
    renewing = msgspec.structs.replace(renewing, open_period=opened)
    due_at = due_after(renewing) if is_due_at_its_end else subscription.due_at
    return msgspec.structs.replace(renewing, due_at=due_at)


def end_with_parent(subscription: Subscription, ends_at: datetime, now: datetime) -> Subscription:
    """Return an add-on that ends when the subscription does that it is attached to, if not before, and is billed then.

    One that has ended already is returned as it is.
    """
    if subscription.status_at(now) is Status.ENDED or (
        subscription.ends_at is not None and subscription.ends_at <= ends_at
    ):
        return subscription
    opened = subscription.open_period.until(max(ends_at, subscription.open_period.start))
    has_started = subscription.due_at is not None and subscription.due_at > subscription.open_period.start
    return msgspec.structs.replace(
        subscription,
        ends_at=max(ends_at, subscription.starts_at),
        auto_renew=False,
        canceled_at=now,
        open_period=opened,
        due_at=opened.end if has_started else subscription.due_at,
    )


def succeed(
    old: Subscription, *, subscription_id: str, version: PlanVersion, duration: Duration, now: datetime
) -> Subscription:
    """Return the subscription to another version that begins at the instant at which `old`, still running, ends.

    It keeps customer, filters, metadata, the end, the anchor of the periods, and what is left of a trial; none of its
    usage is carried over yet. Pauses that are not over go on.
    """
    starts_at = max(now, old.starts_at)
    new = Subscription(
        organization_id=old.organization_id,
        subscription_id=subscription_id,
        customer_id=old.customer_id,
        plan_id=version.plan_id,
        version_id=version.version_id,
        duration=duration,
        starts_at=starts_at,
        anchor=old.anchor,
        ends_at=old.ends_at,
        auto_renew=old.auto_renew,
        is_new=False,
        open_period=Period(starts_at, starts_at),
        created_at=now,
        due_at=starts_at,
        matches=old.matches,
        metadata=old.metadata,
        canceled_at=old.canceled_at,
        trial_end=old.trial_end if old.is_trial_at(starts_at) else None,
        timezone=old.timezone,
        pauses=carry_pauses(old, starts_at),
        cadence=old.cadence,
    )
    return with_cadence_of(msgspec.structs.replace(new, open_period=period_containing(new, starts_at)), version)


def carry_usage(
    new: Subscription, old: Subscription, metric_ids: frozenset[str], invoiced_until: Mapping[str, datetime]
) -> Subscription:
    """Return the subscription with the usage of metrics that `old` will not bill: that of its open period.

    `old` is as it was before it ended. What it has invoiced of the open period, up to the instants in `invoiced_until`
    by metric id, stays there.
    """
    opened = old.open_period
    starts = {
        metric_id: invoiced_until.get(metric_id, usage_period(old, opened, metric_id).start)
        for metric_id in sorted(metric_ids)
    }
    since = min(starts.values(), default=new.starts_at)
    pauses = (*carry_what_is_let_off(old, min(since, new.starts_at), new.starts_at), *new.pauses)
    return msgspec.structs.replace(new, usage_from=starts, pauses=pauses)


def park(subscription: Subscription, *, cause: str, retry_at: datetime) -> Subscription:
    """Return the subscription set aside with a cause people can read, to be tried again at `retry_at`."""
    return msgspec.structs.replace(subscription, parked_cause=cause, due_at=retry_at)


def _refuse_ended(subscription: Subscription, now: datetime) -> None:
    if subscription.status_at(now) is Status.ENDED:
        raise Conflict("The subscription has already ended.", code="invalid_state")


def last_instant(end: datetime) -> datetime:
    """Return the last microsecond before an exclusive end, the form in which an end is shown as a time."""
    return end - timedelta(microseconds=1)
