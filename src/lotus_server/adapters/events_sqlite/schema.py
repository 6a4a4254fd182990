"""The file `events.db`: its tables, and how a connection to it is opened."""

import sqlite3
from pathlib import Path
from typing import Final

DATABASE_NAME: Final = "events.db"
LOCK_NAME: Final = "events.db.lock"
GUARD_NAME: Final = "events.guard"
FORMAT: Final = 4

# Measured with 1,000 events a commit on this log: 4,096 bytes 420 k/s, 8,192 bytes 500 k/s, 16,384 bytes 520 k/s; with
# 10 events a commit 25, 28 and 22 k/s, because a commit writes whole pages.
PAGE_BYTES: Final = 8_192
# The writer moves the write-ahead log into the file itself, after answering. This is for when it does not get to it.
_CHECKPOINT_PAGES_MAX: Final = 16_384
_WAL_BYTES_KEPT: Final = 64 << 20
_BUSY_MILLISECONDS: Final = 10_000

DAY_US: Final = 86_400_000_000

# What the second format has beside the first. `corrections` is append only and has the content after each correction;
# `corrected` is the newest of them for each event, and `corrected_streams` the newest for each customer and event name
# that it took an event from or brought one to. `effective` is the log with what counts now in place of what was sent.
# `refused` has what was turned away, numbered within its organization.
_SECOND_FORMAT: Final = """
CREATE TABLE corrections (
    correction INTEGER PRIMARY KEY, seq INTEGER NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL,
    made_us INTEGER NOT NULL, customer TEXT NOT NULL, happened_us INTEGER NOT NULL, properties TEXT NOT NULL
);
CREATE INDEX corrections_of_event ON corrections (seq);
CREATE TABLE corrected (
    seq INTEGER PRIMARY KEY, org INTEGER NOT NULL, status TEXT NOT NULL, customer TEXT NOT NULL,
    happened_us INTEGER NOT NULL, properties TEXT NOT NULL
);
CREATE INDEX corrected_of_customer ON corrected (org, customer);
CREATE TABLE corrected_streams (
    org INTEGER NOT NULL, customer TEXT NOT NULL, name TEXT NOT NULL, correction INTEGER NOT NULL,
    PRIMARY KEY (org, customer, name)
) WITHOUT ROWID;
ALTER TABLE organizations ADD COLUMN refused_count INTEGER NOT NULL DEFAULT 0;
CREATE TABLE refused (
    org INTEGER NOT NULL, number INTEGER NOT NULL, received_us INTEGER NOT NULL, id TEXT, status TEXT NOT NULL,
    reason TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (org, number)
) WITHOUT ROWID;
CREATE VIEW effective AS SELECT
    events.seq, events.org, coalesce(corrected.happened_us, events.happened_us) AS happened_us, events.received_us,
    events.flags, coalesce(corrected.customer, events.customer) AS customer, events.name, events.id,
    coalesce(corrected.properties, events.properties) AS properties, coalesce(corrected.status, 'recorded') AS status
    FROM events LEFT JOIN corrected ON corrected.seq = events.seq;
"""

# The third format counts the events of each day that they happened on, as they were sent; `day` is days since 1970.
_THIRD_FORMAT: Final = """
CREATE TABLE event_days (
    org INTEGER NOT NULL, day INTEGER NOT NULL, event_count INTEGER NOT NULL, PRIMARY KEY (org, day)
) WITHOUT ROWID;
"""

_FIRST_FORMAT: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- The log. Append only. No index but its own order, because an index on random ids or customers dirties a page per
-- event. `flags` bit 0: the sender gave the time.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, org INTEGER NOT NULL, happened_us INTEGER NOT NULL, received_us INTEGER NOT NULL,
    flags INTEGER NOT NULL, customer TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, properties TEXT NOT NULL
);
CREATE TABLE organizations (
    org INTEGER PRIMARY KEY, organization_id TEXT NOT NULL UNIQUE, event_count INTEGER NOT NULL
);

-- Derived from the log: which events a customer has, in sorted runs.
CREATE TABLE event_runs (
    run INTEGER PRIMARY KEY, level INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, first_keys BLOB NOT NULL
);
CREATE TABLE event_index (page INTEGER PRIMARY KEY, entries BLOB NOT NULL);

-- Derived from the log: running answers, kept up to date in the transaction that adds the events.
CREATE TABLE aggregates (
    aggregate INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, org INTEGER NOT NULL, customer TEXT NOT NULL,
    event_name TEXT NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, selection TEXT NOT NULL
);
CREATE INDEX aggregates_of_customer ON aggregates (org, customer, event_name);
CREATE TABLE aggregate_states (
    aggregate INTEGER NOT NULL, group_key TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (aggregate, group_key)
) WITHOUT ROWID;
CREATE TABLE unique_values (
    aggregate INTEGER NOT NULL, group_key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (aggregate, group_key, value)
) WITHOUT ROWID;
"""

# The remainder is brought above zero, because SQLite rounds towards zero also before 1970.
RECOUNTED_DAYS: Final = """
SELECT org, (happened_us - ((happened_us % 86400000000) + 86400000000) % 86400000000) / 86400000000 AS day, count(*)
FROM events GROUP BY org, day
"""


class WrongFormat(Exception):
    """The file was written by another version of this store."""


def open_for_writing(path: Path, secret: bytes) -> sqlite3.Connection:
    """Return the writer's connection to a file that has all tables; `secret` becomes a new file's own."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: the log is synced at every commit, before anything is acknowledged.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES_MAX}")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_KEPT}")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchone() is None:
        for statement in (_FIRST_FORMAT + _SECOND_FORMAT + _THIRD_FORMAT).split(";"):
            connection.execute(statement)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", [("format", FORMAT), ("secret", secret)])
    else:
        if _format_of(connection) == 1:
            _migrate_from_1(connection)
        if _format_of(connection) == 2:
            _migrate_from_2(connection)
        if _format_of(connection) == 3:
            _migrate_from_3(connection)
    connection.execute("COMMIT")
    _check_format(connection)
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write, for use by one thread at a time."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=64,
    )
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -16384")
    _check_format(connection)
    return connection


def _migrate_from_1(connection: sqlite3.Connection) -> None:
    """Add what the second format has more.

    Aggregates were kept under other names of their questions, so they are made anew.
    """
    for statement in _SECOND_FORMAT.split(";"):
        connection.execute(statement)
    _forget_aggregates(connection)
    connection.execute("UPDATE meta SET value = 2 WHERE key = 'format'")


def _migrate_from_2(connection: sqlite3.Connection) -> None:
    """Add what the third format has more: the log is read once."""
    for statement in _THIRD_FORMAT.split(";"):
        connection.execute(statement)
    connection.execute("INSERT INTO event_days " + RECOUNTED_DAYS)
    connection.execute("UPDATE meta SET value = 3 WHERE key = 'format'")


def _migrate_from_3(connection: sqlite3.Connection) -> None:
    """Make aggregates anew: a filter by a number did not let a text through that spells it in another way (`1.0`)."""
    _forget_aggregates(connection)
    connection.execute("UPDATE meta SET value = 4 WHERE key = 'format'")


def _forget_aggregates(connection: sqlite3.Connection) -> None:
    for table in ("aggregates", "aggregate_states", "unique_values"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own


def _format_of(connection: sqlite3.Connection) -> int | None:
    found = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    return found[0] if found else None


def _check_format(connection: sqlite3.Connection) -> None:
    found = _format_of(connection)
    if found != FORMAT:
        connection.close()
        raise WrongFormat(
            f"events.db has format {found}; this version reads format {FORMAT}, and brings older files to it when the "
            "server starts"
        )


def secret_of(connection: sqlite3.Connection) -> int:
    """Return the file's own 64-bit number, which keeps anyone from choosing ids that collide in the guard."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'secret'").fetchone()
    return int.from_bytes(row[0], "little")


def last_correction(connection: sqlite3.Connection) -> int:
    """Return the number of the newest correction, 0 when there is none."""
    row = connection.execute("SELECT max(correction) FROM corrections").fetchone()
    return int(row[0] or 0)


def last_sequence(connection: sqlite3.Connection) -> int:
    """Return the sequence number of the newest event, 0 when there is none."""
    row = connection.execute("SELECT max(seq) FROM events").fetchone()
    return int(row[0] or 0)
