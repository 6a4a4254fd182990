"""The obvious event store: a dictionary of accepted events by id, with the oracle for usage.

It says what a store must answer.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from lotus_server.domain.metering import (
    Correction,
    CorrectionKind,
    Event,
    EventStatus,
    MetricDefinition,
    Point,
    Selection,
    Usage,
    Verdict,
    compile_filters,
    parts_of,
    point_of,
    usage_of,
    values_of_points,
)
from lotus_server.kernel.instants import from_microseconds, to_microseconds
from lotus_server.kernel.period import Period
from lotus_server.ports.event_store import CorrectionOrder, CorrectionStatus, Submission

NOW = datetime(2026, 5, 15, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Sent:
    """One event as a client sends it; `at` is None when the client leaves the time to the server."""

    id: str
    customer: str = "acme"
    name: str = "call"
    at: datetime | None = None
    properties: str = "{}"

    def to_json(self) -> str:
        time = "" if self.at is None else f',"time_created":"{self.at.isoformat()}"'
        return (
            f'{{"idempotency_id":"{self.id}","customer_id":"{self.customer}","event_name":"{self.name}"{time},'
            f'"properties":{self.properties}}}'
        )


def submission(organization: str, *events: Sent, now: datetime = NOW, wants_results: bool = True) -> Submission:
    body = '{"batch":[' + ",".join(event.to_json() for event in events) + "]}"
    return Submission(organization, body.encode(), now, wants_results=wants_results)


@dataclass
class Model:
    """`accepted` has each event as it was sent and as it counts now; `histories` what corrections made of it."""

    accepted: dict[str, tuple[Sent, Event]] = field(default_factory=dict)
    histories: dict[str, list[Correction]] = field(default_factory=dict)

    def append(self, event: Sent, now: datetime = NOW) -> Verdict:
        known = self.accepted.get(event.id)
        if known is None:
            properties = decoded(event.properties.encode())
            stored = Event(
                len(self.accepted) + 1, event.id, event.customer, event.name, event.at or now, now, properties
            )
            self.accepted[event.id] = (event, stored)
            return Verdict.ACCEPTED
        first = known[0]
        is_same = (
            (first.customer, first.name) == (event.customer, event.name)
            and _meaning(first.properties) == _meaning(event.properties)
            and (first.at is None or event.at is None or first.at == event.at)
        )
        return Verdict.DUPLICATE if is_same else Verdict.CONFLICT

    def correct(self, order: CorrectionOrder, now: datetime = NOW) -> CorrectionStatus:
        if order.idempotency_id not in self.accepted:
            return CorrectionStatus.UNKNOWN
        sent, event = self.accepted[order.idempotency_id]
        status, changed = corrected(event, order)
        if status is CorrectionStatus.DONE:
            self.accepted[order.idempotency_id] = (sent, changed)
            self.histories.setdefault(order.idempotency_id, []).append(correction_of(event, order, now))
        return status

    def usage(self, selection: Selection) -> Usage:
        return usage_of(selection, self.counting())

    def values(self, selection: Selection) -> list[tuple[str, tuple[Decimal, ...]]]:
        return values_over(selection, self.counting())

    def counting(self) -> list[Event]:
        return [event for _, event in self.accepted.values() if event.status is not EventStatus.VOIDED]


def by_customer(definition: MetricDefinition, period: Period, events: Sequence[Event]) -> dict[str, Usage]:
    """The usage of each customer who has events that count, of any part of the metric, one customer after the other."""
    found = {}
    for customer in sorted({event.customer_id for event in events}):
        usages = [usage_of(Selection(part, customer, period), events) for part in parts_of(definition)]
        if any(usage.counted or usage.skipped for usage in usages):
            found[customer] = usage_of(Selection(definition, customer, period), events)
    return found


EVERYBODY = "everybody"


def as_one(events: Sequence[Event]) -> list[Event]:
    """The events as if all of them were of one customer."""
    return [msgspec.structs.replace(event, customer_id=EVERYBODY) for event in events]


def values_over(selection: Selection, events: Sequence[Event]) -> list[tuple[str, tuple[Decimal, ...]]]:
    """The numbers of a period's events, per group."""
    return [*values_of_points(selection, _points(selection, events))]


def _points(selection: Selection, events: Sequence[Event]) -> list[Point]:
    definition = selection.definition
    passes = compile_filters(definition.filters, selection.matches)
    return [
        point_of(definition, event.properties, to_microseconds(event.happened_at), event.sequence)
        for event in events
        if (event.customer_id, event.event_name) == (selection.customer_id, definition.event_name)
        and (passes is None or passes(event.properties))
    ]


def corrected(event: Event, order: CorrectionOrder) -> tuple[CorrectionStatus, Event]:
    """What becomes of an event by a correction."""
    if order.kind is CorrectionKind.VOID:
        if event.status is EventStatus.VOIDED:
            return CorrectionStatus.UNCHANGED, event
        return CorrectionStatus.DONE, msgspec.structs.replace(event, status=EventStatus.VOIDED)
    if event.status is EventStatus.VOIDED:
        return CorrectionStatus.VOIDED, event
    changed = msgspec.structs.replace(
        event,
        customer_id=event.customer_id if order.customer_id is None else order.customer_id,
        happened_at=event.happened_at if order.happened_us is None else from_microseconds(order.happened_us),
        properties=event.properties if order.properties_json is None else decoded(order.properties_json),
    )
    before, after = _content(event), _content(changed)
    if before == after:
        return CorrectionStatus.UNCHANGED, event
    return CorrectionStatus.DONE, msgspec.structs.replace(changed, status=EventStatus.AMENDED)


def _content(event: Event) -> object:
    return (event.customer_id, event.happened_at, _tagged(event.properties))


def correction_of(event: Event, order: CorrectionOrder, now: datetime) -> Correction:
    """The entry that an event's history gets by a correction."""
    return Correction(order.kind, order.reason, now, event.customer_id, event.happened_at, event.properties)


def _meaning(text: str) -> object:
    """A JSON value in a form in which Python's equality is JSON's: numbers by value, booleans apart from numbers."""
    return _tagged(json.loads(text, parse_float=Decimal, parse_int=Decimal) or {})


def decoded(properties: bytes) -> dict[str, Any]:
    """Properties with exact numbers."""
    return msgspec.json.Decoder(dict[str, Any] | None, float_hook=Decimal).decode(properties) or {}


def _tagged(value: object) -> object:
    if isinstance(value, dict):
        return {key: _tagged(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_tagged(member) for member in value]
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    return (type(value).__name__, value)


def days(count: float) -> datetime:
    """The instant so many days after the first of May."""
    return datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=count)
