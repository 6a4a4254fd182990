"""Which events are waiting, when a batch is due and what is in it. No clock, no lock, no sending."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lotus._events import Event

BATCH_BYTES_MAX = 4 * 1024 * 1024
"""Well below the server's limit of 10 MB for one request."""


class Buffer:
    """A queue in order of arrival.

    A batch is due when `flush_at` events wait, when the oldest has waited for `flush_interval_seconds`, or when a flush
    was requested. Every method that depends on time takes it, in seconds of a clock that only goes forward.
    """

    def __init__(self, *, flush_at: int, flush_interval_seconds: float, batch_events_max: int, events_max: int) -> None:
        self._flush_at = min(flush_at, batch_events_max)
        self._flush_interval_seconds = flush_interval_seconds
        self._batch_events_max = batch_events_max
        self._events_max = events_max
        self._waiting: deque[Event] = deque()
        self._in_flight: list[Event] = []
        self._taken_count = 0
        self._settled_count = 0
        self._told_count = 0
        self._flush_until_count = 0

    @property
    def pending_count(self) -> int:
        """Events without an outcome: waiting or in flight."""
        return self._added_count - self._settled_count

    @property
    def waiting_count(self) -> int:
        """Events that are not in a batch yet."""
        return len(self._waiting)

    @property
    def _added_count(self) -> int:
        return self._taken_count + len(self._waiting)

    def add(self, event: Event) -> bool:
        """Queue the event; False, and nothing changes, when `events_max` events are pending already."""
        if self.pending_count >= self._events_max:
            return False
        self._waiting.append(event)
        return True

    def request_flush(self) -> int:
        """Make all that waits due at once; return the mark to give to `is_told_up_to`."""
        self._flush_until_count = self._added_count
        return self._added_count

    def is_told_up_to(self, mark: int) -> bool:
        """Whether the outcome of every event that was queued before the mark has been told."""
        return self._told_count >= mark

    def seconds_until_due(self, *, now_seconds: float) -> float | None:
        """Return how long until a batch is due, 0 when it is, None when nothing waits."""
        if not self._waiting:
            return None
        if len(self._waiting) >= self._flush_at or self._taken_count < self._flush_until_count:
            return 0.0
        return max(0.0, self._waiting[0].queued_at_seconds + self._flush_interval_seconds - now_seconds)

    def take(self) -> list[Event]:
        """Return the next batch, oldest first, within the limits of count and size; empty when nothing waits.

        A single event is taken whatever its size.
        """
        batch: list[Event] = []
        size_bytes = 0
        while self._waiting and len(batch) < self._batch_events_max:
            size_bytes += len(self._waiting[0].body) + 1
            if batch and size_bytes > BATCH_BYTES_MAX:
                break
            batch.append(self._waiting.popleft())
        self._taken_count += len(batch)
        self._in_flight += batch
        return batch

    def settle(self, event: Event) -> bool:
        """Note that the event has its outcome; False when it had one before."""
        if event.is_settled:
            return False
        event.is_settled = True
        self._settled_count += 1
        if self._settled_count == self._taken_count:
            self._in_flight.clear()
        return True

    def note_told(self, count: int) -> None:
        """Note that the outcomes of so many settled events have been told."""
        self._told_count += count

    def abandon(self) -> list[Event]:
        """Return every event without an outcome, oldest first; none is waiting afterwards."""
        while self._waiting:
            self.take()
        return [event for event in self._in_flight if not event.is_settled]
