"""Writing to the credit ledger, within somebody else's transaction."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from lotus_server.domain.credits import (
    CreditAccount,
    CreditGrant,
    Drawdown,
    account_when_over,
    drawdown_posting,
    grant_posting,
    lost_on_return,
    remaining_of,
    returned_posting,
    void_posting,
)
from lotus_server.domain.invoicing import Invoice
from lotus_server.ports.records import Transaction
from lotus_server.usecases.credit_settlement import settle_credit
from lotus_server.usecases.services import Services
from lotus_server.usecases.wallet_watch import watch_wallets


def give_credit(services: Services, tx: Transaction, grant: CreditGrant) -> CreditGrant:
    """The customer has the credit, which is returned as it is kept. Raises Conflict `credit_exists`."""
    kept = msgspec.structs.replace(grant, due_at=grant.expires_at, is_prepaid=grant.amount_paid > 0)
    tx.credits.add_grant(kept)
    tx.credits.add(grant_posting(kept, posting_id=services.ids.new("posting")))
    return kept


def pay_with_credit(services: Services, tx: Transaction, invoice: Invoice, drawdowns: Iterable[Drawdown]) -> None:
    """An invoice's part that credit pays is taken from the grants that pay it."""
    drawn = tuple(drawdowns)
    owner = invoice.organization_id, invoice.customer_id
    takes_prepaid = any(drawdown.grant.is_prepaid for drawdown in drawn)
    if takes_prepaid:  # looked at before, too: a balance that had recovered counts, even if it falls again at once
        watch_wallets(services, tx, owner, invoice.issued_at)
    for drawdown in drawn:
        posting = drawdown_posting(
            drawdown,
            posting_id=services.ids.new("posting"),
            invoice_id=invoice.invoice_id,
            posted_at=invoice.issued_at,
            description=f"Applied to invoice {invoice.invoice_number}",
        )
        tx.credits.add(posting)
    if takes_prepaid:
        watch_wallets(services, tx, owner, invoice.issued_at)


def return_credit(services: Services, tx: Transaction, invoice: Invoice, now: datetime) -> None:
    """The grants that paid a part of an invoice have it back, but what comes back to one that is over is lost."""
    settle_credit(services, tx, invoice.organization_id, invoice.customer_id, now)
    drawn = tx.credits.of_invoice(invoice.organization_id, invoice.invoice_id)
    # Locked in the order in which everybody locks grants.
    for posting in sorted(drawn, key=lambda each: each.credit_id):
        if posting.target is not CreditAccount.APPLIED:
            continue
        grant = tx.credits.grant(posting.organization_id, posting.credit_id, for_update=True)
        assert grant is not None, "a posting's grant exists"
        returned = returned_posting(posting, posting_id=services.ids.new("posting"), posted_at=now)
        tx.credits.add(returned)
        if (lost_to := account_when_over(grant, now)) is not None:
            tx.credits.add(lost_on_return(returned, lost_to))


def grant_for_invoice(services: Services, tx: Transaction, invoice: Invoice, amount: Decimal) -> None:
    """What an invoice with a negative sum gives back is credit that never expires."""
    grant = CreditGrant(
        organization_id=invoice.organization_id,
        credit_id=services.ids.new("credit"),
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        amount=amount,
        granted_at=invoice.issued_at,
        effective_at=invoice.issued_at,
        description=f"Granted by invoice {invoice.invoice_number}",
        invoice_id=invoice.invoice_id,
    )
    give_credit(services, tx, grant)


def void_rest(services: Services, tx: Transaction, grant: CreditGrant, now: datetime) -> CreditGrant:
    """A grant, which is locked and up to date, has nothing left and never will, and is returned as it is then."""
    postings = tx.credits.postings(grant.organization_id, [grant.credit_id]).get(grant.credit_id, [])
    if remaining := remaining_of(grant.credit_id, postings):
        posting_id = services.ids.new("posting")
        tx.credits.add(void_posting(grant, remaining, posting_id=posting_id, posted_at=now))
    voided = msgspec.structs.replace(grant, voided_at=now, due_at=None)
    tx.credits.replace_grant(voided)
    if voided.is_prepaid:
        watch_wallets(services, tx, (voided.organization_id, voided.customer_id), now)
    return voided


def void_bought_credit(services: Services, tx: Transaction, invoice: Invoice, credit_id: str, now: datetime) -> None:
    """Of the credit that was bought by an invoice the rest is taken back; what it has paid already stays paid."""
    grant = tx.credits.grant(invoice.organization_id, credit_id)
    if grant is None:
        return
    settle_credit(services, tx, invoice.organization_id, grant.customer_id, now)
    grant = tx.credits.grant(invoice.organization_id, credit_id, for_update=True)
    assert grant is not None, "grants are never deleted"
    if account_when_over(grant, now) is None:
        void_rest(services, tx, grant, now)
