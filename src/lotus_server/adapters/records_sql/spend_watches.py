"""The subscriptions whose usage is compared with spend thresholds."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, tuple_
from sqlalchemy.dialects import postgresql

from lotus_server.adapters.records_sql.billing_tables import SPEND_WATCHES
from lotus_server.adapters.records_sql.rows import Values, of_tenant
from lotus_server.adapters.records_sql.tables import ORGANIZATIONS
from lotus_server.domain.metering import LogPosition
from lotus_server.ports.invoicing_records import SpendWatch

_C: Final = SPEND_WATCHES.c
# SQLite understands the same words.
_INSERT: Final = postgresql.insert(SPEND_WATCHES)
_PUT: Final = _INSERT.on_conflict_do_update(
    index_elements=["organization_id", "subscription_id"],
    set_={name: _INSERT.excluded[name] for name in ("event_position", "correction_position", "again_at")},
)
_DELETE: Final = delete(SPEND_WATCHES).where(
    of_tenant(SPEND_WATCHES), _C.subscription_id == bindparam("subscription_id")
)
_ALL: Final = select(*_C).order_by(_C.organization_id, _C.subscription_id).limit(bindparam("limit"))
_OF_ORGANIZATION: Final = _ALL.where(of_tenant(SPEND_WATCHES))
_IN_REAL_TIME: Final = _ALL.join(ORGANIZATIONS, ORGANIZATIONS.c.organization_id == _C.organization_id).where(
    ORGANIZATIONS.c.clock_now.is_(None)
)
_AFTER: Final = tuple_(_C.organization_id, _C.subscription_id) > tuple_(
    bindparam("after_organization_id"), bindparam("after_subscription_id")
)


def spend_watch_to_row(value: SpendWatch) -> Values:
    """Return a watch's columns."""
    return {
        "organization_id": value.organization_id,
        "subscription_id": value.subscription_id,
        "customer_id": value.customer_id,
        "event_position": value.position.event,
        "correction_position": value.position.correction,
        "again_at": value.again_at,
    }


def spend_watch_from_row(row: Sequence[Any]) -> SpendWatch:
    """Return the watch of a row whose columns are in the order of the table."""
    organization_id, subscription_id, customer_id, event, correction, again_at = row
    return SpendWatch(organization_id, subscription_id, customer_id, LogPosition(event, correction), again_at)


class SqlSpendWatches:
    """The subscriptions whose usage is compared with thresholds."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def put(self, watch: SpendWatch) -> None:
        self._connection.execute(_PUT, spend_watch_to_row(watch))

    def remove(self, watch: SpendWatch) -> None:
        keys = {"organization_id": watch.organization_id, "subscription_id": watch.subscription_id}
        self._connection.execute(_DELETE, keys)

    def some(
        self, limit: int, after: tuple[str, str] | None = None, organization_id: str | None = None
    ) -> list[SpendWatch]:
        query = _IN_REAL_TIME if organization_id is None else _OF_ORGANIZATION
        keys: Values = (
            {"limit": limit} if organization_id is None else {"limit": limit, "organization_id": organization_id}
        )
        if after is not None:
            query = query.where(_AFTER)
            keys |= {"after_organization_id": after[0], "after_subscription_id": after[1]}
        return [spend_watch_from_row(row) for row in self._connection.execute(query, keys)]
