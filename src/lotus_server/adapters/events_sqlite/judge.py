"""Which events of a group are new, which were sent before, and which use another event's id."""

import sqlite3
from collections.abc import Container, Iterable
from decimal import Decimal
from typing import Any, Final

import msgspec
import numpy as np

from lotus_server.adapters.events_sqlite.guard import Guard
from lotus_server.adapters.events_sqlite.hashes import Hashes
from lotus_server.adapters.events_sqlite.rows import HAS_OWN_TIME, Row, rows_by_sequence
from lotus_server.domain.metering import Verdict
from lotus_server.ports.event_store import EventResult, IncomingEvent

DUPLICATE_REASON: Final = "An event with this idempotency_id and the same content was accepted before."
_decode_json: Final = msgspec.json.Decoder(float_hook=Decimal).decode


class Group(msgspec.Struct):
    """The events of several submissions, as columns; `received` is microseconds since 1970."""

    events: list[IncomingEvent]
    orgs: list[int]
    received: list[int]
    hashes: Hashes

    def without(self, indexes: Container[int]) -> "Group":
        """Return the group without some of its events."""
        kept = [index for index in range(len(self.events)) if index not in indexes]
        return Group(
            [self.events[index] for index in kept],
            [self.orgs[index] for index in kept],
            [self.received[index] for index in kept],
            self.hashes[kept],
        )


def judge(connection: sqlite3.Connection, guard: Guard, group: Group) -> dict[int, EventResult]:
    """Return the verdict on each event that is not new, by its index; what is missing in the answer is to be accepted.

    Within the group the first event of an id stands.
    """
    verdicts: dict[int, EventResult] = {}
    found = guard.find(group.hashes)
    known = np.flatnonzero(found)
    if len(known):
        suspects = dict(zip(known.tolist(), found[known].tolist(), strict=True))
        _compare_with_stored(connection, guard, group, suspects, verdicts)
    ordered = np.sort(group.hashes)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(repeated):
        _compare_with_each_other(group, np.flatnonzero(np.isin(group.hashes, repeated)).tolist(), verdicts)
    return verdicts


def _compare_with_stored(
    connection: sqlite3.Connection,
    guard: Guard,
    group: Group,
    suspects: dict[int, int],
    verdicts: dict[int, EventResult],
) -> None:
    """Judge events of which the guard names a stored one that may have the same id."""
    stored = {row.seq: row for row in rows_by_sequence(connection, set(suspects.values()))}
    for index, seq in suspects.items():
        event, org = group.events[index], group.orgs[index]
        row: Row | None = stored[seq]
        if stored[seq].id != event.idempotency_id or stored[seq].org != org:
            # Two ids with one hash: look at every other event that has it.
            others = rows_by_sequence(connection, guard.candidates(int(group.hashes[index])))
            row = next((other for other in others if other.id == event.idempotency_id and other.org == org), None)
        if row is not None:
            own_time = row.happened_us if row.flags & HAS_OWN_TIME else None
            verdicts[index] = _verdict(event, row.customer, row.name, own_time, row.properties_text.encode())


def _compare_with_each_other(group: Group, indexes: Iterable[int], verdicts: dict[int, EventResult]) -> None:
    firsts: dict[tuple[int, str], IncomingEvent] = {}
    for index in indexes:
        if index in verdicts:
            continue
        event = group.events[index]
        first = firsts.setdefault((group.orgs[index], event.idempotency_id), event)
        if first is not event:
            own_time = first.happened_us if first.has_own_time else None
            verdicts[index] = _verdict(event, first.customer_id, first.event_name, own_time, first.properties_json)


def _verdict(event: IncomingEvent, customer: str, name: str, own_time_us: int | None, properties: bytes) -> EventResult:
    """Return duplicate or conflict for an event whose id belongs to an event of the given content."""
    different: list[str] = []
    if event.customer_id != customer:
        different.append("customer_id")
    if event.event_name != name:
        different.append("event_name")
    if event.has_own_time and own_time_us is not None and event.happened_us != own_time_us:
        different.append("time_created")
    if event.properties_json != properties and not is_same_json(event.properties, _decode_json(properties)):
        different.append("content of properties")
    if not different:
        return EventResult(event.idempotency_id, Verdict.DUPLICATE, DUPLICATE_REASON)
    reason = f"Another event was accepted under this idempotency_id before, with another {' and '.join(different)}."
    return EventResult(event.idempotency_id, Verdict.CONFLICT, reason)


def is_same_json(left: Any, right: Any) -> bool:  # noqa: ANN401 - JSON values
    """Tell whether two JSON values are equal; `1` and `1.0` are, `1` and `true` are not."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(is_same_json(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(is_same_json, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)
