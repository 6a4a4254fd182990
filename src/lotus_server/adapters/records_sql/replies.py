"""The stored replies to requests that carried an idempotency key."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, select

from lotus_server.adapters.records_sql.reply_tables import REPLIES
from lotus_server.adapters.records_sql.rows import Insert, Unique, Values, of_tenant
from lotus_server.ports.records import StoredReply

_INSERT: Final = Insert(
    REPLIES,
    [Unique(("organization_id", "key"), "idempotency_key_exists", "This idempotency key was used already.")],
)
_ONE: Final = select(*(REPLIES.c[name] for name in StoredReply.__struct_fields__)).where(
    of_tenant(REPLIES), REPLIES.c.key == bindparam("key")
)


def reply_to_row(value: StoredReply) -> Values:
    """Return a stored reply's columns."""
    return msgspec.structs.asdict(value)


def reply_from_row(row: Sequence[Any]) -> StoredReply:
    """Return the stored reply of a row whose columns are in the order of the fields."""
    return StoredReply(*row)


class SqlReplies:
    """The stored replies."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, reply: StoredReply) -> None:
        _INSERT(self._connection, reply_to_row(reply))

    def get(self, organization_id: str, key: str) -> StoredReply | None:
        row = self._connection.execute(_ONE, {"organization_id": organization_id, "key": key}).first()
        return None if row is None else reply_from_row(row)
