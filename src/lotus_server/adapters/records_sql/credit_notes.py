"""The credit notes, and the series of their numbers."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, tuple_, update

from lotus_server.adapters.records_sql.discount_tables import CREDIT_NOTES
from lotus_server.adapters.records_sql.rows import Insert, Unique, Values, next_number, of_tenant
from lotus_server.adapters.records_sql.tables import INVOICE_SERIES
from lotus_server.domain.invoicing import CreditNote
from lotus_server.kernel.errors import NotFound
from lotus_server.ports.records import Page

_INSERT: Final = Insert(
    CREDIT_NOTES,
    [
        Unique(("organization_id", "credit_note_id"), "credit_note_exists", "There is a credit note with this id."),
        Unique(("organization_id", "credit_note_number"), "credit_note_exists", "This credit note number is taken."),
    ],
    {"made_number": next_number(CREDIT_NOTES)},
)
_ALL: Final = select(*(CREDIT_NOTES.c[name] for name in CreditNote.__struct_fields__)).where(of_tenant(CREDIT_NOTES))
_ONE: Final = _ALL.where(CREDIT_NOTES.c.credit_note_id == bindparam("credit_note_id"))
_OF_INVOICE: Final = _ALL.where(CREDIT_NOTES.c.invoice_id == bindparam("invoice_id")).order_by(
    CREDIT_NOTES.c.made_number, CREDIT_NOTES.c.credit_note_id
)
_PLACE: Final = (
    select(CREDIT_NOTES.c.made_number)
    .where(of_tenant(CREDIT_NOTES), CREDIT_NOTES.c.credit_note_id == bindparam("after"))
    .scalar_subquery()
)
_IS_OLDER: Final = tuple_(CREDIT_NOTES.c.made_number, CREDIT_NOTES.c.credit_note_id) < tuple_(
    _PLACE, bindparam("after")
)
_TAKE_NUMBER: Final = (
    update(INVOICE_SERIES)
    .where(INVOICE_SERIES.c.organization_id == bindparam("key_organization_id"))
    .values(last_credit_note_number=INVOICE_SERIES.c.last_credit_note_number + 1)
    .returning(INVOICE_SERIES.c.last_credit_note_number)
)


def credit_note_to_row(value: CreditNote) -> Values:
    """Return a credit note's columns."""
    return {name: getattr(value, name) for name in CreditNote.__struct_fields__}


def credit_note_from_row(row: Sequence[Any]) -> CreditNote:
    """Return the credit note of a row whose columns are in the order of the fields."""
    return CreditNote(*row)


class SqlCreditNotes:
    """The credit notes."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, note: CreditNote) -> None:
        _INSERT(self._connection, credit_note_to_row(note))

    def get(self, organization_id: str, credit_note_id: str) -> CreditNote | None:
        keys = {"organization_id": organization_id, "credit_note_id": credit_note_id}
        row = self._connection.execute(_ONE, keys).first()
        return None if row is None else credit_note_from_row(row)

    def of_invoice(self, organization_id: str, invoice_id: str) -> list[CreditNote]:
        keys = {"organization_id": organization_id, "invoice_id": invoice_id}
        return [credit_note_from_row(row) for row in self._connection.execute(_OF_INVOICE, keys)]

    def page(self, organization_id: str, page: Page, *, customer_id: str | None = None) -> list[CreditNote]:
        keys = {"organization_id": organization_id}
        query = _ALL.order_by(CREDIT_NOTES.c.made_number.desc(), CREDIT_NOTES.c.credit_note_id.desc()).limit(page.limit)
        if page.after is not None:
            query = query.where(_IS_OLDER)
            keys["after"] = page.after
        if customer_id is not None:
            query = query.where(CREDIT_NOTES.c.customer_id == customer_id)
        return [credit_note_from_row(row) for row in self._connection.execute(query, keys)]

    def take_number(self, organization_id: str) -> int:
        number = self._connection.execute(_TAKE_NUMBER, {"key_organization_id": organization_id}).scalar()
        if number is None:
            raise NotFound("There is no such organization.")
        assert isinstance(number, int)
        return number
