"""Which grants pay for an amount, and in which order."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.credits.grants import CreditGrant
from lotus_server.kernel.money import total
from lotus_server.kernel.quantity import ZERO, subtract

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class HeldCredit(msgspec.Struct, frozen=True, gc=False):
    """A grant and what it has left (never negative), whether or not it can pay at this moment."""

    grant: CreditGrant
    remaining: Decimal


class Drawdown(msgspec.Struct, frozen=True):
    """A part, always positive, of an amount that one grant pays."""

    grant: CreditGrant
    amount: Decimal


def usable_at(held: Iterable[HeldCredit], instant: datetime) -> list[HeldCredit]:
    """Return the credit that can pay at an instant, in the order in which it is used.

    By priority (the lowest number first), then by expiry (never comes last), then the older grant first.
    """
    return sorted(
        (each for each in held if each.remaining > 0 and each.grant.pays_at(instant)),
        key=lambda each: (
            each.grant.priority,
            each.grant.expires_at or _NEVER,
            each.grant.granted_at,
            each.grant.credit_id,
        ),
    )


def usable_balance(held: Iterable[HeldCredit], instant: datetime) -> Decimal:
    """Return how much can be paid at an instant."""
    return total(each.remaining for each in usable_at(held, instant))


def burn_down(held: Iterable[HeldCredit], amount: Decimal, instant: datetime) -> tuple[Drawdown, ...]:
    """Return which grants pay how much of an amount that is due at an instant.

    All held credit is in the amount's currency. What the grants cannot pay is left: the drawdowns sum to the smaller of
    the amount and the usable balance, and to nothing for an amount of zero or less.
    """
    found: list[Drawdown] = []
    due = max(amount, ZERO)
    for each in usable_at(held, instant):
        if not due:
            break
        part = min(each.remaining, due)
        found.append(Drawdown(each.grant, part))
        due = subtract(due, part)
    return tuple(found)


def after(held: Iterable[HeldCredit], drawdowns: Iterable[Drawdown]) -> tuple[HeldCredit, ...]:
    """Return what the grants have left once drawdowns are taken from them."""
    taken = {drawdown.grant.credit_id: drawdown.amount for drawdown in drawdowns}
    return tuple(
        HeldCredit(each.grant, subtract(each.remaining, taken.get(each.grant.credit_id, ZERO))) for each in held
    )
