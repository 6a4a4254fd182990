"""Issuing an invoice: its number, its totals, the credit it uses or grants, in somebody else's transaction."""

from datetime import datetime, timedelta

import msgspec

from lotus_server.domain.credits import burn_down, usable_balance
from lotus_server.domain.invoicing import (
    Discount,
    Invoice,
    InvoiceLine,
    LineKind,
    PaymentStatus,
    TaxTerms,
    Terms,
    total_of,
)
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO
from lotus_server.ports.records import Transaction
from lotus_server.usecases.credit_ledger import grant_for_invoice, pay_with_credit
from lotus_server.usecases.credit_settlement import credit_at
from lotus_server.usecases.discount_uses import use_discounts
from lotus_server.usecases.services import Services


class Heading(msgspec.Struct, frozen=True):
    """What an invoice says besides its lines: to whom, in which currency, with which tax and discounts, due when.

    `subscription_id` is null for a one-off invoice. `uses_credit` false leaves the customer's credit alone.
    """

    organization_id: str
    customer_id: str
    subscription_id: str | None
    currency: str
    tax: TaxTerms
    discounts: tuple[Discount, ...]
    due_in_days: int
    note: str = ""
    uses_credit: bool = True


def heading_of(terms: Terms, now: datetime) -> Heading:
    """Return the heading of an invoice of a subscription that is issued at an instant."""
    subscription = terms.subscription
    return Heading(
        subscription.organization_id,
        subscription.customer_id,
        subscription.subscription_id,
        terms.version.currency,
        terms.tax,
        terms.discounts_at(now),
        terms.payment_term_days,
    )


def issue_under(
    services: Services,
    tx: Transaction,
    heading: Heading,
    own: tuple[InvoiceLine, ...],
    added: tuple[InvoiceLine, ...] = (),
    *,
    cause: str,
    now: datetime,
) -> Invoice:
    """Issue an invoice with at least one line, with its number and the credit that it uses or grants.

    `added` are lines that waited for it, which come last and do not stretch the time that it is about.
    Raises Conflict `invoice_exists` when the cause has an invoice.
    """
    organization_id, code = heading.organization_id, heading.currency
    lines = (*own, *added)
    held = credit_at(services, tx, (organization_id, heading.customer_id), code, now) if heading.uses_credit else []
    balance = usable_balance(held, now) if heading.uses_credit else ZERO
    totals = total_of(lines, balance=balance, code=code, tax=heading.tax, discounts=heading.discounts)
    invoice = Invoice(
        organization_id=organization_id,
        invoice_id=services.ids.new("invoice"),
        invoice_number=f"{now:%y%m%d}-{tx.invoices.take_number(organization_id):06d}",
        cause=cause,
        customer_id=heading.customer_id,
        subscription_id=heading.subscription_id,
        currency=code,
        period=period_of(own or lines),
        issued_at=now,
        due_at=now + timedelta(days=heading.due_in_days),
        lines=lines,
        subtotal=totals.subtotal,
        credit_applied=totals.credit_applied,
        total=totals.total,
        payment_status=PaymentStatus.UNPAID if totals.total else PaymentStatus.PAID,
        taxes=totals.taxes,
        prices_include_tax=heading.tax.is_included,
        discounts=totals.discounts,
        note=heading.note,
    )
    tx.invoices.add(invoice)
    use_discounts(tx, heading.discounts, totals.discounts)
    pay_with_credit(services, tx, invoice, burn_down(held, totals.credit_applied, now))
    if totals.credit_granted:
        grant_for_invoice(services, tx, invoice, totals.credit_granted)
    return invoice


def period_of(lines: tuple[InvoiceLine, ...]) -> Period:
    """Return the time that an invoice is about: corrections of earlier times do not stretch it."""
    periods = [line.period for line in lines if line.kind is not LineKind.CORRECTION]
    periods = periods or [line.period for line in lines]
    return Period(min(each.start for each in periods), max(each.end for each in periods))
