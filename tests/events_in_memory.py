"""An event store without a process and without a file, built on the oracle: for tests of what is made from usage."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from lotus_server.domain.metering import Event, Selection, Usage, Verdict, usage_of
from lotus_server.kernel.errors import Unavailable
from lotus_server.kernel.instants import from_microseconds
from lotus_server.ports.event_store import Drift, EventQuery, EventResult, IncomingEvent, Receipt, Submission
from lotus_server.wire.track import make_decoder


class EventsInMemory:
    """Keeps events in a list per organization and looks at all of them for every question."""

    def __init__(self) -> None:
        """Start empty and able to answer."""
        self._events: dict[str, dict[str, Event]] = {}
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
            results = [_judge(kept, event, submission.now) for event in batch.events]
        failures = [result for result in results if result.status is Verdict.CONFLICT]
        failures += [EventResult(each.idempotency_id, Verdict.REJECTED, each.reason) for each in batch.rejected]
        counts = [result.status for result in results]
        return Receipt(counts.count(Verdict.ACCEPTED), counts.count(Verdict.DUPLICATE), tuple(failures))

    def usage(
        self, organization_id: str, selections: Sequence[Selection], *, keeps_aggregates: bool = True
    ) -> list[Usage]:
        """Return the usage of each selection, or raise Unavailable while it is told not to answer."""
        if not self.is_answering:
            raise Unavailable("The events cannot be reached.")
        with self._lock:
            events = list(self._events.get(organization_id, {}).values())
        return [usage_of(selection, events) for selection in selections]

    def usage_at_hand(self, organization_id: str, selections: Sequence[Selection]) -> list[Usage] | None:
        """Return the same."""
        return self.usage(organization_id, selections)

    def events(self, organization_id: str, query: EventQuery) -> list[Event]:
        """Return the newest events."""
        return list(self._events.get(organization_id, {}).values())[: -query.limit - 1 : -1]

    def event_count(self, organization_id: str | None = None) -> int:
        """Return how many events are stored."""
        return sum(len(kept) for key, kept in self._events.items() if organization_id in {None, key})

    def verify(self, progress: Callable[[int, int], None]) -> Iterator[Drift]:
        """Nothing is kept beside the events, so nothing can drift."""
        return iter(())

    def close(self) -> None:
        """There is nothing to release."""


def _judge(kept: dict[str, Event], incoming: IncomingEvent, now: datetime) -> EventResult:
    event = Event(
        len(kept) + 1,
        incoming.idempotency_id,
        incoming.customer_id,
        incoming.event_name,
        from_microseconds(incoming.happened_us),
        now,
        incoming.properties,
    )
    first = kept.setdefault(event.idempotency_id, event)
    if first is event:
        return EventResult(event.idempotency_id, Verdict.ACCEPTED)
    is_same = (first.customer_id, first.event_name, first.properties) == (
        event.customer_id,
        event.event_name,
        event.properties,
    )
    return EventResult(event.idempotency_id, Verdict.DUPLICATE if is_same else Verdict.CONFLICT)
