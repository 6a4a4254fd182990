"""Windows of whole days, their days and months, and the window before.

A day is named by its midnight in UTC, wherever it is a day: so windows are counted alike in every time zone. `day_of`
says which day of a zone an instant lies in, and `within` which instants a window's days are.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from lotus_server.kernel.period import Duration, Period, boundary

DAY: Final = timedelta(days=1)
WINDOW_DAYS_MAX: Final = 3_660


class Step(StrEnum):
    """How finely a window is looked at."""

    DAY = "day"
    MONTH = "month"


def day_of(instant: datetime, zone: tzinfo = UTC) -> datetime:
    """Return the day of a zone in which an instant lies."""
    return instant.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)


def begin_of(day: datetime, zone: tzinfo) -> datetime:
    """Return the instant with which a day of a zone begins.

    Where clocks are put forward at midnight that is when they are; where midnight comes twice, the first time.
    """
    return day.replace(tzinfo=zone, fold=0).astimezone(UTC)


def within(window: Period, zone: tzinfo) -> Period:
    """Return the instants of a window of days of a zone."""
    return Period(begin_of(window.start, zone), begin_of(window.end, zone))


def month_of(instant: datetime, zone: tzinfo = UTC) -> datetime:
    """Return the first day of the month of a zone in which an instant lies."""
    return day_of(instant, zone).replace(day=1)


def last_days(now: datetime, count: int, zone: tzinfo = UTC) -> Period:
    """Return so many whole days, the last of which is the day of `now`."""
    end = day_of(now, zone) + DAY
    return Period(end - DAY * count, end)


def window_before(window: Period) -> Period:
    """Return the window that ends where this one begins: of as many months if this is whole months, else days."""
    if window.start.day == 1 and window.end.day == 1:
        months = (window.end.year - window.start.year) * 12 + window.end.month - window.start.month
        return Period(boundary(window.start, Duration.MONTHLY, -months), window.start)
    return Period(window.start - (window.end - window.start), window.start)


def parts_of_window(window: Period, step: Step) -> tuple[Period, ...]:
    """Return the days or months of a window, in order; months at its edges are cut to it. Together they are it."""
    parts: list[Period] = []
    start = window.start
    while start < window.end:
        following = start + DAY if step is Step.DAY else boundary(month_of(start), Duration.MONTHLY, 1)
        parts.append(Period(start, min(following, window.end)))
        start = following
    return tuple(parts)
