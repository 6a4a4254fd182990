"""Pauses that prolong: while one lasts the time of its subscription stands still, and every boundary after it is later.

Boundaries are counted from the anchor as if there were no such pause, on a calendar of time in use. Each that lies
behind the beginning of such a pause is then as much later, on the wall clock, as the pause lasts.
"""

from datetime import UTC, datetime, timedelta
from itertools import takewhile

from lotus_server.domain.subscriptions.subscription import PausedFees, Subscription
from lotus_server.kernel.period import Duration, Period, period_at
from lotus_server.kernel.zones import on_wall_clock, shown_in, zone_of

_INSTANT = timedelta(microseconds=1)


def standstills(subscription: Subscription) -> tuple[Period, ...]:
    """Return the pauses that prolong, in the order of time."""
    if not subscription.pauses:
        return ()
    return tuple(
        Period(each.starts_at, each.ends_at)
        for each in subscription.pauses
        if each.fees is PausedFees.PROLONG and each.ends_at is not None
    )


def series_at(subscription: Subscription, duration: Duration, instant: datetime) -> Period:
    """Return the uncut period that contains an instant, of the series of a duration through the anchor."""
    zone = zone_of(subscription.timezone)
    found = standstills(subscription)
    if not found:
        return period_at(subscription.anchor, duration, instant, zone)
    in_use = period_at(subscription.anchor, duration, in_use_at(subscription, instant), zone)
    period = _prolonged(subscription, in_use)
    while instant < period.start:
        in_use = period_at(subscription.anchor, duration, in_use.start - _INSTANT, zone)
        period = _prolonged(subscription, in_use)
    while instant >= period.end:
        in_use = period_at(subscription.anchor, duration, in_use.end, zone)
        period = _prolonged(subscription, in_use)
    return period


def in_use_at(subscription: Subscription, instant: datetime) -> datetime:
    """Return an instant on the calendar of time in use: all of a pause that prolongs is the instant it begins at."""
    found = tuple(takewhile(lambda each: each.start < instant, standstills(subscription)))
    if not found:
        return instant
    if instant < found[-1].end:
        instant, found = found[-1].start, found[:-1]
    zone = subscription.timezone
    return on_wall_clock(_shown(instant, zone) - sum((_lasting(each, zone) for each in found), timedelta()), zone)


def later(subscription: Subscription, instant: datetime) -> datetime:
    """Return when an instant of the calendar of time in use comes about; at the beginning of a pause, before it."""
    zone, at = subscription.timezone, instant
    shown, lasting = _shown(instant, zone), timedelta()
    for each in standstills(subscription):
        if each.start >= at:
            break
        lasting += _lasting(each, zone)
        at = on_wall_clock(shown + lasting, zone)
    return at


def moved_along(before: Subscription, after: Subscription, instant: datetime | None) -> datetime | None:
    """Return where an instant lies when the pauses of a subscription are no longer those that they were.

    One that was chosen to lie within a pause stays where it is.
    """
    if instant is None or any(each.start < instant <= each.end for each in standstills(before)):
        return instant
    return later(after, in_use_at(before, instant))


def _prolonged(subscription: Subscription, in_use: Period) -> Period:
    return Period(later(subscription, in_use.start), later(subscription, in_use.end))


def _lasting(pause: Period, zone: str) -> timedelta:
    return _shown(pause.end, zone) - _shown(pause.start, zone)


def _shown(instant: datetime, zone: str) -> datetime:
    """Return what clocks in a zone show at an instant, as the time in UTC at which they show that there."""
    return shown_in(instant, zone).replace(tzinfo=UTC)
