"""Which event store runs, and how it is started."""

import sys
from pathlib import Path

from lotus_server.adapters.events_sqlite import SqliteEventStore
from lotus_server.adapters.events_sqlite.schema import DATABASE_NAME

EVENTS_FILE = DATABASE_NAME
WRITER_COMMAND = (sys.executable, "-m", "lotus_server.bootstrap.event_writer")


def open_event_store(directory: Path) -> SqliteEventStore:
    """Return the store in a directory, with its writer process running.

    Raises Unavailable when the writer does not start, for example because another one owns the directory.
    """
    return SqliteEventStore.open(directory, WRITER_COMMAND)


def open_event_store_for_reading(directory: Path) -> SqliteEventStore:
    """Return the store in a directory without a writer, beside a server that may be running.

    It answers, but takes no events.
    """
    return SqliteEventStore.open_for_reading(directory)
