"""Lines that wait for the customer's next invoice: put aside, looked at, put on one."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from lotus_server.domain.invoicing import (
    BilledPeriod,
    Invoice,
    InvoiceLine,
    PendingLines,
    PeriodBilling,
    Terms,
    billed_period,
    invoiced,
)
from lotus_server.ports.records import Transaction
from lotus_server.usecases.corrections import keep_period
from lotus_server.usecases.services import Services

_NO_INVOICE = ""


def defer(
    services: Services,
    tx: Transaction,
    terms: Terms,
    lines: tuple[InvoiceLine, ...],
    *,
    cause: str,
    now: datetime,
    billing: PeriodBilling | None = None,
    due_at: datetime | None = None,
) -> None:
    """What would be an invoice now waits for the customer's next one; without a line there is nothing to wait.

    It waits until `due_at` at the latest (null: until the invoice of the open period would be issued). `billing` is how
    the usage of a period is billed by the lines (null: none is). What was invoiced for the same cause, or waits for it,
    changes nothing.
    """
    subscription = terms.subscription
    organization_id = subscription.organization_id
    if not lines or tx.invoices.by_cause(organization_id, cause) or tx.pending_lines.has_cause(organization_id, cause):
        return
    billed = None
    if billing is not None:
        billed = billed_period(terms, billing, lines, invoice_id=_NO_INVOICE, invoice_number=_NO_INVOICE)
    tx.pending_lines.add(
        PendingLines(
            organization_id=organization_id,
            pending_id=services.ids.new("pending"),
            customer_id=subscription.customer_id,
            subscription_id=subscription.subscription_id,
            currency=terms.version.currency,
            cause=cause,
            lines=tuple(msgspec.structs.replace(line, subscription_id=subscription.subscription_id) for line in lines),
            created_at=now,
            due_at=max(now, terms.issue_at) if due_at is None else due_at,
            billed=billed,
        )
    )


def waiting_for(tx: Transaction, terms: Terms, at: datetime) -> list[PendingLines]:
    """Return what waits for an invoice of an instant in a subscription's currency, in the order in which it came."""
    subscription = terms.subscription
    found = tx.pending_lines.waiting(subscription.organization_id, subscription.customer_id)
    return [each for each in found if each.currency == terms.version.currency and each.created_at <= at]


def keep_invoiced(tx: Transaction, waiting: Sequence[PendingLines], invoice: Invoice, *, place: int) -> None:
    """What waited is on an invoice, from a place of its lines on, and waits no more; its usage can be corrected."""
    for each in invoiced(waiting, invoice, place=place):
        tx.pending_lines.replace(each)
        if each.billed is not None:
            keep_period(tx, each.billed, is_first=_is_first(tx, each.billed))


def _is_first(tx: Transaction, billed: BilledPeriod) -> bool:
    """Tell whether nothing of a period's usage was invoiced before."""
    if not billed.terms.invoiced_until:
        return True
    return tx.billed_periods.get(billed.organization_id, billed.subscription_id, billed.starts_at) is None
