"""Periods: half-open intervals `[start, end)` of time, and the arithmetic of billing durations."""

import calendar
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import msgspec


class Period(msgspec.Struct, frozen=True, order=True):
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
    local = anchor.astimezone(zone or UTC).replace(tzinfo=None)
    if duration in _DAYS:
        moved = local + timedelta(days=_DAYS[duration] * count)
    else:
        months = local.year * 12 + local.month - 1 + _MONTHS[duration] * count
        year, month = divmod(months, 12)
        last_day = calendar.monthrange(year, month + 1)[1]
        moved = local.replace(year=year, month=month + 1, day=min(local.day, last_day))
    return moved.replace(tzinfo=zone or UTC).astimezone(UTC)


def period_at(anchor: datetime, duration: Duration, instant: datetime, zone: ZoneInfo | None = None) -> Period:
    """Return the period of the series through the anchor that contains `instant`, also before the anchor."""
    days_at_most = _DAYS.get(duration) or _MONTHS[duration] * 31
    index = (instant - anchor).days // days_at_most  # near enough that the walk below is short
    while boundary(anchor, duration, index, zone) > instant:
        index -= 1
    while boundary(anchor, duration, index + 1, zone) <= instant:
        index += 1
    return Period(boundary(anchor, duration, index, zone), boundary(anchor, duration, index + 1, zone))
