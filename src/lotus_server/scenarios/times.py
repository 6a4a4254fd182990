"""Times in a scenario: instants, distances such as `1 month`, and the instants of what is repeated."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from lotus_server.kernel.instants import parse_instant
from lotus_server.kernel.period import Duration, boundary

REPEAT_MAX: Final = 100_000
_EVERY: Final = re.compile(r"(?:(\d{1,6}) )?(second|minute|hour|day|week|month|year)s?", re.ASCII)
_CLOCK: Final = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_CALENDAR: Final = {"month": Duration.MONTHLY, "year": Duration.YEARLY}


def instant_of(value: object) -> datetime | None:
    """Return the instant that a text names, a date being its midnight in UTC; None when it names none."""
    return parse_instant(value.strip()) if isinstance(value, str) else None


def is_distance(value: object) -> bool:
    """Tell whether a text is a distance in time: `hour`, `15 minutes`, `1 month`."""
    return isinstance(value, str) and _EVERY.fullmatch(value) is not None


def instants(first: datetime, every: str, count: int) -> Iterator[datetime]:
    """Yield `count` instants, the first being `first`. Months and years clamp at short months, and the day returns."""
    found = _EVERY.fullmatch(every)
    assert found is not None, every
    number, unit = int(found[1] or 1), found[2]
    for index in range(count):
        if unit in _CALENDAR:
            yield boundary(first, _CALENDAR[unit], number * index)
        else:
            yield first + _CLOCK[unit] * number * index


def repetition(entry: dict[str, Any]) -> tuple[int | None, str | None]:
    """Return how often something is repeated (None: no number of times) and how far apart."""
    count = entry.get("repeat", 1)
    is_count = isinstance(count, int) and not isinstance(count, bool) and 1 <= count <= REPEAT_MAX
    return (count if is_count else None), entry.get("every")
