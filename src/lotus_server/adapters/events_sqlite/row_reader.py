"""Which events a question is about, and how they are found: by the runs, the log's tail, and what was corrected."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

import msgspec

from lotus_server.adapters.events_sqlite.hashes import name_keys
from lotus_server.adapters.events_sqlite.rows import VOIDED, Row, effective_rows
from lotus_server.adapters.events_sqlite.run_index import Ranges, RunReader, indexed_until

FAR_US: Final = 1 << 62
# The log's tail is read once for each customer, or once for more of them than this.
_CUSTOMERS_ASKED_MAX: Final = 4


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
        self.runs = RunReader()

    def rows(self, connection: sqlite3.Connection, stream: Stream, after_seq: int = 0) -> Iterator[Row]:
        """Yield the events that count in a stream and were accepted after a sequence number, as they count now."""
        # Two customers may share a key of the index, and the index knows nothing of corrections, so the rows decide.
        sequences = self.sequences(connection, [stream], after_seq)
        return (row for row in effective_rows(connection, sequences) if row.status != VOIDED and stream.has(row))

    def rows_of_many(
        self, connection: sqlite3.Connection, streams: Sequence[Stream], after_seq: int = 0
    ) -> Iterator[Row]:
        """Yield the events that count in any of some streams of one organization, as `rows` does for each of them.

        No two of the streams have the same customer and name, and each has a name. What they share is read once.
        """
        wanted = {(stream.customer, stream.name): stream for stream in streams}
        for row in effective_rows(connection, self.sequences(connection, streams, after_seq)):
            stream = wanted.get((row.customer, row.name))
            if stream is not None and row.status != VOIDED and stream.has(row):
                yield row

    def sequences(self, connection: sqlite3.Connection, streams: Sequence[Stream], after_seq: int = 0) -> set[int]:
        """Return the sequence numbers that the events of an organization's streams have, and perhaps some others."""
        ranges = Ranges.of(
            (*name_keys(each.org, each.customer, each.name), each.start_us, each.end_us, after_seq) for each in streams
        )
        found = set(self.runs.find(connection, ranges))
        org, customers = streams[0].org, {each.customer for each in streams}
        tail_start = max(after_seq, indexed_until(connection))
        if len(customers) > _CUSTOMERS_ASKED_MAX:
            tail = connection.execute("SELECT seq, customer FROM events WHERE seq > ? AND org = ?", (tail_start, org))
            moved = connection.execute(
                "SELECT seq, customer FROM corrected WHERE org = ? AND seq > ?", (org, after_seq)
            )
            found.update(seq for seq, customer in chain(tail, moved) if customer in customers)
            return found
        for customer in customers:
            tail = connection.execute(
                "SELECT seq FROM events WHERE seq > ? AND org = ? AND customer = ?", (tail_start, org, customer)
            )
            moved = connection.execute(
                "SELECT seq FROM corrected WHERE org = ? AND customer = ? AND seq > ?", (org, customer, after_seq)
            )
            found.update(row[0] for row in chain(tail, moved))
        return found


def find_organization(connection: sqlite3.Connection, organization_id: str) -> int | None:
    """Return the number of an organization, None when nothing of it was ever stored."""
    row = connection.execute("SELECT org FROM organizations WHERE organization_id = ?", (organization_id,)).fetchone()
    return int(row[0]) if row else None
