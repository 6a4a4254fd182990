"""An event store without a process and without a file, built on the oracle: for tests of what is made from usage."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from lotus_server.adapters.events_sqlite.custom_sql import load_events, problem_of, usage_by_query
from lotus_server.adapters.events_sqlite.rows import Row
from lotus_server.domain.metering import (
    Correction,
    Event,
    EventStatus,
    LogPosition,
    MetricDefinition,
    MetricType,
    Selection,
    Usage,
    Verdict,
    compile_filters,
    has_states,
    parts_of,
    usage_of,
)
from lotus_server.kernel.errors import Unavailable
from lotus_server.kernel.instants import from_microseconds, to_microseconds
from lotus_server.kernel.period import Period
from lotus_server.ports.event_store import (
    CorrectionOrder,
    CorrectionResult,
    CorrectionStatus,
    DecodedBatch,
    Drift,
    EventQuery,
    EventResult,
    IncomingEvent,
    Receipt,
    RefusedEvent,
    RefusedQuery,
    Since,
    Submission,
)
from lotus_server.wire.track import make_decoder
from tests.contracts.metering_model import EVERYBODY, as_one, by_customer, corrected, correction_of, values_over


class EventsInMemory:
    """Keeps events in a list per organization and looks at all of them for every question."""

    def __init__(self) -> None:
        """Start empty and able to answer."""
        self._events: dict[str, dict[str, Event]] = {}
        self._sent: dict[tuple[str, str], Event] = {}
        self._refused: dict[str, list[RefusedEvent]] = {}
        self._histories: dict[tuple[str, str], list[Correction]] = {}
        self._corrected: dict[str, list[tuple[str, str]]] = {}
        self._lock = threading.Lock()
        self._decode = make_decoder(lambda: f"made_{sum(map(len, self._events.values()))}")
        self.is_answering = True

    def put(
        self, organization_id: str, event_name: str, customer_id: str, at: datetime, properties: dict[str, Any]
    ) -> None:
        """Keep an event with an id of its own."""
        with self._lock:
            kept = self._events.setdefault(organization_id, {})
            number = len(kept) + 1
            kept[f"put_{number}"] = Event(number, f"put_{number}", customer_id, event_name, at, at, properties)

    async def append(self, submission: Submission) -> Receipt:
        """Store a submission."""
        batch = self._decode(submission)
        with self._lock:
            kept = self._events.setdefault(submission.organization_id, {})
            results = [self._judge(kept, event, submission) for event in batch.events]
            self._refuse(submission, batch, results)
        failures = [result for result in results if result.status is Verdict.CONFLICT]
        failures += [EventResult(each.idempotency_id, Verdict.REJECTED, each.reason) for each in batch.rejected]
        counts = [result.status for result in results]
        told = dict(zip(batch.positions, results, strict=True)) | {
            each.position: EventResult(each.idempotency_id, Verdict.REJECTED, each.reason) for each in batch.rejected
        }
        return Receipt(
            counts.count(Verdict.ACCEPTED),
            counts.count(Verdict.DUPLICATE),
            tuple(failures),
            tuple(told[position] for position in sorted(told)) if submission.wants_results else None,
        )

    def _judge(self, kept: dict[str, Event], incoming: IncomingEvent, submission: Submission) -> EventResult:
        event = Event(
            len(kept) + 1,
            incoming.idempotency_id,
            incoming.customer_id,
            incoming.event_name,
            from_microseconds(incoming.happened_us),
            submission.now,
            incoming.properties,
        )
        first = self._sent.setdefault((submission.organization_id, event.idempotency_id), event)
        if first is event:
            kept[event.idempotency_id] = event
            return EventResult(event.idempotency_id, Verdict.ACCEPTED)
        is_same = (first.customer_id, first.event_name, first.properties) == (
            event.customer_id,
            event.event_name,
            event.properties,
        )
        if is_same:
            return EventResult(event.idempotency_id, Verdict.DUPLICATE)
        return EventResult(event.idempotency_id, Verdict.CONFLICT, "Another event has this idempotency_id.")

    def _refuse(self, submission: Submission, batch: DecodedBatch, results: Sequence[EventResult]) -> None:
        log = self._refused.setdefault(submission.organization_id, [])
        for each in batch.rejected:
            rejected = (each.idempotency_id, Verdict.REJECTED, each.reason, each.content)
            log.append(RefusedEvent(len(log) + 1, submission.now, *rejected))
        for event, result in zip(batch.events, results, strict=True):
            if result.status is Verdict.CONFLICT:
                conflict = (event.idempotency_id, result.status, result.reason or "", event.properties_json.decode())
                log.append(RefusedEvent(len(log) + 1, submission.now, *conflict))

    def refused(self, organization_id: str, query: RefusedQuery) -> list[RefusedEvent]:
        """Return what was refused, newest first."""
        matching = [
            one
            for one in reversed(self._refused.get(organization_id, []))
            if query.status in {None, one.status}
            and query.idempotency_id in {None, one.idempotency_id}
            and (query.reason is None or query.reason.lower() in one.reason.lower())
            and (query.before is None or one.number < query.before)
        ]
        return matching[: query.limit]

    def usage(
        self, organization_id: str, selections: Sequence[Selection], *, keeps_aggregates: bool = True
    ) -> list[Usage]:
        """Return the usage of each selection, or raise Unavailable while it is told not to answer."""
        if not self.is_answering:
            raise Unavailable("The events cannot be reached.")
        events = self._counting(organization_id)
        return [
            _usage_by_query(selection, events)
            if selection.definition.type is MetricType.CUSTOM
            else usage_of(selection, events)
            for selection in selections
        ]

    def usage_by_customer(
        self, organization_id: str, definition: MetricDefinition, periods: Sequence[Period]
    ) -> list[dict[str, Usage]] | None:
        """Return the usage of each period by customer."""
        if not all(map(has_states, parts_of(definition))):
            return None
        events = self._counting(organization_id)
        return [by_customer(definition, period, events) for period in periods]

    def usage_together(
        self, organization_id: str, definition: MetricDefinition, periods: Sequence[Period]
    ) -> list[Usage]:
        """Return the usage of each period as if all events were one customer's."""
        events = as_one(self._counting(organization_id))
        return [usage_of(Selection(definition, EVERYBODY, period), events) for period in periods]

    def values(self, organization_id: str, selection: Selection) -> list[tuple[str, tuple[Decimal, ...]]]:
        """Return the numbers of a period's events, per group."""
        return values_over(selection, self._counting(organization_id))

    def custom_sql_problem(self, sql: str) -> str | None:
        """Return why a query cannot be a custom metric."""
        return problem_of(sql)

    def _counting(self, organization_id: str) -> list[Event]:
        with self._lock:
            events = list(self._events.get(organization_id, {}).values())
        return [event for event in events if event.status is not EventStatus.VOIDED]

    def usage_at_hand(self, organization_id: str, selections: Sequence[Selection]) -> list[Usage] | None:
        """Return the same."""
        return self.usage(organization_id, selections)

    def events(self, organization_id: str, query: EventQuery) -> list[Event]:
        """Return events in the order of the query."""
        with self._lock:
            events = [event for event in self._events.get(organization_id, {}).values() if _is_listed(event, query)]
        events.sort(key=lambda event: event.sequence, reverse=query.after is None)
        return events[: query.limit]

    def find(self, organization_id: str, idempotency_ids: Collection[str]) -> frozenset[str]:
        """Return which of the ids belong to an event."""
        return frozenset(self._events.get(organization_id, {})) & frozenset(idempotency_ids)

    def correct(
        self, organization_id: str, orders: Sequence[CorrectionOrder], *, now: datetime
    ) -> list[CorrectionResult]:
        """Void or amend events."""
        with self._lock:
            return [
                CorrectionResult(order.idempotency_id, self._correct(organization_id, order, now)) for order in orders
            ]

    def _correct(self, organization_id: str, order: CorrectionOrder, now: datetime) -> CorrectionStatus:
        kept = self._events.get(organization_id, {})
        event = kept.get(order.idempotency_id)
        if event is None:
            return CorrectionStatus.UNKNOWN
        status, kept[order.idempotency_id] = corrected(event, order)
        if status is CorrectionStatus.DONE:
            key = (organization_id, order.idempotency_id)
            self._histories.setdefault(key, []).append(correction_of(event, order, now))
            names = (event.customer_id, kept[order.idempotency_id].customer_id)
            self._corrected.setdefault(organization_id, []).append(names)
        return status

    def history(self, organization_id: str, idempotency_id: str) -> list[Correction]:
        """Return every correction of an event."""
        return list(self._histories.get((organization_id, idempotency_id), []))

    def position(self, organization_id: str) -> LogPosition:
        """Return how far the log of an organization goes."""
        with self._lock:
            events = self._events.get(organization_id, {})
            return LogPosition(len(events), len(self._corrected.get(organization_id, [])))

    def changed(self, organization_id: str, since: Mapping[str, Since]) -> frozenset[str]:
        """Return the customers of whom an event of the past came in, or any event was corrected."""
        with self._lock:
            came = [(each.customer_id, each) for each in self._events.get(organization_id, {}).values()]
            numbered = enumerate(self._corrected.get(organization_id, []), 1)
            changed = {
                name
                for number, names in numbered
                for name in names
                if name in since and number > since[name].position.correction
            }
        return frozenset(changed) | {
            name
            for name, event in came
            if name in since and event.sequence > since[name].position.event and event.happened_at < since[name].before
        }

    def event_days(self, organization_id: str, window: Period) -> dict[datetime, int]:
        """Return how many events happened on each day of a window; corrected ones count as they are now."""
        days = Counter(
            event.happened_at.replace(hour=0, minute=0, second=0, microsecond=0)
            for event in self._events.get(organization_id, {}).values()
        )
        return {day: count for day, count in days.items() if window.contains(day)}

    def event_count(self, organization_id: str | None = None) -> int:
        """Return how many events are stored."""
        return sum(len(kept) for key, kept in self._events.items() if organization_id in {None, key})

    def verify(self, progress: Callable[[int, int], None]) -> Iterator[Drift]:
        """Nothing is kept beside the events, so nothing can drift."""
        return iter(())

    def close(self) -> None:
        """There is nothing to release."""


def _usage_by_query(selection: Selection, events: Sequence[Event]) -> Usage:
    """What the query of a custom metric comes to, by the sandbox of the SQLite store."""
    passes = compile_filters((), selection.matches)
    rows = (
        Row(
            event.sequence,
            0,
            to_microseconds(event.happened_at),
            0,
            0,
            event.customer_id,
            event.event_name,
            event.idempotency_id,
            msgspec.json.Encoder(decimal_format="number").encode(event.properties).decode(),
        )
        for event in events
        if event.customer_id == selection.customer_id
        and selection.period.start <= event.happened_at < selection.period.end
        and not any(part.contains(event.happened_at) for part in selection.without)
        and (passes is None or passes(event.properties))
    )
    with closing(load_events(rows)) as loaded:
        return usage_by_query(selection, loaded)


def _is_listed(event: Event, query: EventQuery) -> bool:
    return (
        query.customer_id in {None, event.customer_id}
        and query.event_name in {None, event.event_name}
        and query.idempotency_id in {None, event.idempotency_id}
        and query.status in {None, event.status}
        and (query.start is None or query.start <= event.happened_at)
        and (query.end is None or event.happened_at < query.end)
        and (query.before is None or event.sequence < query.before)
        and (query.after is None or query.after < event.sequence)
    )
