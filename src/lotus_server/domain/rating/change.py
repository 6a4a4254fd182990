"""What a change within a billing period comes to: the old fee's unused time back, the new fee's time due."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from lotus_server.domain.catalog import Proration, ProrationUnit, Timing
from lotus_server.domain.rating.lines import Rated, Step
from lotus_server.domain.rating.proration import prorate
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import plain

_DAY = timedelta(days=1)


class Fee(msgspec.Struct, frozen=True):
    """A fixed amount per billing period, in major units, as a recurring charge has it."""

    amount: Decimal
    timing: Timing = Timing.IN_ADVANCE
    proration: Proration = Proration.PRORATE


class Change(msgspec.Struct, frozen=True):
    """What is given back and what is due because of a change, each part exact and to be rounded as a line."""

    credits: tuple[Rated, ...]
    debits: tuple[Rated, ...]


def change_fee(old: Fee, new: Fee | None, *, whole: Period, changed_at: datetime, unit: ProrationUnit) -> Change:
    """Return what a change of fee at an instant of the period (its end included) comes to; without `new` it ends.

    An old fee in advance was paid for the whole period, so its unused time comes back; one in arrears is due for the
    time until the change. A new fee in advance is due for the rest; one in arrears is not due before its period ends,
    and neither is there a rest at the end of the period. A fee that is not prorated is due in full for any time.

    By day, the day of a change belongs to the new fee, and the day on which everything ends to the old one. `whole`
    then touches two days at least.
    """
    assert whole.start <= changed_at <= whole.end, "the change lies outside the period"
    if unit is ProrationUnit.DAY:
        whole, changed_at = in_days(whole), _day_of_change(changed_at, whole, is_end=new is None)
    held, rest = Period(whole.start, changed_at), Period(changed_at, whole.end)
    credits_, debits = [], []
    if old.timing is Timing.IN_ARREARS:
        debits.append(_due(old, part=held, whole=whole, of="the old fee until the change"))
    elif old.proration is Proration.PRORATE:
        credits_.append(_due(old, part=rest, whole=whole, of="the unused time of the old fee"))
    if new is not None and new.timing is Timing.IN_ADVANCE and rest.microseconds:
        debits.append(_due(new, part=rest, whole=whole, of="the new fee from the change on"))
    return Change(tuple(credits_), tuple(debits))


def in_days(period: Period) -> Period:
    """Return the days (UTC) of a period, from the day of its start to the day of its end, which is excluded."""
    return Period(_midnight(period.start), _midnight(period.end))


def _day_of_change(changed_at: datetime, whole: Period, *, is_end: bool) -> datetime:
    """Return where the days of the old fee end."""
    end, day = _midnight(whole.end), _midnight(changed_at)
    return day + _DAY if is_end and day < end else day


def _midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


def _due(fee: Fee, *, part: Period, whole: Period, of: str) -> Rated:
    if fee.proration is Proration.FULL:
        return Rated(fee.amount, (Step(f"{of}: {plain(fee.amount)} in full", None, None, fee.amount),))
    return prorate(fee.amount, part=part, whole=whole, of=of)
