"""Documents: invoices as people print and archive them."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import msgspec

from lotus_server.kernel.period import Period
from lotus_server.ports.e_invoices import EInvoices


class Paper(StrEnum):
    """The size of a page."""

    A4 = "a4"
    LETTER = "us-letter"


class DocumentKind(StrEnum):
    """What a document says it is. A draft and a voided invoice must not be taken for an invoice."""

    INVOICE = "invoice"
    DRAFT = "draft"
    CREDIT_NOTE = "credit_note"
    VOIDED = "voided"


class Party(msgspec.Struct, frozen=True):
    """Who sells or who buys: a name, an address in lines as it is written on an envelope, and what else is known."""

    name: str
    address: tuple[str, ...] = ()
    tax_id: str | None = None
    email: str | None = None


class DocumentLine(msgspec.Struct, frozen=True):
    """One line: `amount` in major units at the minor unit; `quantity` as it was charged (null: it has none).

    `details` are shown small below it: tiers, proration, the group. `heading` is shown above it and those that follow,
    where the lines are of several subscriptions (null: as above).
    """

    name: str
    period: Period
    amount: Decimal
    quantity: Decimal | None = None
    details: tuple[str, ...] = ()
    heading: str | None = None


class DocumentTax(msgspec.Struct, frozen=True):
    """A row of the tax summary. `percent` null: no tax, for the `reason`."""

    percent: Decimal | None
    base: Decimal
    tax: Decimal
    reason: str | None = None


class InvoiceDocument(msgspec.Struct, frozen=True):
    """Everything that is printed, in major units of `currency`. The amounts are shown, never added up here.

    A draft has no `number` yet: it is empty. `deductions` are named amounts between the sum of the lines and the total
    (discounts, as negative amounts);
    `payments` those between the total and what is due (credit applied, negative). `zone` is the time zone in which
    dates are shown, `locale` such as `de_DE` the language and the manner of numbers.
    """

    kind: DocumentKind
    number: str
    issued_at: datetime
    due_at: datetime | None
    seller: Party
    buyer: Party
    currency: str
    lines: tuple[DocumentLine, ...]
    subtotal: Decimal
    total: Decimal
    amount_due: Decimal
    deductions: tuple[tuple[str, Decimal], ...] = ()
    taxes: tuple[DocumentTax, ...] = ()
    payments: tuple[tuple[str, Decimal], ...] = ()
    prices_include_tax: bool = False
    notes: tuple[str, ...] = ()
    refers_to: str | None = None
    locale: str = "en_US"
    zone: str = "UTC"
    paper: Paper = Paper.A4
    logo: bytes | None = None


class PrintedDocuments(Protocol):
    """Prints documents. The same input gives the same bytes."""

    def pdf(self, document: InvoiceDocument, *, factur_x: bytes | None = None) -> bytes:
        """Return a document as PDF/A-3 with tagged text.

        `factur_x` is the same document as a Cross Industry Invoice, which goes into the file and makes it one of
        Factur-X. Raises Invalid `logo_unreadable` for a logo that cannot be shown.
        """
        ...

    def picture(self, document: InvoiceDocument) -> bytes:
        """Return the first page of a document as PNG, at 96 dots per inch. Raises Invalid as `pdf` does."""
        ...


class Documents(PrintedDocuments, EInvoices, Protocol):
    """Makes documents, for people and for machines."""
