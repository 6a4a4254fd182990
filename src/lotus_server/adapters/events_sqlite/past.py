"""Whose past has changed: found in the runs, the log's tail and the corrections, for many customers at once."""

import sqlite3
from collections.abc import Mapping

from lotus_server.adapters.events_sqlite.hashes import name_keys
from lotus_server.adapters.events_sqlite.row_reader import FAR_US
from lotus_server.adapters.events_sqlite.run_index import Ranges, RunReader, indexed_until
from lotus_server.adapters.events_sqlite.schema import last_correction, last_sequence
from lotus_server.domain.metering import LogPosition
from lotus_server.kernel.instants import to_microseconds
from lotus_server.ports.event_store import Since


def position_of(connection: sqlite3.Connection) -> LogPosition:
    """Return how far the log goes."""
    return LogPosition(last_sequence(connection), last_correction(connection))


def changed_customers(
    connection: sqlite3.Connection, runs: RunReader, org: int | None, since: Mapping[str, Since]
) -> frozenset[str]:
    """Return of which customers an event of the past came in or was corrected. The caller has a read transaction."""
    end = position_of(connection)
    changed = {
        customer
        for customer, each in since.items()
        if each.position.event > end.event or each.position.correction > end.correction
    }
    if org is None or not since:
        return frozenset(changed)
    rows = connection.execute(
        "SELECT customer, max(correction) FROM corrected_streams WHERE org = ? AND correction > ? GROUP BY customer",
        (org, min(each.position.correction for each in since.values())),
    )
    changed |= {name for name, correction in rows if name in since and correction > since[name].position.correction}
    before = {customer: to_microseconds(each.before) for customer, each in since.items()}
    rows = connection.execute(
        "SELECT customer, happened_us, seq FROM events WHERE seq > ? AND org = ? AND happened_us < ?",
        (
            max(indexed_until(connection), min(each.position.event for each in since.values())),
            org,
            max(before.values()),
        ),
    )
    changed |= {
        name
        for name, happened_us, seq in rows
        if name in since and happened_us < before[name] and seq > since[name].position.event
    }
    keys = {customer: name_keys(org, customer, None) for customer in since}
    hit = runs.hit(
        connection,
        Ranges.of((*keys[name], -FAR_US, before[name], each.position.event) for name, each in since.items()),
    )
    return frozenset(changed | {name for name, (first, _) in keys.items() if first in hit})
