"""Units of time for the oracle, by walking the calendar in datetimes."""

import calendar
from datetime import datetime, timedelta

from lotus_server.domain.metering.definition import Granularity
from lotus_server.kernel.period import Period

Span = tuple[datetime, datetime]

_MONTHS = {Granularity.MONTH: 1, Granularity.QUARTER: 3, Granularity.YEAR: 12}
_WEEK = timedelta(weeks=1)


def part_of(inner: Span, outer: Span) -> Span:
    """Return what two spans have in common."""
    return max(inner[0], outer[0]), min(inner[1], outer[1])


def window_of(window: Granularity, at: datetime) -> datetime:
    """Return the start of the UTC hour, day, week (Monday) or month that an instant lies in."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    match window:
        case Granularity.HOUR:
            return at.replace(minute=0, second=0, microsecond=0)
        case Granularity.DAY:
            return midnight
        case Granularity.WEEK:
            return midnight - timedelta(days=at.weekday())
        case _:
            return midnight.replace(day=1)


def next_window(window: Granularity, start: datetime) -> datetime:
    """Return the start of the window after the one that begins at `start`."""
    match window:
        case Granularity.HOUR:
            return start + timedelta(hours=1)
        case Granularity.DAY:
            return start + timedelta(days=1)
        case Granularity.WEEK:
            return start + _WEEK
        case _:
            return (start + timedelta(days=31)).replace(day=1)


def unit_around(granularity: Granularity, cycle: Period, at: datetime) -> tuple[Span, timedelta]:
    """Return the bounds of the unit that an instant lies in, and its whole length."""
    second = at.replace(microsecond=0)
    match granularity:
        case Granularity.SECOND:
            return (second, second + timedelta(seconds=1)), timedelta(seconds=1)
        case Granularity.MINUTE:
            minute = second.replace(second=0)
            return (minute, minute + timedelta(minutes=1)), timedelta(minutes=1)
        case Granularity.HOUR:
            hour = second.replace(minute=0, second=0)
            return (hour, hour + timedelta(hours=1)), timedelta(hours=1)
        case Granularity.DAY:
            day = second.replace(hour=0, minute=0, second=0)
            return (day, day + timedelta(days=1)), timedelta(days=1)
        case Granularity.TOTAL:
            far = timedelta(days=36_500)
            return (cycle.start - far, cycle.end + far), cycle.end - cycle.start
        case _:
            return _stepped(granularity, cycle, at)


def _stepped(granularity: Granularity, cycle: Period, at: datetime) -> tuple[Span, timedelta]:
    count = 0
    while _step(granularity, cycle.start, count) > at:
        count -= 1
    while _step(granularity, cycle.start, count + 1) <= at:
        count += 1
    start, end = (_step(granularity, cycle.start, each) for each in (count, count + 1))
    return (start, end), end - start


def _step(granularity: Granularity, anchor: datetime, count: int) -> datetime:
    """Return the bound `count` units after the anchor; a day that a month lacks is its last one."""
    if granularity is Granularity.WEEK:
        return anchor + count * _WEEK
    month = anchor.month - 1 + count * _MONTHS[granularity]
    year, month = anchor.year + month // 12, month % 12 + 1
    return anchor.replace(year=year, month=month, day=min(anchor.day, calendar.monthrange(year, month)[1]))


def stepped_bounds(granularity: Granularity | None, cycle: Period, span: Span) -> list[datetime]:
    """Return the bounds of weeks and longer units within a span; shorter ones are all alike."""
    if granularity is not Granularity.WEEK and granularity not in _MONTHS:
        return []
    bounds = [_stepped(granularity, cycle, span[0])[0][1]]
    while bounds[-1] < span[1]:
        bounds.append(_stepped(granularity, cycle, bounds[-1])[0][1])
    return bounds
