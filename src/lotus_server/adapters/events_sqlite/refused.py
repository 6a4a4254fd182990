"""The log of refused events: every event that was rejected or in conflict, for people who look for what went wrong."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from lotus_server.adapters.events_sqlite.organizations import Organizations
from lotus_server.adapters.events_sqlite.receipts import Taken
from lotus_server.adapters.events_sqlite.rows import insert_rows
from lotus_server.domain.metering import Verdict
from lotus_server.kernel.instants import from_microseconds, to_microseconds, to_text
from lotus_server.ports.event_store import (
    REFUSED_BYTES_MAX,
    REFUSED_KEPT,
    EventResult,
    IncomingEvent,
    RefusedEvent,
    RefusedQuery,
)

# Deleted together, so that a flood does not cost a deletion per commit.
_DELETED_TOGETHER: Final = 10_000

# organization, received_us, id, status, reason, content
Refusal = tuple[str, int, str | None, str, str, str]


def refusals_of(one: Taken, verdicts: Mapping[int, EventResult], start: int) -> Iterator[Refusal]:
    """Yield what a submission's refused events leave behind; its well-formed events begin at `start` of their group."""
    organization, now_us = one.submission.organization_id, to_microseconds(one.submission.now)
    for item in one.batch.rejected:
        yield organization, now_us, item.idempotency_id, Verdict.REJECTED.value, item.reason, item.content
    if verdicts:
        for index, event in enumerate(one.batch.events, start):
            verdict = verdicts.get(index)
            if verdict is not None and verdict.status is Verdict.CONFLICT:
                reason = verdict.reason or ""
                yield organization, now_us, event.idempotency_id, verdict.status.value, reason, _content(event)


def _content(event: IncomingEvent) -> str:
    """Return an event as JSON; its properties are as they were sent."""
    fields: dict[str, object] = {
        "idempotency_id": event.idempotency_id,
        "customer_id": event.customer_id,
        "event_name": event.event_name,
    }
    if event.has_own_time:
        fields["time_created"] = to_text(from_microseconds(event.happened_us))
    fields["properties"] = msgspec.Raw(event.properties_json)
    return msgspec.json.encode(fields)[:REFUSED_BYTES_MAX].decode(errors="ignore")


class RefusedLog:
    """Writes the log, and keeps it from growing for ever."""

    def __init__(self, connection: sqlite3.Connection, organizations: Organizations) -> None:
        """Write to a file; the organizations count their refused events."""
        self._connection = connection
        self._organizations = organizations
        self._grown: set[int] = set()

    def write(self, refusals: list[Refusal]) -> None:
        """Write what was refused. The caller has a transaction."""
        rows = []
        for organization, *rest in refusals:
            org = self._organizations.number(organization)
            rows.append((org, self._organizations.next_refused(org), *rest))
            self._grown.add(org)
        insert_rows(self._connection, "refused", rows)

    def tidy_up(self) -> None:
        """Delete the oldest of organizations that have many more than are kept."""
        grown, self._grown = self._grown, set()
        for org in grown:
            last_deleted = self._organizations.refused_count(org) - REFUSED_KEPT
            oldest = self._connection.execute("SELECT min(number) FROM refused WHERE org = ?", (org,)).fetchone()[0]
            if oldest is not None and last_deleted - oldest >= _DELETED_TOGETHER:
                self._connection.execute("DELETE FROM refused WHERE org = ? AND number <= ?", (org, last_deleted))


def refused_events(connection: sqlite3.Connection, org: int, query: RefusedQuery) -> list[RefusedEvent]:
    """Return an organization's refused events, newest first."""
    conditions, values = ["org = ?"], list[int | str]([org])
    for condition, value in (
        ("number < ?", query.before),
        ("status = ?", query.status),
        ("id = ?", query.idempotency_id),
        ("instr(lower(reason), lower(?)) > 0", query.reason),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    statement = (
        "SELECT number, received_us, id, status, reason, content FROM refused"  # noqa: S608 - constants
        f" WHERE {' AND '.join(conditions)} ORDER BY number DESC LIMIT ?"
    )
    rows = connection.execute(statement, (*values, query.limit)).fetchall()
    return [
        RefusedEvent(number, from_microseconds(received_us), id_, Verdict(status), reason, content)
        for number, received_us, id_, status, reason, content in rows
    ]
