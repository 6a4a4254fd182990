"""Instants: aware UTC datetimes inside, microseconds since 1970 in stores, ISO 8601 text on the wire."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# A date, then optionally a time after `T` or a space, then optionally `Z` or an offset. `datetime.fromisoformat`
# also takes week
# dates and times without separators, which in a billing system are more likely a mistake than a meaning.
_SHAPE: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:[Zz]|[+-]\d\d(?::?\d\d)?))?)?", re.ASCII
)


def parse_instant(text: str) -> datetime | None:
    """Return the UTC instant of a text, or None when it is not one.

    Taken are RFC 3339 with `T` or space, `Z` or offset, with or without seconds and fraction (kept to the microsecond),
    a naive time (which is UTC), and a date alone (its midnight, UTC).
    """
    if _SHAPE.fullmatch(text) is None:
        return None
    try:
        parsed = datetime.fromisoformat(text.replace(" ", "T", 1).replace(" ", "").upper())
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_date(text: str) -> date | None:
    """Return the date of a `YYYY-MM-DD` text, or None when it is not one."""
    if len(text) != 10 or _SHAPE.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def to_microseconds(instant: datetime) -> int:
    """Return the microseconds from 1970-01-01T00:00Z to an aware instant (negative before)."""
    return (instant - EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """Return the UTC instant that lies so many microseconds after 1970-01-01T00:00Z."""
    return EPOCH + timedelta(microseconds=microseconds)


def to_text(instant: datetime) -> str:
    """Return an instant as RFC 3339 in UTC with `Z`; the fraction is left out when it is zero."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
