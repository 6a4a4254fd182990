"""The credit ledger: every movement of credit, from one account to another. What a grant has left is a sum of these."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from lotus_server.domain.credits.burn_down import Drawdown
from lotus_server.domain.credits.grants import CreditGrant
from lotus_server.kernel.quantity import ZERO, add, subtract


class CreditAccount(StrEnum):
    """Where credit lies. Each grant has its own set of these accounts, and together they always sum to zero.

    `issued` is where all credit comes from, so its balance is what was given, negative. `available` is what the
    customer has left. What paid invoices is in `applied`, what was taken back in `voided`.
    """

    ISSUED = "issued"
    AVAILABLE = "available"
    APPLIED = "applied"
    VOIDED = "voided"


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
