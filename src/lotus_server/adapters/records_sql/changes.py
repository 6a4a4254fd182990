"""Notes of what changed, by which caches of this and of other processes learn that they are stale.

Every transaction that changes something numbers its notes and commits them with the change. A reader remembers which
numbers it can have seen: all below `next_number`, except those `running` at that moment. In SQLite one transaction
writes at a time, so numbers are committed in their order and nothing is ever running. In PostgreSQL the number is the
transaction's own id, and the reader's memory is the snapshot that its last answer was read in: a transaction with a
lower id that commits later is in `running`, and its notes are found then. A sequence could not tell that: it hands out
numbers when rows are inserted.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol, Self

import msgspec
import psycopg
from sqlalchemy import BigInteger, Connection, Text, bindparam, cast, delete, func, insert, select, update

from lotus_server.adapters.records_sql.tables import CHANGE_HORIZON, CHANGES
from lotus_server.ports.records import Change

# More customers than this in one transaction are noted as a change of their whole organization.
CUSTOMERS_NOTED_MAX: Final = 100
# A reader that is further behind than this is told that anything may have changed.
NOTES_KEPT: Final = 10_000
NOTES_BETWEEN_PRUNINGS: Final = 1_000
_WHOLE_ORGANIZATION: Final = ""


class Notes:
    """What one transaction has changed so far."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._customers: dict[str, set[str]] = {}
        self._organizations: set[str] = set()

    def add(self, organization_id: str, customer_id: str | None = None) -> None:
        """One customer has changed, or (null) anything of the organization."""
        if customer_id is None:
            self._organizations.add(organization_id)
        else:
            self._customers.setdefault(organization_id, set()).add(customer_id)

    def rows(self) -> list[dict[str, str]]:
        """Return the notes to write. A note of the organization makes those of its customers superfluous."""
        many = {key for key, customers in self._customers.items() if len(customers) > CUSTOMERS_NOTED_MAX}
        whole = self._organizations | many
        rows = [{"organization_id": key, "customer_id": _WHOLE_ORGANIZATION} for key in sorted(whole)]
        for key in sorted(self._customers.keys() - whole):
            customers = sorted(self._customers[key])
            rows += [{"organization_id": key, "customer_id": customer_id} for customer_id in customers]
        return rows


_COLUMNS: Final[dict[str, Any]] = {name: bindparam(name) for name in ("organization_id", "customer_id")}
_INSERT_SQLITE: Final = insert(CHANGES).values(
    change_number=select(func.coalesce(func.max(CHANGES.c.change_number), 0) + 1).scalar_subquery(), **_COLUMNS
)
_INSERT_POSTGRES: Final = insert(CHANGES).values(
    change_number=cast(cast(func.pg_current_xact_id(), Text), BigInteger), **_COLUMNS
)


def write_notes(connection: Connection, notes: Notes) -> int:
    """The notes are part of the connection's transaction. Returns how many they are."""
    rows = notes.rows()
    if rows:
        connection.execute(_INSERT_POSTGRES if connection.dialect.name == "postgresql" else _INSERT_SQLITE, rows)
    return len(rows)


_NEWEST_TO_GO: Final = (
    select(CHANGES.c.change_number).order_by(CHANGES.c.change_number.desc()).offset(NOTES_KEPT).limit(1)
)
_RAISE_HORIZON: Final = (
    update(CHANGE_HORIZON)
    .where(CHANGE_HORIZON.c.pruned_below <= bindparam("newest"))
    .values(pruned_below=bindparam("newest") + 1)
)
_PRUNE: Final = delete(CHANGES).where(CHANGES.c.change_number <= bindparam("newest"))


def prune_notes(connection: Connection) -> None:
    """All but the newest notes are gone, and the horizon tells readers that there were others."""
    newest = connection.execute(_NEWEST_TO_GO).scalar()
    if newest is not None:
        connection.execute(_RAISE_HORIZON, {"newest": newest})
        connection.execute(_PRUNE, {"newest": newest})


_NEXT_ID: Final = cast(cast(func.pg_snapshot_xmax(func.pg_current_snapshot()), Text), BigInteger)
_FORGET_IMPOSSIBLE: Final = (
    delete(CHANGES).where(CHANGES.c.change_number >= _NEXT_ID),
    update(CHANGE_HORIZON).where(CHANGE_HORIZON.c.pruned_below > _NEXT_ID).values(pruned_below=0),
)


def forget_notes_of_another_server(connection: Connection) -> None:
    """Notes that a dump brought along from a PostgreSQL server whose transaction ids were higher are gone.

    They would otherwise count as new for as long as it takes this server to get there.
    """
    for statement in _FORGET_IMPOSSIBLE:
        connection.execute(statement)


class ChangeFeed(Protocol):
    """Answers what changed since it was last asked."""

    def changes(self) -> list[Change] | None:
        """Return the changes; null on the first call and whenever anything may have changed."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


class Seen(msgspec.Struct, frozen=True):
    """Which notes a reader can have seen: those below `next_number`, without those of `running` transactions."""

    next_number: int
    running: tuple[int, ...] = ()

    @classmethod
    def from_snapshot(cls, text: str) -> Self:
        """Return what PostgreSQL's text form of a snapshot, `xmin:xmax:xid,xid...`, says."""
        _, next_number, running = text.split(":")
        return cls(int(next_number), tuple(int(number) for number in running.split(",") if number))

    @property
    def lowest_unseen(self) -> int:
        """Return the lowest number that a note not yet seen can have."""
        return min((self.next_number, *self.running))


def _changes(notes: Iterable[Sequence[Any]]) -> list[Change]:
    """Return the changes of rows (organization, customer), each once."""
    return [Change(organization, customer or None) for organization, customer in dict.fromkeys(map(tuple, notes))]


class SqliteChangeFeed:
    """Asks SQLite whether any other connection has committed, which takes it a microsecond, and only then for notes."""

    def __init__(self, path: str) -> None:
        """Open a connection of its own. It never writes, so the data version moves with everybody else's commits."""
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA query_only=ON")
        self._lock = threading.Lock()
        self._version = -1
        self._seen: Seen | None = None

    def changes(self) -> list[Change] | None:
        """Return the changes since the last call."""
        with self._lock:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return []
            found = self._read()
            # Only now, so that an error leaves the version unread.
            self._version = version
            return found

    def _read(self) -> list[Change] | None:
        since = 0 if self._seen is None else self._seen.next_number
        # One statement, thus one state: a note cannot be pruned between the question for the horizon and that for
        # notes.
        rows = self._connection.execute(
            "SELECT pruned_below, (SELECT coalesce(max(change_number), 0) FROM changes), organization_id, customer_id "
            "FROM change_horizon LEFT JOIN changes ON change_number >= ? ORDER BY change_number LIMIT ?",
            (since, NOTES_KEPT + 1 if self._seen else 1),
        ).fetchall()
        (pruned_below, highest, *_), seen = rows[0], self._seen
        self._seen = Seen(highest + 1)
        if seen is None or pruned_below > seen.lowest_unseen or len(rows) > NOTES_KEPT:
            return None
        return _changes(row[2:] for row in rows if row[2] is not None)

    def close(self) -> None:
        """Release the connection."""
        with self._lock:
            self._connection.close()


class PostgresChangeFeed:
    """Asks PostgreSQL for notes that its last snapshot could not see. It costs one round trip.

    A notification would cost nothing to look for, but may arrive after the answer to a request that was sent later.
    """

    # One statement, thus one snapshot: what it returns as seen is exactly what it could see.
    _QUERY = (
        "SELECT pg_current_snapshot()::text, pruned_below, organization_id, customer_id "
        "FROM change_horizon LEFT JOIN changes ON change_number >= %s "
        "AND (change_number >= %s OR change_number = ANY(%s::bigint[])) "
        "ORDER BY change_number LIMIT %s"
    )

    def __init__(self, connect: Callable[[], "psycopg.Connection[Any]"]) -> None:
        """Keep how to connect; the connection is opened by the first call."""
        self._connect = connect
        self._connection: psycopg.Connection[Any] | None = None
        self._lock = threading.Lock()
        self._seen: Seen | None = None

    def changes(self) -> list[Change] | None:
        """Return the changes since the last call."""
        with self._lock:
            try:
                return self._read()
            except psycopg.Error:
                # A server that took over may have given out the lost server's numbers again, so nothing that was seen
                # counts.
                self._seen = None
                self._disconnect()
                raise

    def _read(self) -> list[Change] | None:
        if self._connection is None:
            self._connection = self._connect()
            self._connection.autocommit = True
        seen = self._seen
        since = (seen.lowest_unseen, seen.next_number, list(seen.running)) if seen else (0, 0, [])
        rows = self._connection.execute(self._QUERY, (*since, NOTES_KEPT + 1 if seen else 1)).fetchall()
        self._seen = Seen.from_snapshot(rows[0][0])
        if seen is None or rows[0][1] > seen.lowest_unseen or len(rows) > NOTES_KEPT:
            return None
        return _changes(row[2:] for row in rows if row[2] is not None)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Release the connection."""
        with self._lock:
            self._disconnect()
