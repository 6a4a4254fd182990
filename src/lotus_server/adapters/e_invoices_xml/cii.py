"""UN/CEFACT Cross Industry Invoice as Factur-X and ZUGFeRD have it, its elements in the order of the schema."""

from datetime import date
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element

from lotus_server.adapters.e_invoices_xml.elements import amount, document, element, group, known
from lotus_server.adapters.e_invoices_xml.identifiers import DISCOUNT, EMAIL_SCHEME, PROCESSES, SPECIFICATIONS, UNIT
from lotus_server.ports.e_invoices import Allowance, DayRange, EInvoice, EInvoiceLine, TaxBreakdown, TradeParty

_CII: Final = "urn:un:unece:uncefact:data"
_DAY: Final = "102"  # UNTDID 2379: year, month, day in eight digits
_VAT: Final = "VAT"


def cii(invoice: EInvoice) -> bytes:
    """Return a CrossIndustryInvoice; a credit note is one with a type of its own."""
    root = element(
        "rsm:CrossIndustryInvoice",
        element(
            "rsm:ExchangedDocumentContext",
            group(
                "ram:BusinessProcessSpecifiedDocumentContextParameter",
                known("ram:ID", PROCESSES.get(invoice.profile)),
            ),
            element(
                "ram:GuidelineSpecifiedDocumentContextParameter", element("ram:ID", SPECIFICATIONS[invoice.profile])
            ),
        ),
        element(
            "rsm:ExchangedDocument",
            element("ram:ID", invoice.number),
            element("ram:TypeCode", invoice.type.value),
            _day("ram:IssueDateTime", invoice.issued_on),
            group("ram:IncludedNote", known("ram:Content", invoice.note)),
        ),
        element(
            "rsm:SupplyChainTradeTransaction",
            (_line(line) for line in invoice.lines),
            element(
                "ram:ApplicableHeaderTradeAgreement",
                known("ram:BuyerReference", invoice.buyer_reference),
                _party("ram:SellerTradeParty", invoice.seller),
                _party("ram:BuyerTradeParty", invoice.buyer),
            ),
            element("ram:ApplicableHeaderTradeDelivery"),
            _settlement(invoice),
        ),
    )
    root.set("xmlns:rsm", f"{_CII}:standard:CrossIndustryInvoice:100")
    root.set("xmlns:ram", f"{_CII}:standard:ReusableAggregateBusinessInformationEntity:100")
    root.set("xmlns:udt", f"{_CII}:standard:UnqualifiedDataType:100")
    root.set("xmlns:qdt", f"{_CII}:standard:QualifiedDataType:100")
    return document(root)


def _day(tag: str, day: date, kind: str = "udt") -> Element:
    return element(tag, element(f"{kind}:DateTimeString", f"{day:%Y%m%d}", format=_DAY))


def _days(days: DayRange) -> Element:
    return element(
        "ram:BillingSpecifiedPeriod", _day("ram:StartDateTime", days.first), _day("ram:EndDateTime", days.last)
    )


def _line(line: EInvoiceLine) -> Element:
    return element(
        "ram:IncludedSupplyChainTradeLineItem",
        element("ram:AssociatedDocumentLineDocument", element("ram:LineID", line.line_id)),
        element(
            "ram:SpecifiedTradeProduct",
            element("ram:Name", line.name),
            known("ram:Description", line.description),
            (
                element(
                    "ram:ApplicableProductCharacteristic", element("ram:Description", name), element("ram:Value", value)
                )
                for name, value in line.attributes
            ),
        ),
        element(
            "ram:SpecifiedLineTradeAgreement",
            element("ram:NetPriceProductTradePrice", amount("ram:ChargeAmount", line.price)),
        ),
        element("ram:SpecifiedLineTradeDelivery", element("ram:BilledQuantity", line.quantity, unitCode=UNIT)),
        element(
            "ram:SpecifiedLineTradeSettlement",
            element(
                "ram:ApplicableTradeTax",
                element("ram:TypeCode", _VAT),
                element("ram:CategoryCode", line.category),
                _percent(line.percent),
            ),
            _days(line.days),
            element("ram:SpecifiedTradeSettlementLineMonetarySummation", amount("ram:LineTotalAmount", line.net)),
        ),
    )


def _party(tag: str, party: TradeParty) -> Element:
    return element(
        tag,
        known("ram:ID", party.identifier),
        element("ram:Name", party.name),
        group(
            "ram:DefinedTradeContact",
            group("ram:TelephoneUniversalCommunication", known("ram:CompleteNumber", party.phone)),
            group("ram:EmailURIUniversalCommunication", known("ram:URIID", party.email)),
        ),
        element(
            "ram:PostalTradeAddress",
            known("ram:PostcodeCode", party.postal_code),
            known("ram:LineOne", party.street),
            known("ram:LineTwo", party.more_street),
            known("ram:CityName", party.city),
            element("ram:CountryID", party.country),
            known("ram:CountrySubDivisionName", party.subdivision),
        ),
        group("ram:URIUniversalCommunication", known("ram:URIID", party.email, schemeID=EMAIL_SCHEME)),
        group("ram:SpecifiedTaxRegistration", known("ram:ID", party.vat_id, schemeID="VA")),
        group("ram:SpecifiedTaxRegistration", known("ram:ID", party.tax_registration, schemeID="FC")),
    )


def _percent(percent: Decimal | None) -> Element | None:
    return None if percent is None else element("ram:RateApplicablePercent", percent)


def _settlement(invoice: EInvoice) -> Element:
    return element(
        "ram:ApplicableHeaderTradeSettlement",
        element("ram:InvoiceCurrencyCode", invoice.currency),
        (_breakdown(each) for each in invoice.taxes),
        _days(invoice.days),
        (_allowance(each) for each in invoice.allowances),
        group(
            "ram:SpecifiedTradePaymentTerms",
            known("ram:Description", invoice.payment_terms),
            None if invoice.due_on is None else _day("ram:DueDateDateTime", invoice.due_on),
        ),
        element(
            "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
            amount("ram:LineTotalAmount", invoice.line_total),
            amount("ram:AllowanceTotalAmount", invoice.allowance_total),
            amount("ram:TaxBasisTotalAmount", invoice.net),
            amount("ram:TaxTotalAmount", invoice.tax, currencyID=invoice.currency),
            amount("ram:GrandTotalAmount", invoice.gross),
            amount("ram:TotalPrepaidAmount", invoice.prepaid),
            amount("ram:DuePayableAmount", invoice.due),
        ),
        _preceding(invoice),
    )


def _breakdown(each: TaxBreakdown) -> Element:
    return element(
        "ram:ApplicableTradeTax",
        amount("ram:CalculatedAmount", each.tax),
        element("ram:TypeCode", _VAT),
        known("ram:ExemptionReason", each.reason),
        amount("ram:BasisAmount", each.base),
        element("ram:CategoryCode", each.category),
        known("ram:ExemptionReasonCode", each.reason_code),
        _percent(each.percent),
    )


def _allowance(each: Allowance) -> Element:
    return element(
        "ram:SpecifiedTradeAllowanceCharge",
        element("ram:ChargeIndicator", element("udt:Indicator", "false")),
        amount("ram:ActualAmount", each.amount),
        element("ram:ReasonCode", DISCOUNT),
        element("ram:Reason", each.reason),
        element(
            "ram:CategoryTradeTax",
            element("ram:TypeCode", _VAT),
            element("ram:CategoryCode", each.category),
            _percent(each.percent),
        ),
    )


def _preceding(invoice: EInvoice) -> Element | None:
    if invoice.preceding is None:
        return None
    number, issued_on = invoice.preceding
    return element(
        "ram:InvoiceReferencedDocument",
        element("ram:IssuerAssignedID", number),
        _day("ram:FormattedIssueDateTime", issued_on, "qdt"),
    )
