"""The credit ledger: every movement of credit, from one account to another. What a grant has left is a sum of these."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from lotus_server.domain.credits.burn_down import Drawdown
from lotus_server.domain.credits.grants import CreditGrant
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.quantity import ZERO, add, subtract


class CreditAccount(StrEnum):
    """Where credit lies. Each grant has its own set of these accounts, and together they always sum to zero.

    `issued` is where all credit comes from, so its balance is what was given, negative. `available` is what the
    customer has left. What paid invoices is in `applied`, what was taken back in `voided`, what was left at the expiry
    in `expired`, or in `rolled_over` as far as it became a new grant.
    """

    ISSUED = "issued"
    AVAILABLE = "available"
    APPLIED = "applied"
    VOIDED = "voided"
    EXPIRED = "expired"
    ROLLED_OVER = "rolled_over"


class CreditPosting(msgspec.Struct, frozen=True):
    """One movement of `amount`, which is positive, out of one account of a grant and into another. It never changes.

    `cause` is unique within the organization, so that the same movement cannot be posted twice.
    """

    organization_id: str
    posting_id: str
    cause: str
    credit_id: str
    customer_id: str
    currency: str
    source: CreditAccount
    target: CreditAccount
    amount: Decimal
    posted_at: datetime
    description: str
    invoice_id: str | None = None


def grant_posting(grant: CreditGrant, *, posting_id: str) -> CreditPosting:
    """Return the movement that makes a grant's credit available. It is the first one of every grant."""
    return CreditPosting(
        organization_id=grant.organization_id,
        posting_id=posting_id,
        cause=f"{grant.credit_id}:granted",
        credit_id=grant.credit_id,
        customer_id=grant.customer_id,
        currency=grant.currency,
        source=CreditAccount.ISSUED,
        target=CreditAccount.AVAILABLE,
        amount=grant.amount,
        posted_at=grant.granted_at,
        description=grant.description,
        invoice_id=grant.invoice_id,
    )


def drawdown_posting(
    drawdown: Drawdown, *, posting_id: str, invoice_id: str, posted_at: datetime, description: str
) -> CreditPosting:
    """Return the movement by which a grant pays a part of an invoice."""
    grant = drawdown.grant
    return CreditPosting(
        organization_id=grant.organization_id,
        posting_id=posting_id,
        cause=f"{grant.credit_id}:{invoice_id}",
        credit_id=grant.credit_id,
        customer_id=grant.customer_id,
        currency=grant.currency,
        source=CreditAccount.AVAILABLE,
        target=CreditAccount.APPLIED,
        amount=drawdown.amount,
        posted_at=posted_at,
        description=description,
        invoice_id=invoice_id,
    )


def void_posting(grant: CreditGrant, remaining: Decimal, *, posting_id: str, posted_at: datetime) -> CreditPosting:
    """Return the movement that takes back everything a grant has left."""
    return CreditPosting(
        organization_id=grant.organization_id,
        posting_id=posting_id,
        cause=f"{grant.credit_id}:voided",
        credit_id=grant.credit_id,
        customer_id=grant.customer_id,
        currency=grant.currency,
        source=CreditAccount.AVAILABLE,
        target=CreditAccount.VOIDED,
        amount=remaining,
        posted_at=posted_at,
        description="Voided",
    )


def expired_posting(grant: CreditGrant, amount: Decimal) -> CreditPosting:
    """Return the movement of what a grant loses at its expiry. A grant can expire again when it was given more time."""
    assert grant.expires_at is not None, "what never expires loses nothing"
    cause = f"{grant.credit_id}:expired:{to_text(grant.expires_at)}"
    return _at_expiry(grant, cause, CreditAccount.EXPIRED, amount, "Expired")


def rolled_over_posting(grant: CreditGrant, amount: Decimal, successor_id: str) -> CreditPosting:
    """Return the movement of what becomes another grant when this one expires. It happens once."""
    cause = f"{grant.credit_id}:rolled_over"
    return _at_expiry(grant, cause, CreditAccount.ROLLED_OVER, amount, f"Rolled over into credit {successor_id}")


def _at_expiry(
    grant: CreditGrant, cause: str, target: CreditAccount, amount: Decimal, description: str
) -> CreditPosting:
    """Return a movement that follows from the grant alone: so does its id."""
    assert grant.expires_at is not None, "only what expires moves at its expiry"
    return CreditPosting(
        organization_id=grant.organization_id,
        posting_id=cause,
        cause=cause,
        credit_id=grant.credit_id,
        customer_id=grant.customer_id,
        currency=grant.currency,
        source=CreditAccount.AVAILABLE,
        target=target,
        amount=amount,
        posted_at=grant.expires_at,
        description=description,
    )


def reopened_posting(grant: CreditGrant, amount: Decimal, *, posting_id: str, posted_at: datetime) -> CreditPosting:
    """Return the movement that gives a grant back what it lost at the expiry that it still has."""
    lost = expired_posting(grant, amount)
    return msgspec.structs.replace(
        lost,
        posting_id=posting_id,
        cause=f"{lost.cause}:reopened",
        source=CreditAccount.EXPIRED,
        target=CreditAccount.AVAILABLE,
        posted_at=posted_at,
        description="Given more time",
    )


def returned_posting(drawn: CreditPosting, *, posting_id: str, posted_at: datetime) -> CreditPosting:
    """Return the movement that gives a grant back what paid an invoice that is void now."""
    assert drawn.target is CreditAccount.APPLIED, "only what paid can be given back"
    return msgspec.structs.replace(
        drawn,
        posting_id=posting_id,
        cause=f"{drawn.cause}:returned",
        source=CreditAccount.APPLIED,
        target=CreditAccount.AVAILABLE,
        posted_at=posted_at,
        description="Returned by a voided invoice",
    )


def account_when_over(grant: CreditGrant, instant: datetime) -> CreditAccount | None:
    """Return where everything of a grant lies that is voided or expired at an instant; null for any other."""
    if grant.voided_at is not None:
        return CreditAccount.VOIDED
    is_over = grant.expires_at is not None and instant >= grant.expires_at
    return CreditAccount.EXPIRED if is_over else None


def lost_on_return(returned: CreditPosting, target: CreditAccount) -> CreditPosting:
    """Return the movement of what came back to a grant that is over: to `expired` or `voided`, right after it came."""
    return msgspec.structs.replace(
        returned,
        posting_id=f"{returned.posting_id}_{target.value}",
        cause=f"{returned.cause}:{target.value}",
        source=CreditAccount.AVAILABLE,
        target=target,
        description="Returned after the credit was over",
    )


def account_balances(postings: Iterable[CreditPosting]) -> dict[tuple[str, CreditAccount], Decimal]:
    """Return the balance of every account that postings touch, by credit id and account, exact.

    Those of one grant sum to zero.
    """
    balances: dict[tuple[str, CreditAccount], Decimal] = {}
    for posting in postings:
        source, target = (posting.credit_id, posting.source), (posting.credit_id, posting.target)
        balances[source] = subtract(balances.get(source, ZERO), posting.amount)
        balances[target] = add(balances.get(target, ZERO), posting.amount)
    return balances


def remaining_of(credit_id: str, postings: Iterable[CreditPosting]) -> Decimal:
    """Return what a grant has left, whether or not it can pay at this moment."""
    return account_balances(postings).get((credit_id, CreditAccount.AVAILABLE), ZERO)
