"""The two databases: how to connect, and what a transaction is."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, Protocol

import psycopg
from sqlalchemy import URL, Connection, Engine, FromClause, create_engine, event, text
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from typing_extensions import override

from lotus_server.adapters.records_sql.changes import ChangeFeed, PostgresChangeFeed, SqliteChangeFeed
from lotus_server.kernel.errors import Unavailable

CONNECTIONS_MAX: Final = 64
CONNECTION_SECONDS_MAX: Final = 30
LOCK_SECONDS_MAX: Final = 30
MIGRATION_LOCK_SECONDS_MAX: Final = 4
_MIGRATION_LOCK: Final = (
    0x4C6F_7475_7352  # "LotusR", so that other programs in the same database are unlikely to use it too
)


class Database(Protocol):
    """A database that can be written to, read from and asked for changes."""

    def writing(self) -> AbstractContextManager[Connection]:
        """Open a transaction that may write."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a transaction that sees one state throughout and cannot write."""
        ...

    def migrating(self) -> AbstractContextManager[Connection]:
        """Open a transaction in which nobody else changes the schema."""
        ...

    def feed(self) -> ChangeFeed:
        """Open a way to learn of changes."""
        ...

    def close(self) -> None:
        """Release every connection."""
        ...


class SqliteDatabase:
    """One file. Readers never wait; one transaction writes at a time, from its BEGIN on."""

    def __init__(self, url: URL) -> None:
        """Connect. The file is made if it does not exist."""
        if not url.database or url.database == ":memory:":
            raise ValueError(
                "records need a file: in memory, each connection of SQLite would see a database of its own"
            )
        self._use_write_ahead_log(url.database)
        self._writer = _sqlite_engine(url, begin="BEGIN IMMEDIATE", query_only=False)
        self._reader = _sqlite_engine(url, begin="BEGIN", query_only=True)
        # SQLite lets a waiting writer sleep and try again, up to a tenth of a second at a time. Threads of this
        # process wake each other instead, and only wait like that for other processes.
        self._turn = threading.Lock()
        self._path = url.database

    @staticmethod
    def _use_write_ahead_log(path: str) -> None:
        """The file says of itself that it has a write-ahead log; this cannot be set within a transaction."""
        connection = sqlite3.connect(path, timeout=LOCK_SECONDS_MAX, isolation_level=None)
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        finally:
            connection.close()
        if mode != "wal":
            raise Unavailable("SQLite cannot keep a write-ahead log here; a network drive is a common reason.")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that may write."""
        if not self._turn.acquire(timeout=LOCK_SECONDS_MAX):
            raise Unavailable("Another transaction takes too long.")
        try:
            with self._writer.begin() as connection:
                yield connection
        finally:
            self._turn.release()

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a transaction that sees one state throughout and cannot write."""
        return self._reader.begin()

    def migrating(self) -> AbstractContextManager[Connection]:
        """Open a transaction in which nobody else changes the schema: the same as for any other write."""
        return self.writing()

    def feed(self) -> ChangeFeed:
        """Open a way to learn of changes."""
        return SqliteChangeFeed(self._path)

    def close(self) -> None:
        """Release every connection."""
        self._writer.dispose()
        self._reader.dispose()


class _HintingCompiler(SQLiteCompiler):
    """Writes the hint of a table behind it, such as INDEXED BY, which SQLAlchemy knows for other databases only."""

    @override
    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        """Return what stands behind the table."""
        del table
        return text


def _sqlite_engine(url: URL, *, begin: str, query_only: bool) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": LOCK_SECONDS_MAX, "cached_statements": 256},
        pool_size=CONNECTIONS_MAX,
        max_overflow=0,
        pool_timeout=CONNECTION_SECONDS_MAX,
        pool_use_lifo=True,
    )
    engine.dialect.statement_compiler = _HintingCompiler

    def configure(connection: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        # Python's sqlite3 would begin transactions by itself, only before some statements, and never an immediate one.
        connection.isolation_level = None
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA query_only={'ON' if query_only else 'OFF'}")

    def start(connection: Connection) -> None:
        driver_connection = connection.connection.driver_connection
        assert isinstance(driver_connection, sqlite3.Connection)
        driver_connection.execute(begin)

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", start)
    return engine


class PostgresDatabase:
    """A PostgreSQL server: read committed with row locks to write, one read-only snapshot to read."""

    def __init__(self, url: URL) -> None:
        """Prepare to connect."""
        self._writer = create_engine(
            url,
            isolation_level="READ COMMITTED",
            connect_args={"connect_timeout": CONNECTION_SECONDS_MAX},
            pool_size=CONNECTIONS_MAX // 2,
            max_overflow=CONNECTIONS_MAX // 2,
            pool_timeout=CONNECTION_SECONDS_MAX,
            pool_use_lifo=True,
        )
        # Both share the pool. psycopg sends the level along with BEGIN, so that the change costs no round trip.
        self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        event.listen(self._writer, "connect", _limit_waiting)

    def writing(self) -> AbstractContextManager[Connection]:
        """Open a transaction that may write."""
        return self._writer.begin()

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a transaction that sees one state throughout and cannot write."""
        return self._reader.begin()

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Open a transaction in which nobody else changes the schema; servers that start side by side take turns."""
        with self._writer.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            # A table in use must not make everybody queue behind a migration that is waiting for it.
            connection.execute(text(f"SET LOCAL lock_timeout = '{MIGRATION_LOCK_SECONDS_MAX}s'"))
            yield connection

    def feed(self) -> ChangeFeed:
        """Open a way to learn of changes."""
        dialect = self._writer.dialect
        positional, named = dialect.create_connect_args(self._writer.url)
        return PostgresChangeFeed(lambda: psycopg.connect(*positional, **named))

    def close(self) -> None:
        """Release every connection."""
        self._writer.dispose()


def _limit_waiting(connection: "psycopg.Connection[Any]", _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
    connection.execute(f"SET lock_timeout = '{LOCK_SECONDS_MAX}s'")
    connection.commit()


def database_at(url: URL) -> Database:
    """Return the database of an address. Raises ValueError for one that is neither SQLite nor PostgreSQL."""
    if url.get_backend_name() == "sqlite":
        return SqliteDatabase(url)
    if url.get_backend_name() == "postgresql":
        return PostgresDatabase(url.set(drivername="postgresql+psycopg"))
    raise ValueError(f"records are kept in SQLite or PostgreSQL, not in {url.get_backend_name()}")
