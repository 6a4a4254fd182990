"""E-invoices: what the norm EN 16931 wants to know of an invoice or credit note, or everything that is missing."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.invoicing import (
    NO_TAX,
    Invoice,
    PaymentStatus,
    TaxCategory,
    TaxedAmount,
    TaxRate,
    TaxSubtotal,
    nets_of,
)
from lotus_server.kernel.countries import COUNTRIES, VAT_PREFIXES
from lotus_server.kernel.currencies import Currency, currency
from lotus_server.kernel.errors import Conflict, Problems
from lotus_server.kernel.money import allocate, round_to_minor_unit, total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import DIVISION, EXACT, ONE, ZERO, divide, multiply, plain, subtract
from lotus_server.ports.e_invoices import (
    Allowance,
    DayRange,
    EInvoice,
    EInvoiceLine,
    EInvoiceType,
    Profile,
    Syntax,
    TaxBreakdown,
    TradeParty,
)
from lotus_server.usecases.credit_notes import CreditNoteView, get_credit_note
from lotus_server.usecases.credit_notes import document_of as credit_note_document
from lotus_server.usecases.documents import details_of, document_as_issued, group_details, printed
from lotus_server.usecases.invoices import InvoiceView, get_invoice
from lotus_server.usecases.services import Services

# The norm's amounts have two decimal places at most (BR-DEC-01 and the following), prices any number.
_PLACES_MAX: Final = 2
PRICE_PLACES_MAX: Final = 10
_VAT_ID: Final = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,12}")
_INSTANT: Final = timedelta(microseconds=1)
_REASONS: Final = {
    TaxCategory.EXEMPT: ("Exempt from tax", None),
    TaxCategory.REVERSE_CHARGE: ("Reverse charge", "VATEX-EU-AE"),
    TaxCategory.OUT_OF_SCOPE: ("Not subject to tax", "VATEX-EU-O"),
}
_CREDIT_NOTE_TERMS: Final = (
    "Taken off what the invoice still has to be paid; what goes beyond that is kept as credit for later invoices."
)


class EInvoiceFormat(StrEnum):
    """What e-invoices can be had as: UBL 2.1, the same by the rules of Peppol BIS Billing 3.0, or CII."""

    UBL = "ubl"
    PEPPOL = "peppol"
    CII = "cii"


class _Shown(msgspec.Struct, frozen=True):
    """A line before it is priced: its amount without tax, and its rate."""

    name: str
    period: Period
    net: Decimal
    rate: TaxRate
    quantity: Decimal = ONE
    details: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


def invoice_xml(
    services: Services, organization: Organization, invoice_id: str, wanted: EInvoiceFormat
) -> tuple[str, bytes]:
    """Return an invoice's number and the invoice as XML.

    Raises NotFound `invoice_not_found`, Conflict `invalid_state` for a voided one, and Conflict `e_invoice_incomplete`
    with everything that is missing.
    """
    invoice = e_invoice_of(get_invoice(services, organization, invoice_id), _profile(wanted))
    return invoice.number, services.documents.xml(invoice, _syntax(wanted))


def credit_note_xml(
    services: Services, organization: Organization, credit_note_id: str, wanted: EInvoiceFormat
) -> tuple[str, bytes]:
    """Return a credit note's number and the credit note as XML. Raises NotFound, Conflict as `invoice_xml` does."""
    view = get_credit_note(services, organization, credit_note_id)
    note = e_credit_note_of(view, organization, _profile(wanted))
    return note.number, services.documents.xml(note, _syntax(wanted))


def invoice_factur_x(services: Services, organization: Organization, invoice_id: str) -> tuple[str, bytes]:
    """Return an invoice's number and the invoice, as it was issued, as PDF with its own XML within.

    Raises NotFound and Conflict as `invoice_xml` does.
    """
    view = get_invoice(services, organization, invoice_id)
    xml = services.documents.xml(e_invoice_of(view), Syntax.CII)
    return view.invoice.invoice_number, printed(services, organization, document_as_issued(view), factur_x=xml)


def credit_note_factur_x(services: Services, organization: Organization, credit_note_id: str) -> tuple[str, bytes]:
    """Return a credit note's number and the credit note as PDF with its own XML within.

    Raises NotFound and Conflict as `invoice_xml` does.
    """
    view = get_credit_note(services, organization, credit_note_id)
    xml = services.documents.xml(e_credit_note_of(view, organization), Syntax.CII)
    return view.note.credit_note_number, printed(
        services, organization, credit_note_document(view, organization), factur_x=xml
    )


def _profile(wanted: EInvoiceFormat) -> Profile:
    return Profile.PEPPOL if wanted is EInvoiceFormat.PEPPOL else Profile.EN_16931


def _syntax(wanted: EInvoiceFormat) -> Syntax:
    return Syntax.CII if wanted is EInvoiceFormat.CII else Syntax.UBL


def e_invoice_of(view: InvoiceView, profile: Profile = Profile.EN_16931) -> EInvoice:
    """Return an invoice as it was issued; later payments and credit notes are no part of it.

    Raises Conflict `invalid_state`, `e_invoice_incomplete`.
    """
    invoice, settings = view.invoice, view.organization.invoice_settings
    if invoice.payment_status is PaymentStatus.VOIDED:
        raise Conflict("A voided invoice is none any more, and has no e-invoice.", code="invalid_state")
    before = nets_of(msgspec.structs.replace(invoice, discounts=()))
    shown = [
        _Shown(line.name, line.period, net.amount, net.rate, line.quantity, details_of(line), group_details(line))
        for line, net in zip(invoice.lines, before, strict=True)
    ]
    gross = invoice.gross
    return _e_invoice(
        view.organization,
        view.customer,
        shown,
        invoice.taxes,
        profile,
        type=EInvoiceType.INVOICE,
        number=invoice.invoice_number,
        issued_at=invoice.issued_at,
        due_at=invoice.due_at,
        currency=invoice.currency,
        allowances=_allowances(invoice, before),
        gross=gross,
        # An invoice below zero became credit, which settles it.
        prepaid=min(gross, invoice.credit_applied),
        note=settings.note or None,
    )


def _allowances(invoice: Invoice, before: Sequence[TaxedAmount]) -> tuple[tuple[str, Decimal, TaxRate], ...]:
    """Return name, amount without tax, and rate of what each discount takes off the lines of each rate.

    Together they are the difference between the lines' nets and what is taxed, also where prices include tax.
    """
    after = nets_of(invoice)
    found = []
    for rate in sorted({line.rate for line in before}):
        places = [place for place, line in enumerate(before) if line.rate == rate]
        taken = total(subtract(before[place].amount, after[place].amount) for place in places)
        weights = [total(discount.parts[place] for place in places) for discount in invoice.discounts]
        amounts = allocate(taken, weights, currency(invoice.currency))
        found += [(each.name, amount, rate) for each, amount in zip(invoice.discounts, amounts, strict=True) if amount]
    return tuple(found)


def e_credit_note_of(view: CreditNoteView, organization: Organization, profile: Profile = Profile.EN_16931) -> EInvoice:
    """Return a credit note; its amounts are positive. Raises Conflict `e_invoice_incomplete`."""
    note, invoice = view.note, view.invoice
    nets = nets_of(invoice)
    shown = [
        _Shown(name, invoice.lines[line.line].period, line.amount, nets[line.line].rate)
        for name, line in zip(note.names, note.amounts.lines, strict=True)
    ]
    zone = ZoneInfo(organization.invoice_settings.timezone)
    return _e_invoice(
        organization,
        view.customer,
        shown,
        note.amounts.taxes,
        profile,
        type=EInvoiceType.CREDIT_NOTE,
        number=note.credit_note_number,
        issued_at=note.issued_at,
        due_at=None,
        currency=note.currency,
        gross=note.amounts.total,
        prepaid=ZERO,
        note=note.reason,
        payment_terms=_CREDIT_NOTE_TERMS,
        preceding=(invoice.invoice_number, invoice.issued_at.astimezone(zone).date()),
    )


def _e_invoice(
    organization: Organization,
    customer: Customer,
    shown: Sequence[_Shown],
    taxes: Sequence[TaxSubtotal],
    profile: Profile,
    *,
    issued_at: datetime,
    due_at: datetime | None,
    currency: str,
    gross: Decimal,
    prepaid: Decimal,
    allowances: tuple[tuple[str, Decimal, TaxRate], ...] = (),
    **rest: Any,  # noqa: ANN401 - the other fields of the e-invoice
) -> EInvoice:
    zone = ZoneInfo(organization.invoice_settings.timezone)
    line_total, allowance_total = total(line.net for line in shown), total(amount for _, amount, _ in allowances)
    net = subtract(line_total, allowance_total)
    subtotals = taxes or (TaxSubtotal(NO_TAX, net, ZERO),)
    categories = {each.rate.category for each in subtotals}
    problems = Problems()
    amounts = [line.net for line in shown] + [amount for _, amount, _ in allowances]
    amounts += [amount for each in subtotals for amount in (each.base, each.tax)]
    unit = _unit(currency, [*amounts, gross, prepaid], problems)
    seller = _seller(organization, categories, profile, problems)
    buyer = _buyer(customer, categories, profile, problems)
    reference = _buyer_reference(customer, profile, problems)
    if problems.found:
        detail = "The e-invoice needs more than is known; validation_errors name the fields to fill in."
        raise Conflict(detail, code="e_invoice_incomplete", problems=problems.found)
    lines = tuple(_line(place, line, unit, zone) for place, line in enumerate(shown, 1))
    return EInvoice(
        profile=profile,
        issued_on=issued_at.astimezone(zone).date(),
        currency=currency,
        seller=seller,
        buyer=buyer,
        days=DayRange(min(line.days.first for line in lines), max(line.days.last for line in lines)),
        lines=lines,
        taxes=tuple(_breakdown(each, unit) for each in subtotals),
        allowances=tuple(
            Allowance(_written(amount, unit), name, rate.category.value, _percent(rate))
            for name, amount, rate in allowances
        ),
        line_total=_written(line_total, unit),
        allowance_total=_written(allowance_total, unit),
        net=_written(net, unit),
        tax=_written(total(each.tax for each in subtotals), unit),
        gross=_written(gross, unit),
        prepaid=_written(prepaid, unit),
        due=_written(subtract(gross, prepaid), unit),
        due_on=None if due_at is None else due_at.astimezone(zone).date(),
        buyer_reference=reference,
        **rest,
    )


def _unit(code: str, amounts: Iterable[Decimal], problems: Problems) -> Currency:
    """Return the currency with the decimal places that amounts are written with."""
    unit = currency(code)
    if unit.exponent <= _PLACES_MAX:
        return unit
    coarser = msgspec.structs.replace(unit, exponent=_PLACES_MAX)
    if any(amount != round_to_minor_unit(amount, coarser) for amount in amounts):
        detail = (
            f"EN 16931 has amounts with {_PLACES_MAX} decimal places, and this one in {code} needs {unit.exponent}."
        )
        problems.add("currency", "too_fine", detail)
    return coarser


def _written(amount: Decimal, unit: Currency) -> Decimal:
    return EXACT.quantize(amount, ONE.scaleb(-unit.exponent))


def _line(place: int, line: _Shown, unit: Currency, zone: ZoneInfo) -> EInvoiceLine:
    quantity, price = priced(line.net, line.quantity, unit)
    details = line.details
    if quantity.copy_abs() != line.quantity.copy_abs():
        details = (f"Quantity: {plain(line.quantity)}", *details)
    return EInvoiceLine(
        line_id=str(place),
        name=line.name,
        quantity=quantity,
        price=price,
        net=_written(line.net, unit),
        category=line.rate.category.value,
        percent=_percent(line.rate),
        days=_days(line.period, zone),
        description="; ".join(details) or None,
        attributes=line.attributes,
    )


def priced(net: Decimal, quantity: Decimal, unit: Currency) -> tuple[Decimal, Decimal]:
    """Return quantity and unit price whose product rounds to `net`: the price with the fewest decimal places.

    Where a price of `PRICE_PLACES_MAX` places does not lead there (a fee without a quantity, a very large quantity), it
    is one thing at that price. Prices are not negative; a negative amount has a negative quantity.
    """
    wanted, many = net.copy_abs(), quantity.copy_abs()
    if not wanted:
        return many, ZERO
    for places in range(unit.exponent, PRICE_PLACES_MAX + 1) if many else ():
        step = ONE.scaleb(-places)
        price = divide(wanted, many).quantize(step, rounding=ROUND_HALF_UP, context=DIVISION)
        if wanted == round_to_minor_unit(multiply(many, price), unit):
            return many.copy_sign(net), price
    return ONE.copy_sign(net), _written(wanted, unit)


def _days(period: Period, zone: ZoneInfo) -> DayRange:
    """Return the first and the last day that a period touches."""
    last = max(period.start, period.end - _INSTANT)
    return DayRange(period.start.astimezone(zone).date(), last.astimezone(zone).date())


def _percent(rate: TaxRate) -> Decimal | None:
    return None if rate.category is TaxCategory.OUT_OF_SCOPE else rate.percent


def _breakdown(each: TaxSubtotal, unit: Currency) -> TaxBreakdown:
    reason, code = _REASONS.get(each.rate.category, (None, None))
    return TaxBreakdown(
        each.rate.category.value,
        _percent(each.rate),
        _written(each.base, unit),
        _written(each.tax, unit),
        reason,
        code,
    )


def _seller(
    organization: Organization, categories: set[TaxCategory], profile: Profile, problems: Problems
) -> TradeParty:
    settings = organization.invoice_settings
    if not settings.tax_id:
        problems.add("organization.tax_id", "required", "The seller's VAT or tax number is missing.")
    if profile is Profile.PEPPOL and not settings.email:
        problems.add("organization.email", "required", "Peppol needs an electronic address of the seller.")
    party = _party(settings.legal_name or organization.name, settings.address, "organization.address", problems)
    numbers = _numbers(settings.tax_id, categories)
    if not numbers.get("vat_id") and TaxCategory.OUT_OF_SCOPE not in categories:
        # A seller is identified by a VAT number or by any other; a tax number alone is not enough (BR-CO-26).
        numbers = {"tax_registration": settings.tax_id, "identifier": settings.tax_id}
    return msgspec.structs.replace(party, email=settings.email, phone=settings.phone, **numbers)


def _buyer(customer: Customer, categories: set[TaxCategory], profile: Profile, problems: Problems) -> TradeParty:
    if not customer.customer_name:
        problems.add("customer.customer_name", "required", "The buyer's name is missing.")
    numbers = _numbers(customer.tax_id, categories)
    if TaxCategory.REVERSE_CHARGE in categories and not numbers.get("vat_id"):
        code, detail = ("invalid", "begins with the letters of its country") if customer.tax_id else ("required", "is")
        problems.add("customer.tax_id", code, f"Reverse charge needs the buyer's VAT number, which {detail}.")
    if profile is Profile.PEPPOL and not customer.email:
        problems.add("customer.email", "required", "Peppol needs an electronic address of the buyer.")
    name = "billing_address" if customer.billing_address else "address"
    address = customer.billing_address or customer.address
    party = _party(customer.customer_name, address, f"customer.{name}", problems)
    return msgspec.structs.replace(party, email=customer.email, **numbers)


def _buyer_reference(customer: Customer, profile: Profile, problems: Problems) -> str | None:
    """Return what the buyer wants to find on invoices: the text `buyer_reference` of the customer's properties."""
    value = customer.properties.get("buyer_reference")
    reference = value.strip() if isinstance(value, str) else ""
    if profile is Profile.PEPPOL and not reference:
        field = "customer.properties.buyer_reference"
        problems.add(field, "required", "Peppol needs what the buyer wants to find on the invoice.")
    return reference or None


def _party(name: str, address: dict[str, Any] | None, field: str, problems: Problems) -> TradeParty:
    known = {key: str(value).strip() for key, value in (address or {}).items() if value}
    country = known.get("country", "").upper()
    if not country:
        problems.add(f"{field}.country", "required", f"{field}.country is missing.")
    elif country not in COUNTRIES:
        problems.add(f"{field}.country", "invalid", f"{country!r} is not a country's two letters in ISO 3166-1.")
    return TradeParty(
        name=name,
        country=country,
        street=known.get("line1"),
        more_street=known.get("line2"),
        city=known.get("city"),
        postal_code=known.get("postal_code"),
        subdivision=known.get("state"),
    )


def _numbers(tax_id: str | None, categories: set[TaxCategory]) -> dict[str, str | None]:
    """Return under which name a party's tax number stands.

    VAT numbers have no place where nothing is subject to VAT (BR-O-02).
    """
    if not tax_id:
        return {}
    compact = re.sub(r"[\s.-]", "", tax_id).upper()
    is_vat_id = _VAT_ID.fullmatch(compact) is not None and compact[:2] in VAT_PREFIXES
    if is_vat_id and TaxCategory.OUT_OF_SCOPE not in categories:
        return {"vat_id": compact}
    return {"identifier": tax_id}
