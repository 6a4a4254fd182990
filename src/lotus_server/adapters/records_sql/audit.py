"""The audit log."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, ForeignKeyConstraint, Index, Table, bindparam, insert, select, tuple_

from lotus_server.adapters.records_sql.rows import Values, of_tenant
from lotus_server.adapters.records_sql.tables import METADATA
from lotus_server.adapters.records_sql.types import TEXT, Choice, FreeForm, Instant
from lotus_server.domain.accounts import AuditEntry, Author, AuthorKind
from lotus_server.ports.audit_records import AuditQuestion
from lotus_server.ports.paging import Page

_IN_TIME: Final = ("organization_id", "happened_at", "entry_id")
AUDIT_LOG: Final = Table(
    "audit_log",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("entry_id", TEXT, primary_key=True),
    Column("happened_at", Instant, nullable=False),
    Column("author_kind", Choice(AuthorKind), nullable=False),
    Column("author_id", TEXT, nullable=False),
    Column("author_name", TEXT, nullable=False),
    Column("action", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("thing_id", TEXT, nullable=False),
    Column("before", FreeForm),
    Column("after", FreeForm),
    ForeignKeyConstraint(("organization_id",), ("organizations.organization_id",)),
    Index("ix_audit_log_time", *_IN_TIME),
    Index("ix_audit_log_thing", "organization_id", "kind", "thing_id", "happened_at", "entry_id"),
    Index("ix_audit_log_author", "organization_id", "author_id", "happened_at", "entry_id"),
)

_NEWEST_FIRST: Final = (AUDIT_LOG.c.happened_at.desc(), AUDIT_LOG.c.entry_id.desc())
_ALL: Final = select(*AUDIT_LOG.c).where(of_tenant(AUDIT_LOG)).order_by(*_NEWEST_FIRST)
_MANY: Final = (
    select(*AUDIT_LOG.c)
    .where(of_tenant(AUDIT_LOG), AUDIT_LOG.c.entry_id.in_(bindparam("ids", expanding=True)))
    .order_by(AUDIT_LOG.c.entry_id)
)
_PLACE: Final = (
    select(AUDIT_LOG.c.happened_at)
    .where(of_tenant(AUDIT_LOG), AUDIT_LOG.c.entry_id == bindparam("after_id"))
    .scalar_subquery()
)
_IS_OLDER: Final = tuple_(AUDIT_LOG.c.happened_at, AUDIT_LOG.c.entry_id) < tuple_(_PLACE, bindparam("after_id"))


def entry_to_row(value: AuditEntry) -> Values:
    """Return an entry's columns."""
    return {
        "organization_id": value.organization_id,
        "entry_id": value.entry_id,
        "happened_at": value.happened_at,
        "author_kind": value.author.kind,
        "author_id": value.author.author_id,
        "author_name": value.author.name,
        "action": value.action,
        "kind": value.kind,
        "thing_id": value.thing_id,
        "before": value.before,
        "after": value.after,
    }


def entry_from_row(row: Sequence[Any]) -> AuditEntry:
    """Return the entry of a row."""
    organization_id, entry_id, happened_at, author_kind, author_id, author_name, *rest = row
    action, kind, thing_id, before, after = rest
    author = Author(author_kind, author_id, author_name)
    return AuditEntry(organization_id, entry_id, happened_at, author, action, kind, thing_id, before, after)


class SqlAuditLog:
    """Who changed what."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, entries: Sequence[AuditEntry]) -> None:
        if entries:
            self._connection.execute(insert(AUDIT_LOG), [entry_to_row(entry) for entry in entries])

    def many(self, organization_id: str, entry_ids: Sequence[str]) -> list[AuditEntry]:
        keys = {"organization_id": organization_id, "ids": list(entry_ids)}
        return [entry_from_row(row) for row in self._connection.execute(_MANY, keys)]

    def page(self, organization_id: str, page: Page, question: AuditQuestion) -> list[AuditEntry]:
        keys = {"organization_id": organization_id}
        query = _ALL.limit(page.limit)
        for column in ("author_id", "kind", "thing_id"):
            wanted = getattr(question, column)
            if wanted is not None:
                query = query.where(AUDIT_LOG.c[column] == wanted)
        if question.since is not None:
            query = query.where(AUDIT_LOG.c.happened_at >= question.since)
        if question.until is not None:
            query = query.where(AUDIT_LOG.c.happened_at < question.until)
        if page.after is not None:
            query = query.where(_IS_OLDER)
            keys["after_id"] = page.after
        return [entry_from_row(row) for row in self._connection.execute(query, keys)]
