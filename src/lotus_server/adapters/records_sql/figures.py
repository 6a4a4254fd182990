"""What there is and how it came to be, counted where it lies."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Table,
    bindparam,
    func,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql

from lotus_server.adapters.records_sql.analytics_tables import VERIFICATIONS
from lotus_server.adapters.records_sql.rows import of_tenant
from lotus_server.adapters.records_sql.tables import CUSTOMERS, SUBSCRIPTIONS
from lotus_server.domain.analytics import Held, day_of, within
from lotus_server.kernel.instants import from_microseconds
from lotus_server.kernel.period import Period
from lotus_server.ports.analytics_records import DayCounts, ParkedSubscription, Verification

# Days of every time zone begin with a quarter of an hour of UTC.
_QUARTER_MICROSECONDS: Final = timedelta(minutes=15) // timedelta(microseconds=1)
_IS_NO_ADDON: Final = SUBSCRIPTIONS.c.parent_id.is_(None)


class _Counted:
    """Counts the rows of a table by the instant in one of its columns."""

    def __init__(self, table: Table, column: Column[datetime], *conditions: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        """Prepare the statements."""
        quarter = type_coerce(column, BigInteger) // _QUARTER_MICROSECONDS
        chosen = (of_tenant(table), *conditions)
        self._by_day = (
            select(quarter, func.count())
            .where(*chosen, column >= bindparam("start"), column < bindparam("end"))
            .group_by(quarter)
        )
        self._until = select(func.count()).select_from(table).where(*chosen, column < bindparam("start"))

    def by_day(self, connection: Connection, keys: dict[str, Any], zone: tzinfo) -> dict[datetime, int]:
        """Return how many rows each day of a zone has within a window."""
        found: Counter[datetime] = Counter()
        for quarter, count in connection.execute(self._by_day, keys):
            found[day_of(from_microseconds(quarter * _QUARTER_MICROSECONDS), zone)] += count
        return dict(found)

    def before(self, connection: Connection, keys: dict[str, Any]) -> int:
        """Return how many rows lie before a window."""
        return connection.execute(self._until, keys).scalar_one()


_BEGAN: Final = _Counted(SUBSCRIPTIONS, SUBSCRIPTIONS.c.starts_at, _IS_NO_ADDON)
_ENDED: Final = _Counted(SUBSCRIPTIONS, SUBSCRIPTIONS.c.ends_at, _IS_NO_ADDON, SUBSCRIPTIONS.c.ends_at.is_not(None))
_MADE: Final = _Counted(CUSTOMERS, CUSTOMERS.c.created_at)
_HELD: Final = select(*(SUBSCRIPTIONS.c[name] for name in Held.__struct_fields__)).where(
    of_tenant(SUBSCRIPTIONS), SUBSCRIPTIONS.c.starts_at < bindparam("before")
)
_IS_PARKED: Final = SUBSCRIPTIONS.c.parked_cause.is_not(None)
_COUNT_PARKED: Final = select(func.count()).select_from(SUBSCRIPTIONS).where(of_tenant(SUBSCRIPTIONS), _IS_PARKED)
_PARKED: Final = (
    select(
        SUBSCRIPTIONS.c.subscription_id,
        SUBSCRIPTIONS.c.customer_id,
        SUBSCRIPTIONS.c.parked_cause,
        SUBSCRIPTIONS.c.due_at,
    )
    .where(of_tenant(SUBSCRIPTIONS), _IS_PARKED)
    .order_by(SUBSCRIPTIONS.c.parent_id, SUBSCRIPTIONS.c.subscription_id)
    .limit(bindparam("limit"))
)
_CUSTOMER_IDS: Final = select(CUSTOMERS.c.customer_id).where(of_tenant(CUSTOMERS)).order_by(CUSTOMERS.c.customer_id)
_VERIFICATION: Final = select(VERIFICATIONS).where(of_tenant(VERIFICATIONS))
_WRITE = postgresql.insert(VERIFICATIONS)
_KEEP_VERIFICATION: Final = _WRITE.on_conflict_do_update(
    index_elements=["organization_id"],
    set_={name: _WRITE.excluded[name] for name in ("verified_at", "aggregate_count", "drift_count")},
)


class SqlFigures:
    """Counts and sums over the records of an organization."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def subscriptions(self, organization_id: str, window: Period, zone: tzinfo = UTC) -> DayCounts:
        """Return how many subscriptions were active, began and ended."""
        asked = within(window, zone)
        keys = {"organization_id": organization_id, "start": asked.start, "end": asked.end}
        # One that was cancelled before it began ends where it begins, and is in both.
        active = _BEGAN.before(self._connection, keys) - _ENDED.before(self._connection, keys)
        came, went = (counted.by_day(self._connection, keys, zone) for counted in (_BEGAN, _ENDED))
        return DayCounts(active, came, went)

    def customers(self, organization_id: str, window: Period, zone: tzinfo = UTC) -> DayCounts:
        """Return how many customers there were and were made."""
        asked = within(window, zone)
        keys = {"organization_id": organization_id, "start": asked.start, "end": asked.end}
        return DayCounts(_MADE.before(self._connection, keys), _MADE.by_day(self._connection, keys, zone), {})

    def held(self, organization_id: str, before: datetime) -> Iterator[Held]:
        """Yield every subscription that began before an instant."""
        for row in self._connection.execute(_HELD, {"organization_id": organization_id, "before": before}):
            yield Held(*row)

    def parked(self, organization_id: str, limit: int) -> tuple[int, list[ParkedSubscription]]:
        """Return how many subscriptions could not be billed, and some of them."""
        keys = {"organization_id": organization_id}
        count = self._connection.execute(_COUNT_PARKED, keys).scalar_one()
        rows = self._connection.execute(_PARKED, {**keys, "limit": limit}) if count else ()
        return count, [ParkedSubscription(*row) for row in rows]

    def customer_ids(self, organization_id: str) -> list[str]:
        """Return the id of every customer, in order."""
        return list(self._connection.execute(_CUSTOMER_IDS, {"organization_id": organization_id}).scalars())

    def keep_verification(self, verification: Verification) -> None:
        """Keep what a recount found in place of the one before."""
        row = {name: getattr(verification, name) for name in Verification.__struct_fields__}
        self._connection.execute(_KEEP_VERIFICATION, row)

    def verification(self, organization_id: str) -> Verification | None:
        """Return what the last recount found."""
        row = self._connection.execute(_VERIFICATION, {"organization_id": organization_id}).first()
        return None if row is None else Verification(*row)
