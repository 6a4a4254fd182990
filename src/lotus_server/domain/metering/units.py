"""Units of time: how long they are, and where the one begins that an instant lies in.

Instants and lengths are whole microseconds; instants count from 1970-01-01T00:00Z.
"""

from datetime import datetime
from typing import Final

from lotus_server.domain.metering.definition import Granularity
from lotus_server.kernel.instants import EPOCH, from_microseconds, to_microseconds
from lotus_server.kernel.period import Duration, Period, boundary, period_at

_SECOND_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _SECOND_US
# 1970 began on a Thursday; weeks begin on Monday.
_FIRST_MONDAY_US: Final = 4 * _DAY_US

# The units that are always equally long. Longer ones have a length only where they lie.
LENGTHS_US: Final[dict[Granularity, int]] = {
    Granularity.SECOND: _SECOND_US,
    Granularity.MINUTE: 60 * _SECOND_US,
    Granularity.HOUR: 3_600 * _SECOND_US,
    Granularity.DAY: _DAY_US,
    Granularity.WEEK: 7 * _DAY_US,
}

# The units that a gauge steps from the start of the billing cycle and that differ in length.
STEPPED: Final[dict[Granularity, Duration]] = {
    Granularity.MONTH: Duration.MONTHLY,
    Granularity.QUARTER: Duration.QUARTERLY,
    Granularity.YEAR: Duration.YEARLY,
}


def window_start_us(window: Granularity, at_us: int) -> int:
    """Return the start of the UTC window that an instant lies in: of its hour, day, week (Monday) or month."""
    if window is Granularity.MONTH:
        return to_microseconds(period_at(EPOCH, Duration.MONTHLY, from_microseconds(at_us)).start)
    first = _FIRST_MONDAY_US if window is Granularity.WEEK else 0
    return at_us - (at_us - first) % LENGTHS_US[window]


def window_end_us(window: Granularity, start_us: int) -> int:
    """Return the end of the window that begins at `start_us`."""
    if window is Granularity.MONTH:
        return to_microseconds(boundary(from_microseconds(start_us), Duration.MONTHLY, 1))
    return start_us + LENGTHS_US[window]


def steps_us(anchor: datetime, duration: Duration, first_us: int, last_us: int) -> list[int]:
    """Return the bounds of the units that follow each other from an anchor, before and after it.

    The first bound lies at or before `first_us`, and the last one after it and at or after `last_us`.
    """
    count = 0
    while to_microseconds(boundary(anchor, duration, count)) > first_us:
        count -= 1
    while to_microseconds(boundary(anchor, duration, count + 1)) <= first_us:
        count += 1
    bounds = [to_microseconds(boundary(anchor, duration, count))]
    while bounds[-1] < last_us or len(bounds) == 1:
        count += 1
        bounds.append(to_microseconds(boundary(anchor, duration, count)))
    return bounds


def windows_within(window: Granularity, period: Period, limit: int) -> list[Period] | None:
    """Return the UTC windows that a period touches, the first and the last cut off where it begins and ends.

    None when there are more than `limit`.
    """
    start_us, end_us = to_microseconds(period.start), to_microseconds(period.end)
    at_us = window_start_us(window, start_us)
    found: list[Period] = []
    while at_us < end_us:
        if len(found) == limit:
            return None
        next_us = window_end_us(window, at_us)
        found.append(Period(from_microseconds(max(at_us, start_us)), from_microseconds(min(next_us, end_us))))
        at_us = next_us
    return found
