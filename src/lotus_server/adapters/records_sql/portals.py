"""The portals of organizations."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql

from lotus_server.adapters.records_sql.appearance_tables import PORTALS
from lotus_server.adapters.records_sql.rows import Values, of_tenant
from lotus_server.domain.accounts import Portal

_COLUMNS: Final = Portal.__struct_fields__
_ONE: Final = select(*(PORTALS.c[name] for name in _COLUMNS)).where(of_tenant(PORTALS))
# Two who put a portal at the same time both succeed. SQLite understands the same words.
_INSERT: Final = postgresql.insert(PORTALS)
_PUT: Final = _INSERT.on_conflict_do_update(
    index_elements=["organization_id"], set_={name: _INSERT.excluded[name] for name in _COLUMNS[1:]}
)
_ADD_IF_MISSING: Final = _INSERT.on_conflict_do_nothing(index_elements=["organization_id"])


def portal_to_row(value: Portal) -> Values:
    """Return a portal's columns."""
    return msgspec.structs.asdict(value)


def portal_from_row(row: Sequence[Any]) -> Portal:
    """Return the portal of a row whose columns are in the order of the fields."""
    return Portal(*row)


class SqlPortals:
    """The portals of organizations."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def put(self, portal: Portal) -> None:
        self._connection.execute(_PUT, portal_to_row(portal))

    def add_if_missing(self, portal: Portal) -> None:
        self._connection.execute(_ADD_IF_MISSING, portal_to_row(portal))

    def get(self, organization_id: str) -> Portal | None:
        row = self._connection.execute(_ONE, {"organization_id": organization_id}).first()
        return None if row is None else portal_from_row(row)
