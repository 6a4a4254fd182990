"""What happens to a subscription: start, renewal, cancellation. Each takes a subscription and returns a new one."""

from datetime import datetime, timedelta

import msgspec

from lotus_server.domain.subscriptions.subscription import Status, Subscription
from lotus_server.kernel.errors import Conflict, Invalid
from lotus_server.kernel.period import Duration, Period, period_at


def first_period(*, starts_at: datetime, ends_at: datetime | None, anchor: datetime, duration: Duration) -> Period:
    """Return the first billing period.

    From the start to the next boundary of the anchor's series, or to the end if sooner.
    """
    whole = period_at(anchor, duration, starts_at)
    return Period(starts_at, whole.end if ends_at is None else min(whole.end, ends_at))


def period_containing(subscription: Subscription, instant: datetime) -> Period:
    """Return the billing period that contains an instant, cut to what the subscription covers.

    The instant has to lie within `[starts_at, ends_at)`.
    """
    if subscription.ends_at is None and subscription.open_period.contains(instant):
        return subscription.open_period  # the usual case, asked at every access check: no calendar arithmetic
    whole = whole_period(subscription, instant)
    end = whole.end if subscription.ends_at is None else min(whole.end, subscription.ends_at)
    return Period(max(whole.start, subscription.starts_at), end)


def whole_period(subscription: Subscription, instant: datetime) -> Period:
    """Return the uncut period of the series that contains an instant: the denominator of every share."""
    return period_at(subscription.anchor, subscription.duration, instant)


def metered_period(subscription: Subscription, period: Period) -> Period:
    """Return the period over which a billing period's usage is kept: to the whole period's end, wherever it was cut.

    Aggregates are kept under it, so a cancellation in the middle needs no new one.
    """
    if subscription.ends_at is None:
        return period  # nothing cuts it
    return Period(period.start, whole_period(subscription, period.start).end)


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


def advance(subscription: Subscription) -> Subscription:
    """Return the subscription after its open period was invoiced: the next period is open, or everything is billed."""
    end = subscription.open_period.end
    if subscription.ends_at is not None and end >= subscription.ends_at:
        return msgspec.structs.replace(subscription, is_fully_billed=True, due_at=None, parked_cause=None)
    following = period_containing(subscription, end)
    return msgspec.structs.replace(
        subscription, open_period=following, due_at=following.end, is_new=False, parked_cause=None
    )


def end_now(subscription: Subscription, now: datetime) -> Subscription:
    """Return the subscription ended at `now` and billed: nothing is due any more.

    One that has not started ends where it starts. Raises Invalid `invalid_state` when it has ended before.
    """
    _refuse_ended(subscription, now)
    ends_at = max(now, subscription.starts_at)
    return msgspec.structs.replace(
        subscription,
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


def park(subscription: Subscription, *, cause: str, retry_at: datetime) -> Subscription:
    """Return the subscription set aside with a cause people can read, to be tried again at `retry_at`."""
    return msgspec.structs.replace(subscription, parked_cause=cause, due_at=retry_at)


def _refuse_ended(subscription: Subscription, now: datetime) -> None:
    if subscription.status_at(now) is Status.ENDED:
        raise Conflict("The subscription has already ended.", code="invalid_state")


def last_instant(end: datetime) -> datetime:
    """Return the last microsecond before an exclusive end, the form in which an end is shown as a time."""
    return end - timedelta(microseconds=1)
