"""The grants of credit, and the postings that say what each has left."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, or_, select, tuple_, union_all

from lotus_server.adapters.records_sql.changes import Notes
from lotus_server.adapters.records_sql.credit_tables import CREDIT_SCHEDULES, WALLETS
from lotus_server.adapters.records_sql.rows import Insert, Replace, Unique, Values, can_lock, of_tenant, portions
from lotus_server.adapters.records_sql.tables import CREDIT_GRANTS, CREDIT_POSTINGS, ORGANIZATIONS
from lotus_server.domain.credits import CreditAccount, CreditGrant, CreditPosting, HeldCredit
from lotus_server.kernel.quantity import ZERO, add, subtract
from lotus_server.ports.credit_records import CreditQuestion, DueCredit
from lotus_server.ports.paging import Page

_INSERT_GRANT: Final = Insert(
    CREDIT_GRANTS,
    [Unique(("organization_id", "credit_id"), "credit_exists", "A credit with this id exists already.")],
)
_REPLACE_GRANT: Final = Replace(CREDIT_GRANTS, ("description", "expires_at", "voided_at", "due_at"), "credit")
_GRANTS: Final = select(*(CREDIT_GRANTS.c[name] for name in CreditGrant.__struct_fields__)).where(
    of_tenant(CREDIT_GRANTS)
)
_GRANT: Final = _GRANTS.where(CREDIT_GRANTS.c.credit_id == bindparam("credit_id"))
# SQLite has no row locks and needs none: there, a transaction that may write is alone from its beginning.
_GRANT_FOR_UPDATE: Final = _GRANT.with_for_update()
_PAYS: Final = (
    CREDIT_GRANTS.c.voided_at.is_(None)
    & (CREDIT_GRANTS.c.effective_at <= bindparam("at"))
    & or_(CREDIT_GRANTS.c.expires_at.is_(None), CREDIT_GRANTS.c.expires_at > bindparam("at"))
)
# Always locked in the same order, so that two transactions wait for each other in one direction only.
_HELD: Final = _GRANTS.where(
    CREDIT_GRANTS.c.customer_id == bindparam("customer_id"),
    CREDIT_GRANTS.c.currency == bindparam("currency"),
    _PAYS,
).order_by(CREDIT_GRANTS.c.credit_id)
_HELD_FOR_UPDATE: Final = _HELD.with_for_update()
_STANDING: Final = _GRANTS.where(
    CREDIT_GRANTS.c.customer_id == bindparam("customer_id"),
    CREDIT_GRANTS.c.voided_at.is_(None),
    or_(CREDIT_GRANTS.c.expires_at.is_(None), CREDIT_GRANTS.c.due_at.is_not(None)),
).order_by(CREDIT_GRANTS.c.currency, CREDIT_GRANTS.c.credit_id)
_STANDING_FOR_UPDATE: Final = _STANDING.with_for_update()
_STANDING_OF_CUSTOMERS_FOR_UPDATE: Final = (
    _GRANTS.where(
        CREDIT_GRANTS.c.customer_id.in_(bindparam("customer_ids", expanding=True)),
        CREDIT_GRANTS.c.voided_at.is_(None),
        or_(CREDIT_GRANTS.c.expires_at.is_(None), CREDIT_GRANTS.c.due_at.is_not(None)),
    )
    .order_by(CREDIT_GRANTS.c.credit_id)
    .with_for_update()
)
_PAYING_OF_CUSTOMERS: Final = select(
    CREDIT_GRANTS.c.credit_id, CREDIT_GRANTS.c.customer_id, CREDIT_GRANTS.c.currency
).where(of_tenant(CREDIT_GRANTS), CREDIT_GRANTS.c.customer_id.in_(bindparam("customer_ids", expanding=True)), _PAYS)

_INSERT_POSTING: Final = Insert(
    CREDIT_POSTINGS,
    [
        Unique(("organization_id", "cause"), "credit_posting_exists", "This was posted already."),
        Unique(("organization_id", "posting_id"), "credit_posting_exists", "A posting with this id exists already."),
    ],
)
_OF_CREDITS: Final = CREDIT_POSTINGS.c.credit_id.in_(bindparam("credit_ids", expanding=True))
_POSTINGS: Final = (
    select(*(CREDIT_POSTINGS.c[name] for name in CreditPosting.__struct_fields__))
    .where(of_tenant(CREDIT_POSTINGS), _OF_CREDITS)
    .order_by(CREDIT_POSTINGS.c.posted_at, CREDIT_POSTINGS.c.posting_id)
)
_POSTINGS_OF_INVOICE: Final = (
    select(*(CREDIT_POSTINGS.c[name] for name in CreditPosting.__struct_fields__))
    .where(of_tenant(CREDIT_POSTINGS), CREDIT_POSTINGS.c.invoice_id == bindparam("invoice_id"))
    .order_by(CREDIT_POSTINGS.c.posted_at, CREDIT_POSTINGS.c.posting_id)
)
_MOVEMENTS: Final = select(
    CREDIT_POSTINGS.c.credit_id, CREDIT_POSTINGS.c.source, CREDIT_POSTINGS.c.target, CREDIT_POSTINGS.c.amount
).where(of_tenant(CREDIT_POSTINGS), _OF_CREDITS)


_DUE_TABLES: Final = (CREDIT_GRANTS, CREDIT_SCHEDULES, WALLETS)


def _is_due(table: Table) -> ColumnElement[bool]:
    # The second condition lets SQLite take the index that has only what can be due.
    return (table.c.due_at <= bindparam("at")) & table.c.due_at.is_not(None)


_IS_DUE: Final = union_all(
    *(
        select(table.c.due_at).where(of_tenant(table), table.c.customer_id == bindparam("customer_id"), _is_due(table))
        for table in _DUE_TABLES
    )
).limit(1)
_DUE_AMONG: Final = [
    select(table.c.customer_id).where(
        of_tenant(table), table.c.customer_id.in_(bindparam("customer_ids", expanding=True)), _is_due(table)
    )
    for table in _DUE_TABLES
]


def _due(table: Table, *, of_organization: bool, after: bool) -> Select[Any]:
    """Return the question for what is due in one table, in the order of the index that it is read from."""
    keys = table.c.due_at, table.c.organization_id, table.c.customer_id
    query = select(*keys).where(_is_due(table))
    if of_organization:
        query = query.where(of_tenant(table))
    else:
        query = query.join(ORGANIZATIONS, ORGANIZATIONS.c.organization_id == table.c.organization_id)
        query = query.where(ORGANIZATIONS.c.clock_now.is_(None))
    if after:
        last = tuple_(
            bindparam("after_due_at", type_=table.c.due_at.type),
            bindparam("after_organization"),
            bindparam("after_customer"),
        )
        query = query.where(tuple_(*keys) > last)
    return query.order_by(*keys).limit(bindparam("limit"))


_DUE: Final = {
    (of_organization, after): [_due(table, of_organization=of_organization, after=after) for table in _DUE_TABLES]
    for of_organization in (False, True)
    for after in (False, True)
}


def credit_grant_to_row(value: CreditGrant) -> Values:
    """Return a grant's columns."""
    return msgspec.structs.asdict(value)


def credit_grant_from_row(row: Sequence[Any]) -> CreditGrant:
    """Return the grant of a row whose columns are in the order of the fields."""
    return CreditGrant(*row)


def credit_posting_to_row(value: CreditPosting) -> Values:
    """Return a posting's columns."""
    return msgspec.structs.asdict(value)


def credit_posting_from_row(row: Sequence[Any]) -> CreditPosting:
    """Return the posting of a row whose columns are in the order of the fields."""
    return CreditPosting(*row)


class SqlCreditLedger:
    """The grants of credit and their postings."""

    def __init__(self, connection: Connection, notes: Notes) -> None:
        """Work within one transaction."""
        self._connection = connection
        self._notes = notes

    def add_grant(self, grant: CreditGrant) -> None:
        _INSERT_GRANT(self._connection, credit_grant_to_row(grant))
        self._notes.add(grant.organization_id, grant.customer_id)

    def grant(self, organization_id: str, credit_id: str, *, for_update: bool = False) -> CreditGrant | None:
        query = _GRANT_FOR_UPDATE if for_update and can_lock(self._connection) else _GRANT
        keys = {"organization_id": organization_id, "credit_id": credit_id}
        row = self._connection.execute(query, keys).first()
        return None if row is None else credit_grant_from_row(row)

    def page(self, organization_id: str, page: Page, question: CreditQuestion) -> list[CreditGrant]:
        query = _GRANTS.where(*_conditions(question)).order_by(CREDIT_GRANTS.c.credit_id).limit(page.limit)
        if page.after is not None:
            query = query.where(CREDIT_GRANTS.c.credit_id > page.after)
        rows = self._connection.execute(query, {"organization_id": organization_id})
        return [credit_grant_from_row(row) for row in rows]

    def replace_grant(self, grant: CreditGrant) -> None:
        _REPLACE_GRANT(self._connection, credit_grant_to_row(grant))
        self._notes.add(grant.organization_id, grant.customer_id)

    def is_due(self, organization_id: str, customer_id: str, at: datetime) -> bool:
        keys = {"organization_id": organization_id, "customer_id": customer_id, "at": at}
        return self._connection.execute(_IS_DUE, keys).first() is not None

    def due(
        self, at: datetime, limit: int, after: DueCredit | None = None, organization_id: str | None = None
    ) -> list[DueCredit]:
        keys: dict[str, Any] = {"at": at, "limit": limit}
        if organization_id is not None:
            keys["organization_id"] = organization_id
        if after is not None:
            keys["after_due_at"] = after.due_at
            keys["after_organization"], keys["after_customer"] = after.organization_id, after.customer_id
        queries = _DUE[organization_id is not None, after is not None]
        found = {DueCredit(*row) for query in queries for row in self._connection.execute(query, keys)}
        return sorted(found)[:limit]

    def due_among(self, organization_id: str, customer_ids: Sequence[str], at: datetime) -> list[str]:
        found: set[str] = set()
        for some in portions(customer_ids):
            keys = {"organization_id": organization_id, "customer_ids": some, "at": at}
            for query in _DUE_AMONG:
                found.update(self._connection.execute(query, keys).scalars())
        return sorted(found)

    def standing(self, organization_id: str, customer_id: str, *, for_update: bool = False) -> list[HeldCredit]:
        keys = {"organization_id": organization_id, "customer_id": customer_id}
        return self._held(organization_id, _STANDING_FOR_UPDATE if for_update else _STANDING, _STANDING, keys)

    def standing_of(self, organization_id: str, customer_ids: Sequence[str]) -> dict[str, list[HeldCredit]]:
        """Return the grants of several customers as `standing` with `for_update` does; no key without any."""
        grants = [
            credit_grant_from_row(row)
            for some in portions(customer_ids)
            for row in self._connection.execute(
                _STANDING_OF_CUSTOMERS_FOR_UPDATE, {"organization_id": organization_id, "customer_ids": some}
            )
        ]
        remaining = self._remaining(organization_id, [grant.credit_id for grant in grants])
        found: dict[str, list[HeldCredit]] = {}
        for grant in grants:
            left = remaining.get(grant.credit_id, ZERO)
            found.setdefault(grant.customer_id, []).append(HeldCredit(grant, left))
        return found

    def held(self, organization_id: str, customer_id: str, currency: str, at: datetime) -> list[HeldCredit]:
        keys = {"organization_id": organization_id, "customer_id": customer_id, "currency": currency, "at": at}
        return self._held(organization_id, _HELD_FOR_UPDATE, _HELD, keys)

    def _held(
        self, organization_id: str, query: Select[Any], query_in_snapshot: Select[Any], keys: dict[str, Any]
    ) -> list[HeldCredit]:
        asked = query if can_lock(self._connection) else query_in_snapshot
        grants = [credit_grant_from_row(row) for row in self._connection.execute(asked, keys)]
        # Asked for only now: whoever held the locks before may have drawn on these grants.
        remaining = self._remaining(organization_id, [grant.credit_id for grant in grants])
        return [HeldCredit(grant, remaining.get(grant.credit_id, ZERO)) for grant in grants]

    def add(self, posting: CreditPosting) -> None:
        _INSERT_POSTING(self._connection, credit_posting_to_row(posting))
        self._notes.add(posting.organization_id, posting.customer_id)

    def postings(self, organization_id: str, credit_ids: Sequence[str]) -> dict[str, list[CreditPosting]]:
        found: dict[str, list[CreditPosting]] = {}
        for some in portions(credit_ids):
            keys = {"organization_id": organization_id, "credit_ids": some}
            for row in self._connection.execute(_POSTINGS, keys):
                posting = credit_posting_from_row(row)
                found.setdefault(posting.credit_id, []).append(posting)
        return found

    def of_invoice(self, organization_id: str, invoice_id: str) -> list[CreditPosting]:
        keys = {"organization_id": organization_id, "invoice_id": invoice_id}
        return [credit_posting_from_row(row) for row in self._connection.execute(_POSTINGS_OF_INVOICE, keys)]

    def balances(
        self, organization_id: str, customer_ids: Sequence[str], at: datetime
    ) -> dict[tuple[str, str], Decimal]:
        owners: dict[str, tuple[str, str]] = {}
        for some in portions(customer_ids):
            keys = {"organization_id": organization_id, "customer_ids": some, "at": at}
            for credit_id, customer_id, currency in self._connection.execute(_PAYING_OF_CUSTOMERS, keys):
                owners[credit_id] = (customer_id, currency)
        found: dict[tuple[str, str], Decimal] = {}
        for credit_id, remaining in self._remaining(organization_id, list(owners)).items():
            found[owners[credit_id]] = add(found.get(owners[credit_id], ZERO), remaining)
        return {key: balance for key, balance in found.items() if balance}

    def _remaining(self, organization_id: str, credit_ids: Sequence[str]) -> dict[str, Decimal]:
        """Return what grants have left, added up here: SQLite's SUM is a binary float."""
        found: dict[str, Decimal] = {}
        for some in portions(credit_ids):
            keys = {"organization_id": organization_id, "credit_ids": some}
            for credit_id, source, target, amount in self._connection.execute(_MOVEMENTS, keys):
                remaining = found.get(credit_id, ZERO)
                if source is CreditAccount.AVAILABLE:
                    remaining = subtract(remaining, amount)
                if target is CreditAccount.AVAILABLE:
                    remaining = add(remaining, amount)
                found[credit_id] = remaining
        return found


def _conditions(question: CreditQuestion) -> list[ColumnElement[bool]]:
    columns = CREDIT_GRANTS.c
    found: list[ColumnElement[bool]] = []
    if question.customer_id is not None:
        found.append(columns.customer_id == question.customer_id)
    if question.currency is not None:
        found.append(columns.currency == question.currency)
    bounds = (
        (columns.effective_at, question.effective),
        (columns.expires_at, question.expires),
        (columns.granted_at, question.granted),
    )
    for column, (start, end) in bounds:
        if start is not None:
            found.append(column >= start)
        if end is not None:
            found.append(column < end)
    return found
