"""An example of an invoice, so that people see what settings come to before they keep them."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from lotus_server.domain.accounts import Customer, Organization, TaxStatus
from lotus_server.domain.invoicing import NO_TAX, TaxedAmount, standard_rate, tax_subtotals
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.money import round_to_minor_unit, total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import add
from lotus_server.ports.documents import DocumentKind, DocumentLine, InvoiceDocument
from lotus_server.usecases.documents import notes_of, printed_on, tax_rows
from lotus_server.usecases.organizations import OrganizationChange, changed_organization
from lotus_server.usecases.services import Services, present

_LINES: Final = (
    ("Platform fee", None, Decimal(249), ()),
    ("API calls", Decimal(12_800), Decimal("38.40"), ("12,800 at 0.003 each",)),
)


def specimen_picture(services: Services, organization: Organization, change: OrganizationChange) -> bytes:
    """Return the first page of an example invoice as PNG, with settings as a change would make them. Keeps nothing.

    Raises Invalid with every problem of the change.
    """
    return services.documents.picture(_specimen(services, organization, change))


def specimen_pdf(services: Services, organization: Organization, change: OrganizationChange) -> bytes:
    """Return an example invoice as PDF, as `specimen_picture` does."""
    return services.documents.pdf(_specimen(services, organization, change))


def _specimen(services: Services, organization: Organization, change: OrganizationChange) -> InvoiceDocument:
    changed = changed_organization(organization, change)
    settings = changed.invoice_settings
    now = present(services, organization)
    unit = currency(changed.default_currency)
    amounts = [round_to_minor_unit(amount, unit) for _, _, amount, _ in _LINES]
    rate = NO_TAX if settings.tax_percent is None else standard_rate(settings.tax_percent)
    taxed = [TaxedAmount(amount, rate) for amount in amounts]
    taxes = () if settings.tax_percent is None else tax_subtotals(taxed, unit, is_included=settings.prices_include_tax)
    subtotal = total(amounts)
    gross = subtotal if settings.prices_include_tax else add(subtotal, total(each.tax for each in taxes))
    period = Period(now - timedelta(days=30), now)
    with services.records.snapshot() as tx:
        logo = tx.logos.get(organization.organization_id)
    return printed_on(
        changed,
        _customer(changed),
        kind=DocumentKind.DRAFT,
        number="",
        issued_at=now,
        due_at=now + timedelta(days=settings.payment_term_days),
        currency=unit.code,
        lines=tuple(
            DocumentLine(name, period, amount, quantity, details)
            for (name, quantity, _, details), amount in zip(_LINES, amounts, strict=True)
        ),
        subtotal=subtotal,
        total=gross,
        amount_due=gross,
        taxes=tax_rows(taxes),
        prices_include_tax=settings.prices_include_tax,
        notes=notes_of(changed),
        logo=None if logo is None else logo.content,
    )


def _customer(organization: Organization) -> Customer:
    address = {"line1": "1 Example Street", "city": "Sampleton", "postal_code": "12345"}
    return Customer(
        organization_id=organization.organization_id,
        customer_id="example",
        customer_name="Example Customer",
        created_at=organization.created_at,
        currency=organization.default_currency,
        address=address,
        tax_status=TaxStatus.TAXABLE,
    )
