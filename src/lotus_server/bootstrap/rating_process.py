"""The program of the process that rates beside a large billing run, and how it is started."""

import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from lotus_server.adapters.clock_system import SystemClock
from lotus_server.adapters.events_sqlite import SqliteEventStore
from lotus_server.adapters.ids_uuid7 import Uuid7Ids
from lotus_server.adapters.rating_process import RatingProcesses, serve_rating
from lotus_server.adapters.rating_process.frames import Sources
from lotus_server.adapters.rating_process.process import Rate
from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.bootstrap.documents import LaterDocuments
from lotus_server.bootstrap.passwords import LaterPasswords
from lotus_server.usecases.rating_ahead import rate_next
from lotus_server.usecases.services import Services

RATING_COMMAND = (sys.executable, "-m", "lotus_server.bootstrap.rating_process")


def rating_processes(records_url: str, data: Path) -> RatingProcesses:
    """Return what starts processes that read the records at an address and the events in a directory."""
    return RatingProcesses(RATING_COMMAND, records_url, str(data))


@contextmanager
def _opened(sources: Sources) -> Iterator[Rate]:
    """Open both stores as the server has left them, for reading."""
    records = SqlRecords.open_as_it_is(sources.records_url)
    try:
        events = SqliteEventStore.open_for_reading(Path(sources.events_directory))
        try:
            yield partial(
                rate_next, Services(records, events, SystemClock(), Uuid7Ids(), LaterDocuments(), LaterPasswords())
            )
        finally:
            events.close()
    finally:
        records.close()


def main(arguments: list[str]) -> int:
    """Rate what is asked on a socket, given by its number, until its other end is closed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    with socket.socket(fileno=int(arguments[0])) as asked:
        serve_rating(asked, _opened)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
