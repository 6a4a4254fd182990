"""Time zones by their names: the wall clock on which boundaries are computed. Instants themselves stay in UTC."""

from datetime import UTC, datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

UTC_NAME: Final = "UTC"


def is_time_zone(name: str) -> bool:
    """Tell whether a name is one of the IANA time zone database, such as `Europe/Berlin`."""
    return name == UTC_NAME or name in time_zones()


def zone_of(name: str) -> ZoneInfo | None:
    """Return the zone of a known name; null is UTC, in which nothing has to be converted."""
    return None if name == UTC_NAME else ZoneInfo(name)


def on_wall_clock(instant: datetime, name: str) -> datetime:
    """Return the instant at which clocks in a zone show what those in UTC show at `instant`.

    A time that clocks skip is as much later as they are put forward, one that they show twice is the first.
    """
    zone = zone_of(name)
    return instant if zone is None else instant.replace(tzinfo=zone).astimezone(UTC)


def shown_in(instant: datetime, name: str) -> datetime:
    """Return an instant as clocks in a zone show it, with the zone's offset."""
    return instant.astimezone(zone_of(name) or UTC)


@cache
def time_zones() -> frozenset[str]:
    """Return the names of all time zones."""
    return frozenset(available_timezones())
