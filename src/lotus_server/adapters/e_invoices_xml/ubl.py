"""UBL 2.1: Invoice and CreditNote, their elements in the order of the schema."""

from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element

from lotus_server.adapters.e_invoices_xml.elements import amount, document, element, group, known
from lotus_server.adapters.e_invoices_xml.identifiers import DISCOUNT, EMAIL_SCHEME, PROCESSES, SPECIFICATIONS, UNIT
from lotus_server.ports.e_invoices import (
    Allowance,
    DayRange,
    EInvoice,
    EInvoiceLine,
    EInvoiceType,
    TaxBreakdown,
    TradeParty,
)

_UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd"


def ubl(invoice: EInvoice) -> bytes:
    """Return an Invoice or a CreditNote."""
    is_invoice = invoice.type is EInvoiceType.INVOICE
    name = "Invoice" if is_invoice else "CreditNote"
    root = element(
        name,
        known("cbc:CustomizationID", SPECIFICATIONS[invoice.profile]),
        known("cbc:ProfileID", PROCESSES.get(invoice.profile)),
        element("cbc:ID", invoice.number),
        element("cbc:IssueDate", invoice.issued_on.isoformat()),
        # A credit note has no element for it; nothing of one is due.
        known("cbc:DueDate", invoice.due_on.isoformat()) if is_invoice and invoice.due_on else None,
        element(f"cbc:{name}TypeCode", invoice.type.value),
        known("cbc:Note", invoice.note),
        element("cbc:DocumentCurrencyCode", invoice.currency),
        known("cbc:BuyerReference", invoice.buyer_reference),
        _period(invoice.days),
        _preceding(invoice),
        element("cac:AccountingSupplierParty", _party(invoice.seller)),
        element("cac:AccountingCustomerParty", _party(invoice.buyer)),
        group("cac:PaymentTerms", known("cbc:Note", invoice.payment_terms)),
        (_allowance(each, invoice.currency) for each in invoice.allowances),
        _taxes(invoice),
        _sums(invoice),
        (_line(line, invoice) for line in invoice.lines),
    )
    root.set("xmlns", f"{_UBL}:{name}-2")
    root.set("xmlns:cac", f"{_UBL}:CommonAggregateComponents-2")
    root.set("xmlns:cbc", f"{_UBL}:CommonBasicComponents-2")
    return document(root)


def _period(days: DayRange) -> Element:
    return element(
        "cac:InvoicePeriod",
        element("cbc:StartDate", days.first.isoformat()),
        element("cbc:EndDate", days.last.isoformat()),
    )


def _preceding(invoice: EInvoice) -> Element | None:
    if invoice.preceding is None:
        return None
    number, issued_on = invoice.preceding
    reference = element(
        "cac:InvoiceDocumentReference", element("cbc:ID", number), element("cbc:IssueDate", issued_on.isoformat())
    )
    return element("cac:BillingReference", reference)


def _party(party: TradeParty) -> Element:
    return element(
        "cac:Party",
        known("cbc:EndpointID", party.email, schemeID=EMAIL_SCHEME),
        group("cac:PartyIdentification", known("cbc:ID", party.identifier)),
        element("cac:PartyName", element("cbc:Name", party.name)),
        element(
            "cac:PostalAddress",
            known("cbc:StreetName", party.street),
            known("cbc:AdditionalStreetName", party.more_street),
            known("cbc:CityName", party.city),
            known("cbc:PostalZone", party.postal_code),
            known("cbc:CountrySubentity", party.subdivision),
            element("cac:Country", element("cbc:IdentificationCode", party.country)),
        ),
        _tax_scheme(party.vat_id, "VAT"),
        _tax_scheme(party.tax_registration, "TAX"),
        element("cac:PartyLegalEntity", element("cbc:RegistrationName", party.name)),
        group("cac:Contact", known("cbc:Telephone", party.phone), known("cbc:ElectronicMail", party.email)),
    )


def _tax_scheme(number: str | None, scheme: str) -> Element | None:
    if number is None:
        return None
    return element("cac:PartyTaxScheme", element("cbc:CompanyID", number), _scheme(scheme))


def _scheme(name: str = "VAT") -> Element:
    return element("cac:TaxScheme", element("cbc:ID", name))


def _allowance(each: Allowance, currency: str) -> Element:
    return element(
        "cac:AllowanceCharge",
        element("cbc:ChargeIndicator", "false"),
        element("cbc:AllowanceChargeReasonCode", DISCOUNT),
        element("cbc:AllowanceChargeReason", each.reason),
        amount("cbc:Amount", each.amount, currencyID=currency),
        element("cac:TaxCategory", element("cbc:ID", each.category), _percent(each.percent), _scheme()),
    )


def _taxes(invoice: EInvoice) -> Element:
    return element(
        "cac:TaxTotal",
        amount("cbc:TaxAmount", invoice.tax, currencyID=invoice.currency),
        (_breakdown(each, invoice.currency) for each in invoice.taxes),
    )


def _breakdown(each: TaxBreakdown, currency: str) -> Element:
    return element(
        "cac:TaxSubtotal",
        amount("cbc:TaxableAmount", each.base, currencyID=currency),
        amount("cbc:TaxAmount", each.tax, currencyID=currency),
        element(
            "cac:TaxCategory",
            element("cbc:ID", each.category),
            _percent(each.percent),
            known("cbc:TaxExemptionReasonCode", each.reason_code),
            known("cbc:TaxExemptionReason", each.reason),
            _scheme(),
        ),
    )


def _percent(percent: Decimal | None) -> Element | None:
    return None if percent is None else element("cbc:Percent", percent)


def _sums(invoice: EInvoice) -> Element:
    sums = {
        "LineExtensionAmount": invoice.line_total,
        "TaxExclusiveAmount": invoice.net,
        "TaxInclusiveAmount": invoice.gross,
        "AllowanceTotalAmount": invoice.allowance_total,
        "PrepaidAmount": invoice.prepaid,
        "PayableAmount": invoice.due,
    }
    return element(
        "cac:LegalMonetaryTotal",
        (amount(f"cbc:{name}", value, currencyID=invoice.currency) for name, value in sums.items()),
    )


def _line(line: EInvoiceLine, invoice: EInvoice) -> Element:
    is_invoice = invoice.type is EInvoiceType.INVOICE
    return element(
        "cac:InvoiceLine" if is_invoice else "cac:CreditNoteLine",
        element("cbc:ID", line.line_id),
        element("cbc:InvoicedQuantity" if is_invoice else "cbc:CreditedQuantity", line.quantity, unitCode=UNIT),
        amount("cbc:LineExtensionAmount", line.net, currencyID=invoice.currency),
        _period(line.days),
        element(
            "cac:Item",
            known("cbc:Description", line.description),
            element("cbc:Name", line.name),
            element("cac:ClassifiedTaxCategory", element("cbc:ID", line.category), _percent(line.percent), _scheme()),
            (
                element("cac:AdditionalItemProperty", element("cbc:Name", name), element("cbc:Value", value))
                for name, value in line.attributes
            ),
        ),
        element("cac:Price", amount("cbc:PriceAmount", line.price, currencyID=invoice.currency)),
    )
