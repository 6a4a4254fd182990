"""Prepaid money: how much a customer wants to have, and when more of it is wanted."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from lotus_server.domain.credits.burn_down import HeldCredit, usable_balance
from lotus_server.domain.credits.grants import amount_problems
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Duration, Period, period_at
from lotus_server.kernel.quantity import add

_MONTHS_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


class TopUpStatus(StrEnum):
    """What became of a wish for more money."""

    PENDING = "pending"
    SETTLED = "settled"
    CANCELED = "canceled"


class TopUp(msgspec.Struct, frozen=True):
    """A wish for more prepaid money. Settled, it is the grant with the id `credit_id`."""

    organization_id: str
    top_up_id: str
    customer_id: str
    currency: str
    amount: Decimal
    wanted_at: datetime
    status: TopUpStatus = TopUpStatus.PENDING
    resolved_at: datetime | None = None
    credit_id: str | None = None


class Wallet(msgspec.Struct, frozen=True):
    """When a customer's prepaid credit in a currency is to be topped up, and by how much.

    A top-up is wanted once the balance is below `threshold`, in a calendar month (UTC) of not more than
    `max_per_month` together. `is_armed` tells whether the next fall below the threshold counts: after a top-up was
    wanted it does not, until that was settled or the balance has recovered. Everything up to `checked_at` was looked
    at; `due_at` is when a top-up that the month did not allow is looked at again.
    """

    organization_id: str
    customer_id: str
    currency: str
    threshold: Decimal
    top_up_amount: Decimal
    checked_at: datetime
    max_per_month: Decimal | None = None
    is_armed: bool = True
    due_at: datetime | None = None


def wallet_problems(wallet: Wallet) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a wallet's settings."""
    found = Problems()
    amount_problems(found, "threshold", wallet.threshold, "currency_code", wallet.currency)
    amount_problems(found, "top_up_amount", wallet.top_up_amount, "currency_code", wallet.currency)
    if wallet.max_per_month is not None:
        amount_problems(found, "max_per_month", wallet.max_per_month, "currency_code", wallet.currency)
        if 0 < wallet.max_per_month < wallet.top_up_amount:
            found.add("max_per_month", "below_minimum", "max_per_month must not be below top_up_amount.")
    return found.found


def prepaid(held: Iterable[HeldCredit], code: str) -> list[HeldCredit]:
    """Return the credit in a currency that money was paid for."""
    return [each for each in held if each.grant.is_prepaid and each.grant.currency == code]


def watch(
    wallet: Wallet, held: Iterable[HeldCredit], top_ups: Iterable[TopUp], until: datetime
) -> tuple[Wallet, datetime | None]:
    """Return a wallet that was looked at up to `until`, and since when a top-up is wanted (null: none is).

    `held` is the prepaid credit, each grant with what it has before its expiry, as it has been since the last look;
    `top_ups` are all those that are pending, and those settled since the beginning of the month of the last look.
    """
    credit = list(held)
    standing = [top_up for top_up in top_ups if top_up.status is not TopUpStatus.CANCELED]
    if any(top_up.status is TopUpStatus.PENDING for top_up in standing):
        return msgspec.structs.replace(wallet, checked_at=until, is_armed=False, due_at=None), None
    is_armed, due_at = wallet.is_armed, wallet.due_at
    wanted_at = None
    for instant in _instants(wallet, credit, until):
        if usable_balance(credit, instant) >= wallet.threshold:
            is_armed, due_at = True, None
        elif is_armed and (month := _month_without_room(wallet, standing, instant)) is not None:
            due_at = month.end
        elif is_armed:
            wanted_at, is_armed, due_at = instant, False, None
            break
    return msgspec.structs.replace(wallet, checked_at=until, is_armed=is_armed, due_at=due_at), wanted_at


def _instants(wallet: Wallet, held: list[HeldCredit], until: datetime) -> list[datetime]:
    """Return the instants since the last look at which the balance can have changed or a month begun, then `until`."""
    changes = {each.grant.effective_at for each in held}
    changes |= {each.grant.expires_at for each in held if each.grant.expires_at is not None}
    if wallet.due_at is not None:
        changes.add(wallet.due_at)
    return sorted({instant for instant in changes if wallet.checked_at < instant <= until} | {until})


def _month_without_room(wallet: Wallet, top_ups: list[TopUp], instant: datetime) -> Period | None:
    """Return the month of an instant when it allows no further top-up."""
    if wallet.max_per_month is None:
        return None
    month = month_of(instant)
    spent = total(top_up.amount for top_up in top_ups if month.contains(top_up.wanted_at))
    return month if add(spent, wallet.top_up_amount) > wallet.max_per_month else None


def month_of(instant: datetime) -> Period:
    """Return the calendar month, UTC, that contains an instant."""
    return period_at(_MONTHS_BEGIN, Duration.MONTHLY, instant)
