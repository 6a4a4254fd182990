"""Issued invoices: list, look at, mark as paid."""

from collections.abc import Mapping

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.invoicing import Invoice, InvoiceLine, PaymentStatus, credit_of_cause
from lotus_server.domain.subscriptions import Subscription
from lotus_server.kernel.errors import Conflict, NotFound
from lotus_server.ports.invoice_reading import EVERY_INVOICE, InvoiceQuestion
from lotus_server.ports.records import Page, Transaction
from lotus_server.usecases.credit_ledger import return_credit, void_bought_credit
from lotus_server.usecases.discount_uses import give_back_discounts
from lotus_server.usecases.services import Services, present


class InvoiceView(msgspec.Struct, frozen=True):
    """An invoice with both parties, its subscription if it has one, and plans with their versions by version id.

    `subscriptions` has those of its lines by id.
    """

    invoice: Invoice
    customer: Customer
    organization: Organization
    subscription: Subscription | None
    plans: Mapping[str, tuple[Plan, PlanVersion]]
    subscriptions: Mapping[str, Subscription] = {}

    def subscription_of(self, line: InvoiceLine) -> Subscription | None:
        """Return the subscription that a line is of, if any."""
        return self.subscription if line.subscription_id is None else self.subscriptions.get(line.subscription_id)

    def sold(self, line: InvoiceLine) -> tuple[Plan, PlanVersion] | None:
        """Return the plan and version that a line is by, null for a one-off line."""
        return None if line.version_id is None else self.plans[line.version_id]


def list_invoices(
    services: Services,
    organization: Organization,
    page: Page,
    question: InvoiceQuestion = EVERY_INVOICE,
) -> list[InvoiceView]:
    """Return the invoices asked for; `page.after` is an invoice id."""
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        invoices = tx.invoices.page(organization_id, page, question)
        return _views(tx, organization, invoices)


def get_invoice(services: Services, organization: Organization, invoice_id: str) -> InvoiceView:
    """Return one invoice with its lines. Raises NotFound `invoice_not_found`."""
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        invoice = tx.invoices.get(organization_id, invoice_id)
        if invoice is None:
            raise NotFound(f"There is no invoice {invoice_id!r}.", code="invoice_not_found")
        return _views(tx, organization, [invoice])[0]


def require_invoice(
    tx: Transaction, organization: Organization, invoice_id: str, *, for_update: bool = False
) -> Invoice:
    """Return an invoice of the organization. Raises NotFound `invoice_not_found`."""
    invoice = tx.invoices.get(organization.organization_id, invoice_id, for_update=for_update)
    if invoice is None:
        raise NotFound(f"There is no invoice {invoice_id!r}.", code="invoice_not_found")
    return invoice


def void_invoice(services: Services, organization: Organization, invoice_id: str) -> InvoiceView:
    """Make an unpaid invoice as if it had never been. Once more changes nothing.

    The credit that it used is given back, and discounts for a limited number of invoices are for one more again. Of
    credit that was bought by it, the rest is taken back. What it billed is not billed again. Raises NotFound; Conflict
    `invalid_state` for one that is paid with money, has a credit note, or gave credit: those are taken back by a
    credit note.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        invoice = require_invoice(tx, organization, invoice_id, for_update=True)
        if invoice.payment_status is PaymentStatus.VOIDED:
            return _views(tx, organization, [invoice])[0]
        is_paid = invoice.payment_status is PaymentStatus.PAID and invoice.total > 0
        if is_paid or invoice.gross < 0 or tx.credit_notes.of_invoice(organization.organization_id, invoice_id):
            detail = "An invoice that is paid, gave credit or has a credit note cannot be voided: issue a credit note."
            raise Conflict(detail, code="invalid_state")
        give_back_discounts(tx, invoice)
        return_credit(services, tx, invoice, now)
        if (credit_id := credit_of_cause(invoice.cause)) is not None:
            void_bought_credit(services, tx, invoice, credit_id, now)
        changed = msgspec.structs.replace(invoice, payment_status=PaymentStatus.VOIDED)
        tx.invoices.replace_status(changed)
        return _views(tx, organization, [changed])[0]


def set_payment_status(
    services: Services, organization: Organization, invoice_id: str, status: PaymentStatus
) -> InvoiceView:
    """Mark an invoice as paid, unpaid or uncollectible.

    Raises NotFound, Conflict `invalid_state` for one that is void or has nothing to pay.
    """
    with services.records.transaction() as tx:
        invoice = require_invoice(tx, organization, invoice_id, for_update=True)
        if PaymentStatus.VOIDED in {invoice.payment_status, status}:
            raise Conflict("A voided invoice cannot be paid, and payment cannot void one.", code="invalid_state")
        if status is not PaymentStatus.PAID and not invoice.amount_due:
            raise Conflict("The invoice has nothing left to pay.", code="invalid_state")
        changed = msgspec.structs.replace(invoice, payment_status=status)
        tx.invoices.replace_status(changed)
        return _views(tx, organization, [changed])[0]


def view_of(tx: Transaction, organization: Organization, invoice: Invoice) -> InvoiceView:
    """Return one invoice with what it refers to."""
    return _views(tx, organization, [invoice])[0]


def _views(tx: Transaction, organization: Organization, invoices: list[Invoice]) -> list[InvoiceView]:
    """Return invoices with what they refer to, in a fixed number of queries whatever their number."""
    if not invoices:
        return []
    organization_id = organization.organization_id
    customer_ids = sorted({invoice.customer_id for invoice in invoices})
    customers = tx.customers.many(organization_id, customer_ids)
    subscriptions = {
        subscription.subscription_id: subscription
        for held in tx.subscriptions.of_customers(organization_id, customer_ids).values()
        for subscription in held
    }
    plans = {plan.plan_id: plan for plan in tx.plans.all(organization_id)}
    terms = {each.version_id: (plans[each.plan_id], each) for each in tx.plans.versions(organization_id)}
    return [
        InvoiceView(
            invoice,
            customers[invoice.customer_id],
            organization,
            subscriptions.get(invoice.subscription_id or ""),
            terms,
            subscriptions,
        )
        for invoice in invoices
    ]
