"""How much of a whole billing period its parts are: by exact time, or in whole days."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from lotus_server.domain.catalog import ProrationUnit
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.subscriptions import whole_period
from lotus_server.kernel.period import Period

_DAY: Final = timedelta(days=1)


def divided(terms: Terms, parts: Sequence[Period]) -> tuple[tuple[Period, ...], Period]:
    """Return parts of one whole billing period, and that period, in the unit of the version, to be shared out.

    The parts touch, and each but the last ends with a change. By exact time they are returned as they are. By day each
    is the days (UTC) that belong to it, of none or more: the day of a change, of a renewal and of a switch to another
    plan belongs to what follows, the day of a termination to what ends.
    """
    whole = whole_period(terms.subscription, parts[0].start)
    if terms.version.proration_unit is ProrationUnit.EXACT:
        return tuple(parts), whole
    in_days = Period(_midnight(whole.start), _midnight(whole.end))
    starts = [_midnight(part.start) for part in parts]
    ends = [*starts[1:], _end_of_days(terms, parts[-1].end, whole)]
    return tuple(Period(start, end) for start, end in zip(starts, ends, strict=True)), in_days


def _end_of_days(terms: Terms, end: datetime, whole: Period) -> datetime:
    """Return where the days end of what is held until an instant."""
    subscription, day, last = terms.subscription, _midnight(end), _midnight(whole.end)
    if end >= whole.end:
        return last
    if end == subscription.ends_at and end != subscription.canceled_at:
        return min(day if day == end else day + _DAY, last)  # that end was agreed on, and is excluded
    if end == terms.succeeded_at:
        return day
    return min(day + _DAY, last)


def _midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)
