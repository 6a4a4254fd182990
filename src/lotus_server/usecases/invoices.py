"""Issued invoices: list, look at, mark as paid."""

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.invoicing import Invoice, PaymentStatus
from lotus_server.kernel.errors import Conflict, NotFound
from lotus_server.ports.records import Page
from lotus_server.usecases.services import Services


class InvoiceView(msgspec.Struct, frozen=True):
    """An invoice with the customer it was issued to and the organization that issued it."""

    invoice: Invoice
    customer: Customer
    organization: Organization


def list_invoices(
    services: Services,
    organization: Organization,
    page: Page,
    *,
    customer_id: str | None = None,
    payment_status: str | None = None,
) -> list[InvoiceView]:
    """Return invoices, newest number first."""
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        invoices = tx.invoices.page(organization_id, page, customer_id=customer_id, payment_status=payment_status)
        customers = tx.customers.many(organization_id, sorted({invoice.customer_id for invoice in invoices}))
    return [InvoiceView(invoice, customers[invoice.customer_id], organization) for invoice in invoices]


def get_invoice(services: Services, organization: Organization, invoice_id: str) -> InvoiceView:
    """Return one invoice with its lines. Raises NotFound `invoice_not_found`."""
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        invoice = tx.invoices.get(organization_id, invoice_id)
        if invoice is None:
            raise NotFound(f"There is no invoice {invoice_id!r}.", code="invoice_not_found")
        customer = tx.customers.get(organization_id, invoice.customer_id)
    assert customer is not None, "an invoice's customer is never deleted"
    return InvoiceView(invoice, customer, organization)


def set_payment_status(
    services: Services, organization: Organization, invoice_id: str, status: PaymentStatus
) -> InvoiceView:
    """Mark an invoice as paid or unpaid.

    Raises NotFound, Conflict `invalid_state` for one that is void or has nothing to pay.
    """
    organization_id = organization.organization_id
    with services.records.transaction() as tx:
        invoice = tx.invoices.get(organization_id, invoice_id)
        if invoice is None:
            raise NotFound(f"There is no invoice {invoice_id!r}.", code="invoice_not_found")
        if PaymentStatus.VOIDED in {invoice.payment_status, status}:
            raise Conflict("A voided invoice cannot be paid, and payment cannot void one.", code="invalid_state")
        if status is PaymentStatus.UNPAID and not invoice.total:
            raise Conflict("The invoice has nothing left to pay.", code="invalid_state")
        changed = msgspec.structs.replace(invoice, payment_status=status)
        tx.invoices.replace_status(changed)
        customer = tx.customers.get(organization_id, invoice.customer_id)
    assert customer is not None, "an invoice's customer is never deleted"
    return InvoiceView(changed, customer, organization)
