"""Documents of invoices."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from lotus_server.domain.accounts import Customer, Organization, PaperSize
from lotus_server.domain.invoicing import AppliedDiscount, InvoiceLine, PaymentStatus, TaxCategory, TaxSubtotal
from lotus_server.domain.subscriptions import Subscription
from lotus_server.kernel.quantity import ZERO
from lotus_server.ports.documents import DocumentKind, DocumentLine, DocumentTax, InvoiceDocument, Paper, Party
from lotus_server.usecases.invoices import InvoiceView, get_invoice
from lotus_server.usecases.services import Services

# Where an address reads "Springfield, IL 62701"; elsewhere it reads "50667 Köln".
_CITY_FIRST = frozenset({"AU", "CA", "GB", "IE", "IN", "US"})
DETAILS_MAX = 12
_REASONS = {TaxCategory.EXEMPT: "Exempt from tax", TaxCategory.REVERSE_CHARGE: "Reverse charge"}


def invoice_pdf(services: Services, organization: Organization, invoice_id: str) -> tuple[str, bytes]:
    """Return an invoice's number and the invoice as PDF. Raises NotFound `invoice_not_found`."""
    view = get_invoice(services, organization, invoice_id)
    return view.invoice.invoice_number, printed(services, organization, document_of(view))


def printed(
    services: Services, organization: Organization, document: InvoiceDocument, *, factur_x: bytes | None = None
) -> bytes:
    """Return a document of an organization as PDF, with its logo, and with a CII file attached if there is one."""
    with services.records.snapshot() as tx:
        logo = tx.logos.get(organization.organization_id)
    with_logo = msgspec.structs.replace(document, logo=None if logo is None else logo.content)
    return services.documents.pdf(with_logo, factur_x=factur_x)


def document_of(view: InvoiceView) -> InvoiceDocument:
    """Return what is printed of an invoice: its own amounts, and both parties as they are known now."""
    invoice = view.invoice
    is_void = invoice.payment_status is PaymentStatus.VOIDED
    taken_off = (("Credit", invoice.credit_applied), ("Credit notes", invoice.credited))
    return printed_on(
        view.organization,
        view.customer,
        kind=DocumentKind.VOIDED if is_void else DocumentKind.INVOICE,
        number=invoice.invoice_number,
        issued_at=invoice.issued_at,
        due_at=invoice.due_at,
        currency=invoice.currency,
        lines=_with_headings(view, line_rows(invoice.lines)),
        subtotal=invoice.subtotal,
        total=invoice.gross,
        deductions=deduction_rows(invoice.discounts),
        amount_due=invoice.amount_due,
        taxes=tax_rows(invoice.taxes),
        payments=tuple((name, amount.copy_negate()) for name, amount in taken_off if amount),
        prices_include_tax=invoice.prices_include_tax,
        notes=(*notes_of(view.organization), *((invoice.note,) if invoice.note else ())),
    )


def document_as_issued(view: InvoiceView) -> InvoiceDocument:
    """Return what is printed of an invoice without what credit notes took off it later."""
    return document_of(msgspec.structs.replace(view, invoice=msgspec.structs.replace(view.invoice, credited=ZERO)))


def printed_on(organization: Organization, customer: Customer, **rest: Any) -> InvoiceDocument:  # noqa: ANN401 - the fields of the document
    """Return a document between an organization and a customer, in the organization's language, zone and paper."""
    settings = organization.invoice_settings
    return InvoiceDocument(
        seller=_seller(organization),
        buyer=_buyer(customer),
        locale=settings.locale,
        zone=settings.timezone,
        paper=Paper.LETTER if settings.paper is PaperSize.LETTER else Paper.A4,
        **rest,
    )


def _with_headings(view: InvoiceView, rows: tuple[DocumentLine, ...]) -> tuple[DocumentLine, ...]:
    """Return the rows of an invoice's lines, those of several subscriptions below the plan and the id of each."""
    owners = [view.subscription_of(line) for line in view.invoice.lines]
    if len({None if each is None else each.subscription_id for each in owners}) < 2:
        return rows
    found, before = [], None
    for row, line, owner in zip(rows, view.invoice.lines, owners, strict=True):
        heading = None if owner is None else _heading(view, line, owner)
        found.append(msgspec.structs.replace(row, heading=heading) if heading != before else row)
        before = heading
    return tuple(found)


def _heading(view: InvoiceView, line: InvoiceLine, owner: Subscription) -> str:
    sold = view.sold(line)
    name = "" if sold is None else sold[1].localized_name or sold[0].plan_name
    return f"{name} ({owner.subscription_id})" if name else owner.subscription_id


def line_rows(lines: Iterable[InvoiceLine]) -> tuple[DocumentLine, ...]:
    """Return the rows of lines."""
    return tuple(_line(line) for line in lines)


def deduction_rows(discounts: Iterable[AppliedDiscount]) -> tuple[tuple[str, Decimal], ...]:
    """Return what discounts take off, as negative amounts."""
    return tuple((each.name, each.amount.copy_negate()) for each in discounts)


def notes_of(organization: Organization) -> tuple[str, ...]:
    """Return what stands below the sums of every invoice."""
    note = organization.invoice_settings.note
    return (note,) if note else ()


def tax_rows(taxes: Iterable[TaxSubtotal]) -> tuple[DocumentTax, ...]:
    """Return the rows of the tax summary."""
    return tuple(_tax(each) for each in taxes)


def _line(line: InvoiceLine) -> DocumentLine:
    """Return a line with the group that it is for and the steps that lead to its amount."""
    groups = tuple(f"{name}: {value}" for name, value in group_details(line))
    return DocumentLine(line.name, line.period, line.amount, line.quantity, (*groups, *details_of(line)))


def group_details(line: InvoiceLine) -> tuple[tuple[str, str], ...]:
    """Return the names and values of the group that a line is for; a dash where its events have no value."""
    return tuple((name, value or "–") for name, value in (line.group or {}).items())  # noqa: RUF001 - as it is printed


def details_of(line: InvoiceLine) -> tuple[str, ...]:
    """Return the steps that lead to a line's amount, as far as a reader of paper wants them."""
    texts = [step.text for step in line.steps]
    return tuple(texts if len(texts) <= DETAILS_MAX else [*texts[:DETAILS_MAX], f"… {len(texts) - DETAILS_MAX} more"])


def _tax(tax: TaxSubtotal) -> DocumentTax:
    reason = _REASONS.get(tax.rate.category)
    return DocumentTax(None if reason else tax.rate.percent, tax.base, tax.tax, reason)


def _seller(organization: Organization) -> Party:
    settings = organization.invoice_settings
    name = settings.legal_name or organization.name
    return Party(name, _address(settings.address), settings.tax_id, settings.email)


def _buyer(customer: Customer) -> Party:
    name = customer.customer_name or customer.customer_id
    return Party(name, _address(customer.billing_address or customer.address), customer.tax_id, customer.email)


def _address(address: dict[str, Any] | None) -> tuple[str, ...]:
    """Return the lines of an address, the city with its postal code as the country writes it."""
    known = {name: str(value) for name, value in (address or {}).items() if value}
    city, state, code = (known.get(name, "") for name in ("city", "state", "postal_code"))
    if known.get("country", "").upper() in _CITY_FIRST:
        places = [", ".join(part for part in (city, f"{state} {code}".strip()) if part)]
    else:
        places = [f"{code} {city}".strip(), state]
    lines = (known.get("line1"), known.get("line2"), *places, known.get("country"))
    return tuple(line for line in lines if line)
