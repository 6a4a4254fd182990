"""Fields that several forms share: instants, dates, identifiers, as rows show them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import parse_date, parse_instant
from lotus_server.kernel.period import Duration
from lotus_server.kernel.zones import shown_in

Row = dict[str, Any]
_DAY = timedelta(days=1)
_LAST = datetime.max.replace(tzinfo=UTC)
INTERVALS = {
    Duration.DAILY: "day",
    Duration.WEEKLY: "week",
    Duration.MONTHLY: "month",
    Duration.QUARTERLY: "quarter",
    Duration.YEARLY: "year",
}


def instant(problems: Problems, field: str, text: str | None) -> datetime | None:
    """Return the instant that a text names; a date alone is its midnight, UTC. A wrong one is a problem."""
    if text is None:
        return None
    found = parse_instant(text.strip())
    if found is None:
        problems.add(field, "invalid_time", f"{field} must be a date (YYYY-MM-DD) or an RFC 3339 time.")
    return found


def is_day(text: str | None) -> bool:
    """Tell whether a text is a date alone, a day that begins at midnight of some time zone."""
    return text is not None and parse_date(text.strip()) is not None


def day_text(moment: datetime, timezone: str) -> str:
    """Return the day to which an instant belongs in a time zone."""
    return f"{shown_in(moment, timezone):%Y-%m-%d}"


def end_instant(problems: Problems, field: str, text: str | None) -> datetime | None:
    """Return the exclusive end that a text names.

    A date alone is the last day, inclusive; a time is the last instant, so that the end shown for a subscription can
    be sent back.
    """
    found = instant(problems, field, text)
    if found is None or text is None:
        return None
    step = _DAY if is_day(text) else timedelta(microseconds=1 if found.microsecond == 999_999 else 0)
    # At the end of the calendar there is nothing to step to; such an end is refused for lying too far ahead.
    return min(found, _LAST - step) + step
