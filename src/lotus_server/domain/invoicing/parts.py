"""How much of a whole billing period its parts are: by exact time, or in whole days."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from lotus_server.domain.catalog import ProrationUnit
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.subscriptions import in_use_at, standstills, whole_period
from lotus_server.kernel.period import Period
from lotus_server.kernel.zones import shown_in

_DAY: Final = timedelta(days=1)


def divided(terms: Terms, parts: Sequence[Period]) -> tuple[tuple[Period, ...], Period]:
    """Return parts of one whole billing period, and that period, in the unit of the version, to be shared out.

    The parts touch, and each but the last ends with a change. By exact time they are returned as they are. By day each
    is the days that belong to it, of none or more, by the calendar of the subscription's time zone and written in UTC:
    the day of a change, of a renewal and of a switch to another plan belongs to what follows, the day of a termination
    to what ends. The time of pauses that prolong is no part of either.
    """
    subscription = terms.subscription
    whole = whole_period(subscription, parts[0].start)
    paused = standstills(subscription)
    if terms.version.proration_unit is ProrationUnit.EXACT:
        if not paused:
            return tuple(parts), whole
        in_use = [
            Period(in_use_at(subscription, each.start), in_use_at(subscription, each.end)) for each in (*parts, whole)
        ]
        return tuple(in_use[:-1]), in_use[-1]
    zone = subscription.timezone
    free = [Period(_day(each.start, zone), _day(each.end, zone)) for each in paused]
    starts = [_day(part.start, zone) for part in parts]
    ends = [*starts[1:], _end_of_days(terms, parts[-1].end, whole)]
    in_days = (*zip(starts, ends, strict=True), (_day(whole.start, zone), _day(whole.end, zone)))
    counted = [Period(_without(free, start), _without(free, end)) for start, end in in_days]
    return tuple(counted[:-1]), counted[-1]


def _without(free: Sequence[Period], day: datetime) -> datetime:
    """Return a day on a calendar that does not have those of some stretches of days."""
    return day - sum((each.until(day).end - each.start for each in free), timedelta())


def _end_of_days(terms: Terms, end: datetime, whole: Period) -> datetime:
    """Return where the days end of what is held until an instant."""
    subscription = terms.subscription
    zone = subscription.timezone
    day, last = _day(end, zone), _day(whole.end, zone)
    if end >= whole.end:
        return last
    if end == subscription.ends_at and end != subscription.canceled_at:
        # That end was agreed on, and is excluded.
        return min(day if day == _shown(end, zone) else day + _DAY, last)
    if end == terms.succeeded_at:
        return day
    return min(day + _DAY, last)


def _day(instant: datetime, timezone: str) -> datetime:
    """Return the day of an instant in a zone, as a midnight in UTC."""
    return _shown(instant, timezone).replace(hour=0, minute=0, second=0, microsecond=0)


def _shown(instant: datetime, timezone: str) -> datetime:
    """Return what clocks in a zone show at an instant, as the time in UTC at which they show that there."""
    return shown_in(instant, timezone).replace(tzinfo=UTC)
