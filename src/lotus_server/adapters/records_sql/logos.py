"""The logos of organizations."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql

from lotus_server.adapters.records_sql.appearance_tables import LOGOS
from lotus_server.adapters.records_sql.rows import Values, of_tenant
from lotus_server.domain.accounts import Logo

_ONE: Final = select(*(LOGOS.c[name] for name in Logo.__struct_fields__)).where(of_tenant(LOGOS))
_DELETE: Final = delete(LOGOS).where(of_tenant(LOGOS))
# Two who put a logo at the same time both succeed. SQLite understands the same words.
_INSERT: Final = postgresql.insert(LOGOS)
_PUT: Final = _INSERT.on_conflict_do_update(
    index_elements=["organization_id"],
    set_={name: _INSERT.excluded[name] for name in ("media_type", "content")},
)


def logo_to_row(value: Logo) -> Values:
    """Return a logo's columns."""
    return msgspec.structs.asdict(value)


def logo_from_row(row: Sequence[Any]) -> Logo:
    """Return the logo of a row whose columns are in the order of the fields."""
    return Logo(*row)


class SqlLogos:
    """The logos of organizations."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def put(self, logo: Logo) -> None:
        self._connection.execute(_PUT, logo_to_row(logo))

    def get(self, organization_id: str) -> Logo | None:
        row = self._connection.execute(_ONE, {"organization_id": organization_id}).first()
        return None if row is None else logo_from_row(row)

    def remove(self, organization_id: str) -> None:
        self._connection.execute(_DELETE, {"organization_id": organization_id})
