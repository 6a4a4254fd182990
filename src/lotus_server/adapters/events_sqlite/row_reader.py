"""Which events a question is about, and how they are found: by the runs, the log's tail, and what was corrected."""

import sqlite3
from collections.abc import Iterator
from typing import Final

import msgspec

from lotus_server.adapters.events_sqlite.hashes import name_keys
from lotus_server.adapters.events_sqlite.rows import VOIDED, Row, effective_rows
from lotus_server.adapters.events_sqlite.run_index import RunReader, indexed_until

FAR_US: Final = 1 << 62


class Stream(msgspec.Struct, frozen=True):
    """Which events: those of one customer, of one name or of all (None), that happened in `[start_us, end_us)`."""

    org: int
    customer: str
    name: str | None
    start_us: int = -FAR_US
    end_us: int = FAR_US

    def has(self, row: Row) -> bool:
        """Tell whether an event is one of them."""
        return (
            row.org == self.org
            and row.customer == self.customer
            and self.name in {None, row.name}
            and self.start_us <= row.happened_us < self.end_us
        )


class RowReader:
    """Finds the rows of a stream. The caller has a read transaction, and may be any thread."""

    def __init__(self) -> None:
        """Start without memory of the runs."""
        self._runs = RunReader()

    def rows(self, connection: sqlite3.Connection, stream: Stream, after_seq: int = 0) -> Iterator[Row]:
        """Yield the events that count in a stream and were accepted after a sequence number, as they count now."""
        # Two customers may share a key of the index, and the index knows nothing of corrections, so the rows decide.
        sequences = self.sequences(connection, stream, after_seq)
        return (row for row in effective_rows(connection, sequences) if row.status != VOIDED and stream.has(row))

    def sequences(self, connection: sqlite3.Connection, stream: Stream, after_seq: int = 0) -> set[int]:
        """Return the sequence numbers that a stream's events have, and perhaps some others."""
        keys = name_keys(stream.org, stream.customer, stream.name)
        found = set(self._runs.find(connection, keys, stream.start_us, stream.end_us, after_seq))
        tail = connection.execute(
            "SELECT seq FROM events WHERE seq > ? AND org = ? AND customer = ?",
            (max(after_seq, indexed_until(connection)), stream.org, stream.customer),
        )
        found.update(row[0] for row in tail)
        moved = connection.execute(
            "SELECT seq FROM corrected WHERE org = ? AND customer = ? AND seq > ?",
            (stream.org, stream.customer, after_seq),
        )
        found.update(row[0] for row in moved)
        return found


def find_organization(connection: sqlite3.Connection, organization_id: str) -> int | None:
    """Return the number of an organization, None when nothing of it was ever stored."""
    row = connection.execute("SELECT org FROM organizations WHERE organization_id = ?", (organization_id,)).fetchone()
    return int(row[0]) if row else None
