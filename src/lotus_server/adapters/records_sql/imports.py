"""The imports, their files in parts, and the rows that were refused."""

import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select
from sqlalchemy.dialects import postgresql

from lotus_server.adapters.records_sql.import_tables import IMPORT_PARTS, IMPORT_REFUSALS, IMPORTS
from lotus_server.adapters.records_sql.rows import Insert, Replace, Unique, Values, can_lock, of_tenant
from lotus_server.domain.accounts import Author
from lotus_server.domain.imports import ENDED, UNDER_WAY, Import, ImportState, RefusedRow
from lotus_server.ports.imports import FilePart
from lotus_server.ports.paging import Page

# Of the steps of packing, the quickest: the file goes again when it is read.
_PACKING: Final = 1

_UNIQUE: Final = Unique(("organization_id", "import_id"), "import_exists", "There is an import with this id.")
_INSERT: Final = Insert(IMPORTS, [_UNIQUE])
_REPLACE: Final = Replace(IMPORTS, [column.name for column in IMPORTS.c], "import")
_IS_ONE: Final = and_(of_tenant(IMPORTS), IMPORTS.c.import_id == bindparam("import_id"))
_ONE: Final = select(*IMPORTS.c).where(_IS_ONE)
_ONE_FOR_UPDATE: Final = _ONE.with_for_update()
_NEWEST_FIRST: Final = select(*IMPORTS.c).where(of_tenant(IMPORTS)).order_by(IMPORTS.c.import_id.desc())
_COUNT: Final = select(func.count()).where(of_tenant(IMPORTS), IMPORTS.c.state.not_in(ENDED))
_DUE: Final = (
    select(*IMPORTS.c)
    .where(IMPORTS.c.due_at <= bindparam("at"))
    .order_by(IMPORTS.c.due_at, IMPORTS.c.import_id)
    .limit(1)
)
_IDLE: Final = select(*IMPORTS.c).where(
    IMPORTS.c.state.in_(frozenset(ImportState) - ENDED - UNDER_WAY), IMPORTS.c.created_at < bindparam("since")
)
_IS_ITS_PART: Final = and_(of_tenant(IMPORT_PARTS), IMPORT_PARTS.c.import_id == bindparam("import_id"))
_PART_AT: Final = (
    select(IMPORT_PARTS.c.start, IMPORT_PARTS.c.content)
    .where(_IS_ITS_PART, IMPORT_PARTS.c.start <= bindparam("place"))
    .order_by(IMPORT_PARTS.c.start.desc())
    .limit(1)
)
_IS_ITS_REFUSAL: Final = and_(of_tenant(IMPORT_REFUSALS), IMPORT_REFUSALS.c.import_id == bindparam("import_id"))
# SQLite understands the same words.
_REFUSE: Final = postgresql.insert(IMPORT_REFUSALS).on_conflict_do_nothing()
_REFUSED: Final = (
    select(*(IMPORT_REFUSALS.c[name] for name in RefusedRow.__struct_fields__))
    .where(_IS_ITS_REFUSAL, IMPORT_REFUSALS.c.row > bindparam("after"))
    .order_by(IMPORT_REFUSALS.c.row)
    .limit(bindparam("count"))
)


def import_to_row(value: Import) -> Values:
    """Return an import's columns."""
    row = {name: getattr(value, name) for name in value.__struct_fields__ if name != "author"}
    author = value.author
    return row | {"author_kind": author.kind, "author_id": author.author_id, "author_name": author.name}


def import_from_row(row: Sequence[Any]) -> Import:
    """Return the import of a row whose columns are in the table's order."""
    values = [*row[:5], Author(*row[5:8]), *row[8:]]
    return Import(*values)


class SqlImports:
    """The imports."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, import_: Import) -> None:
        _INSERT(self._connection, import_to_row(import_))

    def get(self, organization_id: str, import_id: str, *, for_update: bool = False) -> Import | None:
        query = _ONE_FOR_UPDATE if for_update and can_lock(self._connection) else _ONE
        row = self._connection.execute(query, _key(organization_id, import_id)).first()
        return None if row is None else import_from_row(row)

    def page(self, organization_id: str, page: Page) -> list[Import]:
        query = _NEWEST_FIRST.limit(page.limit)
        if page.after is not None:
            query = query.where(IMPORTS.c.import_id < page.after)
        return [import_from_row(row) for row in self._connection.execute(query, {"organization_id": organization_id})]

    def count_with_files(self, organization_id: str) -> int:
        return self._connection.execute(_COUNT, {"organization_id": organization_id}).scalar_one()

    def replace(self, import_: Import) -> None:
        _REPLACE(self._connection, import_to_row(import_))

    def keep_progress(self, import_: Import) -> None:
        _REPLACE(self._connection, import_to_row(import_))

    def due(self, at: datetime) -> Import | None:
        row = self._connection.execute(_DUE, {"at": at}).first()
        return None if row is None else import_from_row(row)

    def idle(self, since: datetime) -> list[Import]:
        return [import_from_row(row) for row in self._connection.execute(_IDLE, {"since": since})]

    def keep_parts(self, import_: Import, parts: Sequence[FilePart]) -> None:
        key = _key(import_.organization_id, import_.import_id)
        rows = [key | {"start": part.start, "content": zlib.compress(part.content, _PACKING)} for part in parts]
        if rows:
            self._connection.execute(insert(IMPORT_PARTS), rows)

    def part_at(self, organization_id: str, import_id: str, place: int) -> FilePart | None:
        row = self._connection.execute(_PART_AT, _key(organization_id, import_id) | {"place": place}).first()
        if row is None:
            return None
        part = FilePart(row[0], zlib.decompress(row[1]))
        return part if place < part.start + len(part.content) else None

    def drop_file(self, organization_id: str, import_id: str) -> None:
        self._connection.execute(delete(IMPORT_PARTS).where(_IS_ITS_PART), _key(organization_id, import_id))

    def refuse(self, import_: Import, rows: Sequence[RefusedRow]) -> None:
        key = _key(import_.organization_id, import_.import_id)
        if rows:
            self._connection.execute(_REFUSE, [key | msgspec.structs.asdict(row) for row in rows])

    def refused(self, organization_id: str, import_id: str, *, after: int, limit: int) -> list[RefusedRow]:
        asked = _key(organization_id, import_id) | {"after": after, "count": limit}
        return [RefusedRow(*row) for row in self._connection.execute(_REFUSED, asked)]

    def forget_refused(self, organization_id: str, import_id: str) -> None:
        self._connection.execute(delete(IMPORT_REFUSALS).where(_IS_ITS_REFUSAL), _key(organization_id, import_id))


def _key(organization_id: str, import_id: str) -> Values:
    return {"organization_id": organization_id, "import_id": import_id}
