"""Proration: what a part of a billing period costs, by the length of both."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from lotus_server.domain.rating.lines import Rated, Step
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ONE, plain, readable, share

_DAY: Final = timedelta(days=1) // timedelta(microseconds=1)
_SECOND: Final = timedelta(seconds=1) // timedelta(microseconds=1)


def share_of(amount: Decimal, *, part: Period, whole: Period) -> Decimal:
    """Return the share of an amount that a part of a period has, by microseconds, exact but for the last division.

    `whole` is the full billing period, also when the subscription began or ended within it, and `part` lies within it.
    """
    assert whole.start <= part.start, "the part begins before the whole"
    assert part.end <= whole.end, "the part ends after the whole"
    assert whole.microseconds > 0, "an empty period has no parts"
    return share(amount, Decimal(part.microseconds), Decimal(whole.microseconds))


def prorate(amount: Decimal, *, part: Period, whole: Period, of: str) -> Rated:
    """Return the same share with the step that explains it; `of` names what the amount is for."""
    due = share_of(amount, part=part, whole=whole)
    taken = "the whole period" if part == whole else share_text(part=part, whole=whole)
    return Rated(due, (Step(f"{of}: {readable(amount)} x {taken}", None, None, due),))


def share_text(*, part: Period, whole: Period) -> str:
    """Return how much of a period a part is, in days when both are whole days, else in seconds: `10 of 30 days`."""
    lengths = (part.microseconds, whole.microseconds)
    unit, name = (_DAY, "days") if all(length % _DAY == 0 for length in lengths) else (_SECOND, "seconds")
    taken, all_of_it = (plain(share(Decimal(length), ONE, Decimal(unit))) for length in lengths)
    return f"{taken} of {all_of_it} {name}"
