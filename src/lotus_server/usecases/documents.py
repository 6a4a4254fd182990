"""Documents of invoices."""

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.invoicing import InvoiceLine, PaymentStatus
from lotus_server.ports.documents import DocumentKind, DocumentLine, InvoiceDocument, Party
from lotus_server.usecases.invoices import InvoiceView, get_invoice
from lotus_server.usecases.services import Services

_ADDRESS_FIELDS = ("line1", "line2", "city", "state", "postal_code", "country")
DETAILS_MAX = 12


def invoice_pdf(services: Services, organization: Organization, invoice_id: str) -> tuple[str, bytes]:
    """Return an invoice's number and the invoice as PDF. Raises NotFound `invoice_not_found`."""
    view = get_invoice(services, organization, invoice_id)
    return view.invoice.invoice_number, services.documents.pdf(document_of(view))


def document_of(view: InvoiceView) -> InvoiceDocument:
    """Return what is printed of an invoice: its own amounts, and both parties as they are known now."""
    invoice = view.invoice
    is_void = invoice.payment_status is PaymentStatus.VOIDED
    return InvoiceDocument(
        kind=DocumentKind.VOIDED if is_void else DocumentKind.INVOICE,
        number=invoice.invoice_number,
        issued_at=invoice.issued_at,
        due_at=invoice.due_at,
        seller=Party(view.organization.name),
        buyer=_buyer(view.customer),
        currency=invoice.currency,
        lines=tuple(_line(line) for line in invoice.lines),
        subtotal=invoice.subtotal,
        total=invoice.subtotal,
        amount_due=invoice.total,
        payments=(("Credit", invoice.credit_applied.copy_negate()),) if invoice.credit_applied else (),
    )


def _line(line: InvoiceLine) -> DocumentLine:
    """Return a line with the steps that lead to its amount, as far as a reader of paper wants them."""
    texts = [step.text for step in line.steps]
    details = texts if len(texts) <= DETAILS_MAX else [*texts[:DETAILS_MAX], f"… {len(texts) - DETAILS_MAX} more"]
    return DocumentLine(line.name, line.period, line.amount, line.quantity, tuple(details))


def _buyer(customer: Customer) -> Party:
    address = customer.billing_address or customer.address or {}
    return Party(
        name=customer.customer_name or customer.customer_id,
        address=tuple(str(address[name]) for name in _ADDRESS_FIELDS if address.get(name)),
        email=customer.email,
    )
