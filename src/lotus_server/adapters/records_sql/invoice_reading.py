"""Finding invoices by what a question says, and what they come to.

Two indexes have every column that a question can name, so that no question reads the rows themselves, with their long
lines, before it knows which ones it is about. SQLite is told which one to take: without statistics it guesses wrong.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, literal, select, tuple_

from lotus_server.adapters.records_sql.rows import of_tenant
from lotus_server.adapters.records_sql.tables import INVOICES
from lotus_server.domain.invoicing import PaymentStatus
from lotus_server.kernel.quantity import ZERO, add, multiply, subtract
from lotus_server.ports.invoice_reading import InvoiceOrder, InvoiceQuestion, InvoiceSum
from lotus_server.ports.paging import Page

_C: Final = INVOICES.c
_SCALE: Final = Decimal(10_000)
_UNIT: Final = Decimal("0.0001")
# The greatest number that a column holds; amounts beyond it count as equal where invoices are sorted.
_GREATEST: Final = 2**63 - 1
_PART: Final = 10**9
_ORDERED_BY: Final[dict[InvoiceOrder, tuple[ColumnElement[Any], ...]]] = {
    InvoiceOrder.NUMBER: (_C.made_number, _C.invoice_id),
    InvoiceOrder.ISSUE_DATE: (_C.issued_at, _C.made_number, _C.invoice_id),
    InvoiceOrder.DUE_DATE: (_C.due_at, _C.made_number, _C.invoice_id),
    InvoiceOrder.AMOUNT: (_C.total_scaled, _C.made_number, _C.invoice_id),
}


def scaled(amount: Decimal) -> int:
    """Return an amount of a currency in units of 1/10,000, for sorting and summing. No invoice comes to less than zero.

    No currency has smaller ones. What is greater than a column holds is the greatest number that it holds, and so it is
    below zero.
    """
    return max(min(int(multiply(amount, _SCALE)), _GREATEST), -_GREATEST)


def ids_of_page(connection: Connection, organization_id: str, question: InvoiceQuestion, page: Page) -> list[str]:
    """Return the ids of a page of what a question asks for, in its order."""
    keys = _ORDERED_BY[question.order]
    query = select(_C.invoice_id).where(of_tenant(INVOICES), *_conditions(question), *_status(question))
    query = query.order_by(*(key.asc() if question.is_ascending else key.desc() for key in keys)).limit(page.limit)
    if page.after is not None:
        place = _place(connection, organization_id, page.after, keys)
        if place is None:
            return []
        beyond = tuple_(*keys), tuple_(*(literal(value, key.type) for key, value in zip(keys, place, strict=True)))
        query = query.where(beyond[0] > beyond[1] if question.is_ascending else beyond[0] < beyond[1])
    query = query.with_hint(INVOICES, f"INDEXED BY {_index_of(question)}", "sqlite")
    return [row[0] for row in connection.execute(query, {"organization_id": organization_id})]


def sums_of(connection: Connection, organization_id: str, question: InvoiceQuestion) -> list[InvoiceSum]:
    """Return what the invoices asked for come to, by status and currency."""
    conditions = (of_tenant(INVOICES), *_conditions(question), *_status(question))
    query = select(
        _C.payment_status,
        _C.currency,
        func.count(),
        # In two parts, so that no number of invoices is too many for the whole numbers of a database.
        func.sum(_C.due_scaled // _PART),
        func.sum(_C.due_scaled % _PART),
        func.max(_C.due_scaled),
    )
    query = query.where(*conditions).group_by(_C.payment_status, _C.currency)
    query = query.order_by(_C.payment_status, _C.currency)
    index = "ix_invoices_sums" if question.customer_id is None else "ix_invoices_customer"
    query = query.with_hint(INVOICES, f"INDEXED BY {index}", "sqlite")
    found = []
    for status, code, count, high, low, greatest in connection.execute(query, {"organization_id": organization_id}):
        whole = multiply(Decimal(int(high) * _PART + int(low)), _UNIT)
        if greatest == _GREATEST:
            same = (*conditions, _C.payment_status == status, _C.currency == code)
            whole = add(whole, _beyond_columns(connection, organization_id, same))
        found.append(InvoiceSum(status, code, count, whole))
    return found


def _beyond_columns(
    connection: Connection, organization_id: str, conditions: tuple[ColumnElement[bool], ...]
) -> Decimal:
    """Return by how much amounts that are greater than a column holds exceed what it has of them."""
    query = select(_C.total, _C.credited).where(*conditions, _C.due_scaled == _GREATEST)
    kept = multiply(Decimal(_GREATEST), _UNIT)
    excess = ZERO
    for whole, credited in connection.execute(query, {"organization_id": organization_id}):
        excess = add(excess, subtract(subtract(whole, credited), kept))
    return excess


def _index_of(question: InvoiceQuestion) -> str:
    if question.customer_id is not None:
        return "ix_invoices_customer"
    narrows = list(_conditions(question))
    if question.order is not InvoiceOrder.NUMBER or narrows:
        return "ix_invoices_issued"
    return "ix_invoices_made" if question.payment_status is None else "ix_invoices_payment_status"


def _place(
    connection: Connection, organization_id: str, invoice_id: str, keys: tuple[ColumnElement[Any], ...]
) -> tuple[Any, ...] | None:
    query: Select[Any] = select(*keys).where(of_tenant(INVOICES), _C.invoice_id == bindparam("after"))
    row = connection.execute(query, {"organization_id": organization_id, "after": invoice_id}).first()
    return None if row is None else tuple(row)


def _status(question: InvoiceQuestion) -> Iterator[ColumnElement[bool]]:
    status: PaymentStatus | None = question.payment_status
    if status is not None:
        yield _C.payment_status == status


def _conditions(question: InvoiceQuestion) -> Iterator[ColumnElement[bool]]:
    """Return what a question says, but for the status."""
    for column, value in (
        (_C.customer_id, question.customer_id),
        (_C.plan_id, question.plan_id),
        (_C.currency, question.currency),
    ):
        if value is not None:
            yield column == value
    if question.number:
        yield _C.invoice_number.icontains(question.number, autoescape=True)
    yield from _between(_C.issued_at, question.issued_from, question.issued_before)
    yield from _between(_C.due_at, question.due_from, question.due_before)
    if question.amount_min is not None:
        yield _C.total_scaled >= max(scaled(question.amount_min), 0)
    if question.amount_max is not None:
        yield _C.total_scaled <= scaled(question.amount_max)


def _between(column: ColumnElement[Any], start: datetime | None, end: datetime | None) -> Iterator[ColumnElement[bool]]:
    if start is not None:
        yield column >= start
    if end is not None:
        yield column < end
