"""The lines that wait for their customer's next invoice."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from lotus_server.adapters.records_sql.billing_tables import PENDING_LINES
from lotus_server.adapters.records_sql.rows import Insert, Replace, Unique, Values, can_lock, of_tenant
from lotus_server.adapters.records_sql.tables import ORGANIZATIONS
from lotus_server.domain.invoicing import PendingLines

_COLUMNS: Final = PendingLines.__struct_fields__
_INSERT: Final = Insert(
    PENDING_LINES,
    [
        Unique(("organization_id", "cause"), "pending_lines_exist", "This waits for an invoice already."),
        Unique(("organization_id", "pending_id"), "pending_lines_exist", "Lines with this id exist already."),
    ],
)
_REPLACE: Final = Replace(PENDING_LINES, ("due_at", "billed", "invoice_id", "parked_cause"), "pending line")
_ALL: Final = select(*(PENDING_LINES.c[name] for name in _COLUMNS))
_WAITS: Final = PENDING_LINES.c.invoice_id.is_(None)
_WAITING: Final = _ALL.where(
    of_tenant(PENDING_LINES), _WAITS, PENDING_LINES.c.customer_id == bindparam("customer_id")
).order_by(PENDING_LINES.c.created_at, PENDING_LINES.c.pending_id)
# SQLite has no row locks and needs none: there, a transaction that may write is alone from its beginning.
_WAITING_FOR_UPDATE: Final = _WAITING.with_for_update()
_BY_CAUSE: Final = select(PENDING_LINES.c.pending_id).where(
    of_tenant(PENDING_LINES), PENDING_LINES.c.cause == bindparam("cause")
)
_CUSTOMERS: Final = select(PENDING_LINES.c.customer_id).where(of_tenant(PENDING_LINES)).distinct()
_DUE: Final = (PENDING_LINES.c.due_at <= bindparam("at")) & _WAITS
_DUE_OF_ORGANIZATION: Final = (
    _ALL.where(of_tenant(PENDING_LINES), _DUE)
    .order_by(PENDING_LINES.c.due_at, PENDING_LINES.c.pending_id)
    .limit(bindparam("limit"))
)
_DUE_IN_REAL_TIME: Final = (
    _ALL.join(ORGANIZATIONS, ORGANIZATIONS.c.organization_id == PENDING_LINES.c.organization_id)
    .where(_DUE, ORGANIZATIONS.c.clock_now.is_(None))
    .order_by(PENDING_LINES.c.due_at, PENDING_LINES.c.organization_id, PENDING_LINES.c.pending_id)
    .limit(bindparam("limit"))
)


def pending_lines_to_row(value: PendingLines) -> Values:
    """Return the columns of lines that wait."""
    return {name: getattr(value, name) for name in _COLUMNS}


def pending_lines_from_row(row: Sequence[Any]) -> PendingLines:
    """Return the lines of a row whose columns are in the order of the fields."""
    return PendingLines(*row)


class SqlPendingLines:
    """The lines that wait for their customer's next invoice."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, pending: PendingLines) -> None:
        _INSERT(self._connection, pending_lines_to_row(pending))

    def has_cause(self, organization_id: str, cause: str) -> bool:
        return self._connection.execute(_BY_CAUSE, _of(organization_id, cause=cause)).first() is not None

    def customers(self, organization_id: str) -> frozenset[str]:
        return frozenset(self._connection.execute(_CUSTOMERS, _of(organization_id)).scalars())

    def waiting(self, organization_id: str, customer_id: str) -> list[PendingLines]:
        query = _WAITING_FOR_UPDATE if can_lock(self._connection) else _WAITING
        rows = self._connection.execute(query, _of(organization_id, customer_id=customer_id))
        return [pending_lines_from_row(row) for row in rows]

    def due(self, at: datetime, limit: int, organization_id: str | None = None) -> list[PendingLines]:
        keys: Values = {"at": at, "limit": limit}
        if organization_id is None:
            rows = self._connection.execute(_DUE_IN_REAL_TIME, keys)
        else:
            rows = self._connection.execute(_DUE_OF_ORGANIZATION, {**keys, "organization_id": organization_id})
        return [pending_lines_from_row(row) for row in rows]

    def replace(self, pending: PendingLines) -> None:
        _REPLACE(self._connection, pending_lines_to_row(pending))


def _of(organization_id: str, **keys: str) -> Values:
    return {"organization_id": organization_id, **keys}
