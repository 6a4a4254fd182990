"""Where periods that follow the calendar have their boundaries, instead of at anniversaries of the start."""

import calendar
from datetime import UTC, datetime, timedelta
from typing import Final

from lotus_server.domain.catalog import Calendar
from lotus_server.kernel.period import Duration
from lotus_server.kernel.zones import on_wall_clock, shown_in

_MONTHS: Final = {Duration.MONTHLY: 1, Duration.QUARTERLY: 3, Duration.YEARLY: 12}
_MONTHS_TRIED_MAX: Final = 12 * 12


def calendar_anchor(terms: Calendar, duration: Duration, instant: datetime, timezone: str) -> datetime:
    """Return an anchor at or before an instant whose boundaries are those of the calendar, at midnight in a zone.

    Days begin at midnight, weeks on Monday (ISO 8601), longer periods on `day_anchor` of a month: of each one, or of
    those that lie whole quarters or years from `month_anchor`. The anchor lies in a month that has the day and in which
    that midnight exists, so that the day comes back after shorter months.
    """
    local = shown_in(instant, timezone).replace(tzinfo=UTC, hour=0, minute=0, second=0, microsecond=0)
    if duration is Duration.DAILY:
        return _first_midnight(local, timedelta(days=1), timezone)
    if duration is Duration.WEEKLY:
        return _first_midnight(local - timedelta(days=local.weekday()), timedelta(days=7), timezone)
    step = _MONTHS[duration]
    day = min(terms.day_anchor, _days_at_most(terms.month_anchor, duration))
    last = local.year * 12 + local.month - 1
    for months in range(last, last - _MONTHS_TRIED_MAX, -1):
        year, month = divmod(months, 12)
        if (month + 1 - terms.month_anchor) % step or calendar.monthrange(year, month + 1)[1] < day:
            continue
        midnight = datetime(year, month + 1, day, tzinfo=UTC)
        if midnight <= local and _exists(midnight, timezone):
            return on_wall_clock(midnight, timezone)
    raise AssertionError(f"no month of twelve years has a midnight of its day {day} in {timezone}")


def _days_at_most(month: int, duration: Duration) -> int:
    """Return the number of days of the longest month in which a period can begin."""
    return calendar.monthrange(2024, month)[1] if duration is Duration.YEARLY else 31  # 2024 is a leap year


def _first_midnight(midnight: datetime, step: timedelta, timezone: str) -> datetime:
    """Return the midnight, or the last one before it, in steps, that clocks do not skip."""
    while not _exists(midnight, timezone):
        midnight -= step
    return on_wall_clock(midnight, timezone)


def _exists(midnight: datetime, timezone: str) -> bool:
    return shown_in(on_wall_clock(midnight, timezone), timezone).replace(tzinfo=UTC) == midnight
