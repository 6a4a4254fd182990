"""E-invoices: invoices as machines read them, in the terms of EN 16931 (the BT and BG numbers are that norm's)."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import msgspec


class Syntax(StrEnum):
    """How an e-invoice is written: the two syntaxes that EN 16931 knows."""

    UBL = "ubl"
    CII = "cii"


class Profile(StrEnum):
    """Which rules an e-invoice says it keeps: the norm's own, or those of Peppol BIS Billing 3.0 as well."""

    EN_16931 = "en16931"
    PEPPOL = "peppol"


class EInvoiceType(StrEnum):
    """What the document is, by the codes of UNTDID 1001."""

    INVOICE = "380"
    CREDIT_NOTE = "381"


class TradeParty(msgspec.Struct, frozen=True):
    """Who sells (BG-4) or buys (BG-7); `country` is an ISO 3166-1 code.

    `vat_id` begins with the letters of its country; `tax_registration` is a tax number that does not. `identifier` is
    any other number by which the party is known.
    """

    name: str
    country: str
    street: str | None = None
    more_street: str | None = None
    city: str | None = None
    postal_code: str | None = None
    subdivision: str | None = None
    vat_id: str | None = None
    tax_registration: str | None = None
    identifier: str | None = None
    email: str | None = None
    phone: str | None = None


class DayRange(msgspec.Struct, frozen=True):
    """The first and the last day of a period, both included (BG-14, BG-26)."""

    first: date
    last: date


class TaxBreakdown(msgspec.Struct, frozen=True):
    """What the lines of one category and rate come to (BG-23). `percent` null: not subject to tax at all."""

    category: str
    percent: Decimal | None
    base: Decimal
    tax: Decimal
    reason: str | None = None
    reason_code: str | None = None


class Allowance(msgspec.Struct, frozen=True):
    """What is taken off the lines of one category and rate together (BG-20): a positive amount without tax."""

    amount: Decimal
    reason: str
    category: str
    percent: Decimal | None


class EInvoiceLine(msgspec.Struct, frozen=True):
    """One line (BG-25): `net` is `quantity` x `price`, rounded to the minor unit. The price is never negative."""

    line_id: str
    name: str
    quantity: Decimal
    price: Decimal
    net: Decimal
    category: str
    percent: Decimal | None
    days: DayRange
    description: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()


class EInvoice(msgspec.Struct, frozen=True):
    """An invoice or credit note with all its sums, in major units of `currency`.

    `line_total` is the sum of the lines (BT-106), `net` that less the allowances (BT-109), `gross` that with `tax`
    (BT-112), `prepaid` what of it is settled (BT-113), `due` the rest (BT-115). `preceding` is the number and the day
    of the invoice that a credit note is about.
    """

    type: EInvoiceType
    profile: Profile
    number: str
    issued_on: date
    currency: str
    seller: TradeParty
    buyer: TradeParty
    days: DayRange
    lines: tuple[EInvoiceLine, ...]
    taxes: tuple[TaxBreakdown, ...]
    line_total: Decimal
    allowance_total: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    prepaid: Decimal
    due: Decimal
    allowances: tuple[Allowance, ...] = ()
    due_on: date | None = None
    payment_terms: str | None = None
    buyer_reference: str | None = None
    note: str | None = None
    preceding: tuple[str, date] | None = None


class EInvoices(Protocol):
    """Writes e-invoices. The same input gives the same bytes."""

    def xml(self, invoice: EInvoice, syntax: Syntax) -> bytes:
        """Return an e-invoice as XML in UTF-8, valid against the schema of its syntax."""
        ...
