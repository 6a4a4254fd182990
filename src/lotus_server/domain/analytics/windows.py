"""Windows of whole days in UTC, their days and months, and the window before."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from lotus_server.kernel.period import Duration, Period, boundary

DAY: Final = timedelta(days=1)
WINDOW_DAYS_MAX: Final = 3_660


class Step(StrEnum):
    """How finely a window is looked at."""

    DAY = "day"
    MONTH = "month"


def day_of(instant: datetime) -> datetime:
    """Return the midnight with which the day of an instant begins, UTC."""
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def month_of(instant: datetime) -> datetime:
    """Return the midnight with which the month of an instant begins, UTC."""
    return day_of(instant).replace(day=1)


def last_days(now: datetime, count: int) -> Period:
    """Return so many whole days, the last of which is the day of `now`."""
    end = day_of(now) + DAY
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
