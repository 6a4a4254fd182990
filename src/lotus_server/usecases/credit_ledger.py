"""Writing to the credit ledger, within somebody else's transaction."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from lotus_server.domain.credits import (
    CreditAccount,
    CreditGrant,
    Drawdown,
    drawdown_posting,
    grant_posting,
    returned_posting,
)
from lotus_server.domain.invoicing import Invoice
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services


def give_credit(services: Services, tx: Transaction, grant: CreditGrant) -> None:
    """The customer has the credit. Raises Conflict `credit_exists`."""
    tx.credits.add_grant(grant)
    tx.credits.add(grant_posting(grant, posting_id=services.ids.new("posting")))


def pay_with_credit(services: Services, tx: Transaction, invoice: Invoice, drawdowns: Iterable[Drawdown]) -> None:
    """An invoice's part that credit pays is taken from the grants that pay it."""
    for drawdown in drawdowns:
        posting = drawdown_posting(
            drawdown,
            posting_id=services.ids.new("posting"),
            invoice_id=invoice.invoice_id,
            posted_at=invoice.issued_at,
            description=f"Applied to invoice {invoice.invoice_number}",
        )
        tx.credits.add(posting)


def return_credit(services: Services, tx: Transaction, invoice: Invoice, now: datetime) -> None:
    """The grants that paid a part of an invoice have it back; what has expired meanwhile stays expired."""
    for posting in tx.credits.of_invoice(invoice.organization_id, invoice.invoice_id):
        if posting.target is CreditAccount.APPLIED:
            tx.credits.add(returned_posting(posting, posting_id=services.ids.new("posting"), posted_at=now))


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
