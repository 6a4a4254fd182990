"""Lists of events with the content that counts now, newest accepted first or as a feed."""

import sqlite3
from collections.abc import Iterator
from itertools import islice
from typing import Final

from lotus_server.adapters.events_sqlite.row_reader import FAR_US, RowReader, Stream
from lotus_server.adapters.events_sqlite.rows import Row, effective_rows
from lotus_server.adapters.events_sqlite.schema import last_sequence
from lotus_server.domain.metering import Event
from lotus_server.kernel.instants import to_microseconds
from lotus_server.ports.event_store import EventQuery

_EVENTS_PER_READ: Final = 50_000


def listed_events(
    rows: RowReader, connection: sqlite3.Connection, org: int, query: EventQuery, sequence: int | None
) -> list[Event]:
    """Return events in the order of the query. `sequence` is the one of the query's id, if that is asked for."""
    if sequence is not None:
        found = effective_rows(connection, [sequence])
    elif query.customer_id is not None:
        found = _of_customer(rows, connection, org, query.customer_id, query)
    else:
        found = _listed(connection, org, query)
    # Keys of the index may be shared, and a known sequence number says nothing of the other conditions.
    matching = (row.to_event() for row in found if row.org == org and _matches(row, query))
    return list(islice(matching, query.limit))


def _of_customer(
    rows: RowReader, connection: sqlite3.Connection, org: int, customer: str, query: EventQuery
) -> Iterator[Row]:
    stream = Stream(
        org,
        customer,
        query.event_name,
        -FAR_US if query.start is None else to_microseconds(query.start),
        FAR_US if query.end is None else to_microseconds(query.end),
    )
    sequences = rows.sequences(connection, [stream], query.after or 0)
    for seq in sorted(sequences, reverse=query.after is None):
        if query.before is None or seq < query.before:
            yield from effective_rows(connection, [seq])


def _listed(connection: sqlite3.Connection, org: int, query: EventQuery) -> Iterator[Row]:
    """Yield an organization's events, with conditions that SQLite checks twenty times as fast as Python.

    Piece by piece, each read to its end: a cursor left open would keep the read transaction.
    """
    conditions, values = ["seq >= ?", "seq < ?", "org = ?"], list[int | str]()
    for condition, value in (
        ("name = ?", query.event_name),
        ("happened_us >= ?", None if query.start is None else to_microseconds(query.start)),
        ("happened_us < ?", None if query.end is None else to_microseconds(query.end)),
        ("status = ?", None if query.status is None else query.status.value),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    order = "DESC" if query.after is None else "ASC"
    where = " AND ".join(conditions)
    statement = f"SELECT * FROM effective WHERE {where} ORDER BY seq {order} LIMIT ?"  # noqa: S608 - constants
    for first, end in _pieces(query, last_sequence(connection)):
        rows = connection.execute(statement, (first, end, org, *values, query.limit)).fetchall()
        yield from (Row(*row) for row in rows)


def _pieces(query: EventQuery, last: int) -> Iterator[tuple[int, int]]:
    """Yield half-open ranges of sequence numbers that cover what a query may list, in its order."""
    first = 1 + (query.after or 0)
    end = last + 1 if query.before is None else min(query.before, last + 1)
    if query.after is None:
        while end > first:
            start = max(first, end - _EVENTS_PER_READ)
            yield start, end
            end = start
    else:
        for start in range(first, end, _EVENTS_PER_READ):
            yield start, min(end, start + _EVENTS_PER_READ)


def _matches(row: Row, query: EventQuery) -> bool:
    return (
        (query.customer_id is None or row.customer == query.customer_id)
        and (query.event_name is None or row.name == query.event_name)
        and (query.idempotency_id is None or row.id == query.idempotency_id)
        and (query.status is None or row.status == query.status)
        and (query.before is None or row.seq < query.before)
        and (query.after is None or row.seq > query.after)
        and (query.start is None or row.happened_us >= to_microseconds(query.start))
        and (query.end is None or row.happened_us < to_microseconds(query.end))
    )
