"""The invoices with their lines, and the series of their numbers."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, literal_column, select, update

from lotus_server.adapters.records_sql.invoice_reading import ids_of_page, scaled, sums_of
from lotus_server.adapters.records_sql.rows import Insert, Replace, Unique, Values, next_number, of_tenant, portions
from lotus_server.adapters.records_sql.tables import INVOICE_SERIES, INVOICES
from lotus_server.domain.invoicing import Invoice
from lotus_server.kernel.errors import NotFound
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO, add, subtract
from lotus_server.ports.invoice_reading import EVERY_INVOICE, InvoiceQuestion, InvoiceSum
from lotus_server.ports.listing import Outstanding
from lotus_server.ports.records import Page

_COLUMNS: Final = (
    "organization_id",
    "invoice_id",
    "invoice_number",
    "cause",
    "customer_id",
    "subscription_id",
    "currency",
    "period_start",
    "period_end",
    "issued_at",
    "due_at",
    "lines",
    "subtotal",
    "credit_applied",
    "total",
    "payment_status",
    "taxes",
    "prices_include_tax",
    "credited",
    "discounts",
    "note",
)
# An invoice's place in the list is the order in which invoices were added. That is the order of their numbers, because
# whoever takes a number keeps the series to themselves until their transaction ends; the printed number's form is
# nobody's business here.
_INSERT: Final = Insert(
    INVOICES,
    [
        Unique(("organization_id", "cause"), "invoice_exists", "This was invoiced already."),
        Unique(("organization_id", "invoice_id"), "invoice_exists", "An invoice with this id exists already."),
        Unique(("organization_id", "invoice_number"), "invoice_number_exists", "This invoice number is taken."),
    ],
    {"made_number": next_number(INVOICES)},
)
_REPLACE_STATUS: Final = Replace(INVOICES, ("payment_status", "credited", "due_scaled"), "invoice")
_ALL: Final = select(*(INVOICES.c[name] for name in _COLUMNS)).where(of_tenant(INVOICES))
_ONE: Final = _ALL.where(INVOICES.c.invoice_id == bindparam("invoice_id"))
# SQLite has no row locks and needs none: there, a transaction that may write is alone from its beginning.
_ONE_FOR_UPDATE: Final = _ONE.with_for_update()
_BY_CAUSE: Final = _ALL.where(INVOICES.c.cause == bindparam("cause"))
_BY_CAUSES: Final = _ALL.where(INVOICES.c.cause.in_(bindparam("causes", expanding=True)))
_NEWEST_FIRST: Final = (INVOICES.c.made_number.desc(), INVOICES.c.invoice_id.desc())
_BY_IDS: Final = _ALL.where(INVOICES.c.invoice_id.in_(bindparam("invoice_ids", expanding=True)))
_HEADS: Final = select(*(INVOICES.c[name] for name in _COLUMNS if name != "lines")).where(of_tenant(INVOICES))
_HEADS_BY_IDS: Final = _HEADS.where(INVOICES.c.invoice_id.in_(bindparam("invoice_ids", expanding=True)))
_HEADS_OF_CUSTOMERS: Final = (
    _HEADS.where(INVOICES.c.customer_id.in_(bindparam("customer_ids", expanding=True)))
    # By an expression, so that SQLite looks for the customers instead of reading everybody's invoices in their order.
    .order_by((INVOICES.c.made_number + 0).desc(), INVOICES.c.invoice_id.desc())
)
_UNPAID_AMOUNTS: Final = select(
    INVOICES.c.customer_id, INVOICES.c.currency, INVOICES.c.total, INVOICES.c.credited
).where(
    of_tenant(INVOICES),
    INVOICES.c.payment_status == literal_column("'unpaid'"),
    INVOICES.c.customer_id.in_(bindparam("customer_ids", expanding=True)),
)
# Locks the organization's row of the series until the transaction ends, and goes back with it.
_TAKE_NUMBER: Final = (
    update(INVOICE_SERIES)
    .where(INVOICE_SERIES.c.organization_id == bindparam("key_organization_id"))
    .values(last_number=INVOICE_SERIES.c.last_number + 1)
    .returning(INVOICE_SERIES.c.last_number)
)
_LAST_NUMBERS: Final = (
    select(INVOICE_SERIES.c.organization_id, INVOICE_SERIES.c.last_number)
    .where(INVOICE_SERIES.c.organization_id.in_(bindparam("organization_ids", expanding=True)))
    .order_by(INVOICE_SERIES.c.organization_id)
    .with_for_update()
)
_KEEP_NUMBER: Final = Replace(INVOICE_SERIES, ("last_number",), "organization")


def last_numbers(connection: Connection, organization_ids: Sequence[str]) -> dict[str, int]:
    """Return the last number of each organization's series, which nobody else takes a number of meanwhile."""
    rows = connection.execute(_LAST_NUMBERS, {"organization_ids": list(organization_ids)})
    return {row[0]: row[1] for row in rows}


def keep_number(connection: Connection, organization_id: str, number: int) -> None:
    """An organization's series has come to a number. For whoever has locked it by `last_numbers`."""
    _KEEP_NUMBER(connection, {"organization_id": organization_id, "last_number": number})


def invoice_to_row(value: Invoice) -> Values:
    """Return an invoice's columns."""
    return {
        "organization_id": value.organization_id,
        "invoice_id": value.invoice_id,
        "invoice_number": value.invoice_number,
        "cause": value.cause,
        "customer_id": value.customer_id,
        "subscription_id": value.subscription_id,
        "currency": value.currency,
        "period_start": value.period.start,
        "period_end": value.period.end,
        "issued_at": value.issued_at,
        "due_at": value.due_at,
        "lines": value.lines,
        "subtotal": value.subtotal,
        "credit_applied": value.credit_applied,
        "total": value.total,
        "payment_status": value.payment_status,
        "taxes": value.taxes,
        "prices_include_tax": value.prices_include_tax,
        "credited": value.credited,
        "discounts": value.discounts,
        "note": value.note,
        "plan_id": next((line.plan_id for line in value.lines if line.plan_id is not None), None),
        "total_scaled": scaled(value.total),
        "due_scaled": scaled(value.amount_due),
    }


def invoice_from_row(row: Sequence[Any]) -> Invoice:
    """Return the invoice of a row."""
    fields = [*row[:7], Period(row[7], row[8]), *row[9:]]
    return Invoice(*fields)


def _head_from_row(row: Sequence[Any]) -> Invoice:
    fields = [*row[:7], Period(row[7], row[8]), *row[9:11], (), *row[11:]]
    return Invoice(*fields)


class SqlInvoices:
    """The invoices with their lines."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, invoice: Invoice) -> None:
        _INSERT(self._connection, invoice_to_row(invoice))

    def by_cause(self, organization_id: str, cause: str) -> Invoice | None:
        row = self._connection.execute(_BY_CAUSE, {"organization_id": organization_id, "cause": cause}).first()
        return None if row is None else invoice_from_row(row)

    def by_causes(self, organization_id: str, causes: Sequence[str]) -> dict[str, Invoice]:
        """Return the invoices that bill any of the causes, by cause."""
        found: dict[str, Invoice] = {}
        for some in portions(causes):
            for row in self._connection.execute(_BY_CAUSES, {"organization_id": organization_id, "causes": some}):
                invoice = invoice_from_row(row)
                found[invoice.cause] = invoice
        return found

    def get(self, organization_id: str, invoice_id: str, *, for_update: bool = False) -> Invoice | None:
        keys = {"organization_id": organization_id, "invoice_id": invoice_id}
        row = self._connection.execute(_ONE_FOR_UPDATE if for_update else _ONE, keys).first()
        return None if row is None else invoice_from_row(row)

    def page(self, organization_id: str, page: Page, question: InvoiceQuestion = EVERY_INVOICE) -> list[Invoice]:
        ids = ids_of_page(self._connection, organization_id, question, page)
        found = {}
        for some in portions(ids):
            for row in self._connection.execute(_BY_IDS, {"organization_id": organization_id, "invoice_ids": some}):
                invoice = invoice_from_row(row)
                found[invoice.invoice_id] = invoice
        return [found[each] for each in ids]

    def heads(self, organization_id: str, page: Page, question: InvoiceQuestion = EVERY_INVOICE) -> list[Invoice]:
        ids = ids_of_page(self._connection, organization_id, question, page)
        found = {}
        for some in portions(ids):
            keys = {"organization_id": organization_id, "invoice_ids": some}
            for row in self._connection.execute(_HEADS_BY_IDS, keys):
                invoice = _head_from_row(row)
                found[invoice.invoice_id] = invoice
        return [found[each] for each in ids]

    def sums(self, organization_id: str, question: InvoiceQuestion = EVERY_INVOICE) -> list[InvoiceSum]:
        return sums_of(self._connection, organization_id, question)

    def of_customers(self, organization_id: str, customer_ids: Sequence[str]) -> dict[str, list[Invoice]]:
        found: dict[str, list[Invoice]] = {}
        for some in portions(customer_ids):
            keys = {"organization_id": organization_id, "customer_ids": some}
            for row in self._connection.execute(_HEADS_OF_CUSTOMERS, keys):
                invoice = _head_from_row(row)
                found.setdefault(invoice.customer_id, []).append(invoice)
        return found

    def outstanding(self, organization_id: str, customer_ids: Sequence[str]) -> dict[str, Outstanding]:
        found: dict[str, Outstanding] = {}
        for some in portions(customer_ids):
            keys = {"organization_id": organization_id, "customer_ids": some}
            for customer_id, currency, total, credited in self._connection.execute(_UNPAID_AMOUNTS, keys):
                if total != credited:
                    owed = found.setdefault(customer_id, {})
                    owed[currency] = add(owed.get(currency, ZERO), subtract(total, credited))
        return found

    def take_number(self, organization_id: str) -> int:
        number = self._connection.execute(_TAKE_NUMBER, {"key_organization_id": organization_id}).scalar()
        if number is None:
            raise NotFound("There is no such organization.")
        assert isinstance(number, int)
        return number

    def replace_status(self, invoice: Invoice) -> None:
        _REPLACE_STATUS(self._connection, invoice_to_row(invoice))
