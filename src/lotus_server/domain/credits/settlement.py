"""What time does to credit: grants expire or roll over, and schedules give new ones."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime

import msgspec

from lotus_server.domain.credits.burn_down import HeldCredit
from lotus_server.domain.credits.grants import CreditGrant
from lotus_server.domain.credits.ledger import CreditPosting, expired_posting, grant_posting, rolled_over_posting
from lotus_server.domain.credits.schedules import CreditSchedule, give_due
from lotus_server.kernel.quantity import ZERO, subtract


class Settlement(msgspec.Struct, frozen=True):
    """Everything that has to be written so that the ledger shows what time has done.

    `given` are new grants, `settled` those of before whose expiry is in the ledger now. `held` are all grants with
    what each had left before its own expiry took it: whoever asks what can be paid at an instant looks at these.
    """

    given: tuple[CreditGrant, ...]
    settled: tuple[CreditGrant, ...]
    postings: tuple[CreditPosting, ...]
    schedules: tuple[CreditSchedule, ...]
    held: tuple[HeldCredit, ...]


def settle(held: Iterable[HeldCredit], schedules: Iterable[CreditSchedule], until: datetime) -> Settlement:
    """Return what has become due by `until`, that instant included.

    It follows from its arguments alone, ids and all, and settling in several steps comes to the same as in one.
    """
    given: list[CreditGrant] = []
    settled: list[CreditGrant] = []
    postings: list[CreditPosting] = []
    further: list[CreditSchedule] = []
    seen: list[HeldCredit] = []
    waiting = deque((each, False) for each in held)
    for schedule in schedules:
        following, grants = give_due(schedule, until)
        further.append(following)
        waiting.extend((HeldCredit(grant, grant.amount), True) for grant in grants)
    while waiting:
        each, is_new = waiting.popleft()
        seen.append(each)
        grant = each.grant
        if is_new:
            postings.append(_given(grant))
        if grant.due_at is not None and grant.due_at <= until:
            moved, successor = expire(each)
            postings += moved
            if successor is not None:
                waiting.append((HeldCredit(successor, successor.amount), True))
            grant = msgspec.structs.replace(grant, due_at=None)
            if not is_new:
                settled.append(grant)
        if is_new:
            given.append(grant)
    return Settlement(tuple(given), tuple(settled), tuple(postings), tuple(further), tuple(seen))


def _given(grant: CreditGrant) -> CreditPosting:
    posting = grant_posting(grant, posting_id=f"{grant.credit_id}:granted")
    if grant.rolled_over_from is None:
        return posting
    return msgspec.structs.replace(posting, description=f"Rolled over from credit {grant.rolled_over_from}")


def expire(held: HeldCredit) -> tuple[tuple[CreditPosting, ...], CreditGrant | None]:
    """Return the movements that take away everything a grant has left at its expiry, and what it rolls over into."""
    successor = _successor(held)
    rolled = ZERO if successor is None else successor.amount
    lost = subtract(held.remaining, rolled)
    postings = []
    if successor is not None:
        postings.append(rolled_over_posting(held.grant, rolled, successor.credit_id))
    if lost > 0:
        postings.append(expired_posting(held.grant, lost))
    return tuple(postings), successor


def _successor(held: HeldCredit) -> CreditGrant | None:
    grant, rollover = held.grant, held.grant.rollover
    assert grant.expires_at is not None, "what never expires does not roll over"
    if rollover is None or grant.rollover_number >= rollover.max_times or held.remaining <= 0:
        return None
    amount = held.remaining if rollover.max_amount is None else min(held.remaining, rollover.max_amount)
    number = grant.rollover_number + 1
    first_id = grant.credit_id.removesuffix(f"_r{grant.rollover_number}") if grant.rollover_number else grant.credit_id
    expires_at = rollover.expires_after.after(grant.expires_at)
    return msgspec.structs.replace(
        grant,
        credit_id=f"{first_id}_r{number}",
        amount=amount,
        granted_at=grant.expires_at,
        effective_at=grant.expires_at,
        expires_at=expires_at,
        due_at=expires_at,
        amount_paid=ZERO,
        amount_paid_currency=None,
        invoice_id=None,
        rolled_over_from=grant.credit_id,
        rollover_number=number,
    )
