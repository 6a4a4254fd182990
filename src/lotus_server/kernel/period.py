"""Periods: half-open intervals `[start, end)` of time, and the arithmetic of billing durations."""

import calendar
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import msgspec


class Period(msgspec.Struct, frozen=True, order=True, gc=False):
    """The instants from `start` (included) to `end` (excluded), both aware UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse a period that ends before it starts; an empty one is allowed."""
        assert self.start <= self.end, f"period ends ({self.end}) before it starts ({self.start})"

    def contains(self, instant: datetime) -> bool:
        """Tell whether `start <= instant < end`."""
        return self.start <= instant < self.end

    def overlaps(self, other: "Period") -> bool:
        """Tell whether the two share an instant; neighbours that only touch do not."""
        return self.start < other.end and other.start < self.end

    def until(self, end: datetime) -> "Period":
        """Return the part before `end`; empty when `end` lies before the start."""
        return Period(self.start, max(self.start, min(self.end, end)))

    @property
    def microseconds(self) -> int:
        """Return the exact length."""
        return (self.end - self.start) // timedelta(microseconds=1)


class Duration(StrEnum):
    """How long a plan's billing period is."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


_MONTHS: Final = {Duration.MONTHLY: 1, Duration.QUARTERLY: 3, Duration.YEARLY: 12}
_DAYS: Final = {Duration.DAILY: 1, Duration.WEEKLY: 7}


def boundary(anchor: datetime, duration: Duration, count: int, zone: ZoneInfo | None = None) -> datetime:
    """Return the instant `count` durations after the anchor (before it when negative), on the wall clock of `zone`.

    Every boundary is computed from the anchor itself, never from its neighbour, so the 31st comes back after a short
    month: 31 Jan, 28 Feb, 31 Mar.
    """
    if count == 0:
        return anchor  # also where its wall clock shows the same time twice
    if zone is None:
        return _moved(anchor.astimezone(UTC), duration, count)
    local = anchor.astimezone(zone).replace(tzinfo=None)
    return _moved(local, duration, count).replace(tzinfo=zone).astimezone(UTC)


def _moved(local: datetime, duration: Duration, count: int) -> datetime:
    if duration in _DAYS:
        return local + timedelta(days=_DAYS[duration] * count)
    year, month = divmod(local.year * 12 + local.month - 1 + _MONTHS[duration] * count, 12)
    day = local.day
    if day > 28:  # every month has so many
        day = min(day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)


def period_at(anchor: datetime, duration: Duration, instant: datetime, zone: ZoneInfo | None = None) -> Period:
    """Return the period of the series through the anchor that contains `instant`, also before the anchor."""
    if duration in _DAYS:
        index = (instant - anchor).days // _DAYS[duration]
    else:
        months = (instant.year - anchor.year) * 12 + instant.month - anchor.month
        index = months // _MONTHS[duration]
    # It is that one or a neighbour, as a zone's wall clock and the day of the month say.
    start = boundary(anchor, duration, index, zone)
    while start > instant:
        index -= 1
        start = boundary(anchor, duration, index, zone)
    end = boundary(anchor, duration, index + 1, zone)
    while end <= instant:
        index += 1
        start, end = end, boundary(anchor, duration, index + 1, zone)
    return Period(start, end)
