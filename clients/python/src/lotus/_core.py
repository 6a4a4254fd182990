"""What both clients are, apart from sending: no sockets, threads or tasks here."""

from __future__ import annotations

import logging
import os
import random as random_module
import time
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from lotus import _events
from lotus._buffer import Buffer
from lotus._calls import Call, Calls
from lotus._events import Event, Handle, Outcome, Settle, Verdict
from lotus._options import Options, read_options
from lotus._retry import Pause, Reply, RetryPolicy, Send, exchange
from lotus._version import __version__
from lotus._wire import Request, Response
from lotus.errors import EventRejectedError, LotusConnectionError, LotusError, LotusTimeoutError, QueueFullError

if TYPE_CHECKING:
    import httpx

CALL_RETRY_AFTER_SECONDS_MAX = 60.0
"""A caller is waiting: a longer wait is the caller's decision, who finds it in RateLimitError.retry_after_seconds."""
EVENT_RETRY_AFTER_SECONDS_MAX = 3600.0
"""Nobody is waiting for a batch of events."""
REQUEST_TOO_LARGE = 413

Step = Send | Pause | Settle
OnError = Callable[[LotusError, Sequence[dict[str, Any]]], None]
"""Called with an error and the events that it kept from being counted, as they were or would have been sent."""

_T = TypeVar("_T")

logger = logging.getLogger("lotus")


@dataclass(frozen=True)
class Stats:
    """What became of the events so far; a snapshot.

    Every event that passed the checks of `track_event` is in exactly one of these numbers.

    Attributes:
        pending: waiting or in flight.
        accepted: counted by the server.
        duplicates: counted by the server before.
        conflicts: not counted: the id was used for another content.
        rejected: not counted: the server said why.
        failed: given up after the retries, or refused with the whole request; whether they count is unknown or no.
        dropped: not taken, because the queue was full.
    """

    pending: int = 0
    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    failed: int = 0
    dropped: int = 0


@dataclass(frozen=True)
class Runtime:
    """The parts of the outside world that decisions depend on; a test puts its own in place."""

    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    monotonic_seconds: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random_module.random
    new_id: Callable[[], str] = lambda: str(uuid.uuid4())
    sleep: Callable[[float], None] | None = None
    """Replaces every pause before a retry; None: really wait."""


class Core:
    """Settings, queue and counters of one client. Not safe for threads: the client that has threads brings the lock."""

    def __init__(
        self, api_key: str | None, options: Mapping[str, Any], *, on_error: OnError | None, runtime: Runtime | None
    ) -> None:
        self.options: Options = read_options(api_key, options, os.environ)
        self.runtime = runtime or Runtime()
        self.calls = Calls(
            gzip_threshold_bytes=self.options.gzip_threshold_bytes,
            new_id=self.runtime.new_id,
        )
        self._on_error = on_error or log_error
        self.forget()

    def forget(self) -> None:
        """Start over with an empty queue and all counters at zero."""
        self.buffer = Buffer(
            flush_at=self.options.flush_at,
            flush_interval_seconds=self.options.flush_interval_seconds,
            batch_events_max=self.options.max_batch_size,
            events_max=self.options.max_queue_size,
        )
        self._counts = dict.fromkeys(("accepted", "duplicates", "conflicts", "rejected", "failed", "dropped"), 0)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        return {
            "x-api-key": self.options.api_key,
            "accept": "application/json",
            "user-agent": f"lotus-python/{__version__}",
        }

    def stats(self) -> Stats:
        """Return the counters as they stand."""
        return Stats(pending=self.buffer.pending_count, **self._counts)

    def prepare(self, fields: Mapping[str, Any] | None, named: Mapping[str, Any]) -> tuple[str, bytes]:
        """Return id and JSON of a new event."""
        return _events.prepare(fields, named, now=self.runtime.now, new_id=self.runtime.new_id)

    def enqueue(self, idempotency_id: str, body: bytes, handle: Handle) -> Settle | None:
        """Queue the event; when there is no room, count it as dropped and return what to announce."""
        event = Event(idempotency_id, body, self.runtime.monotonic_seconds(), handle, is_settled=False)
        if self.buffer.add(event):
            return None
        self._counts["dropped"] += 1
        limit = self.options.max_queue_size
        error = QueueFullError(f"event {idempotency_id} was not taken: {limit} events are pending (max_queue_size)")
        return Settle([(event, error)])

    def ask(self, call: Call[_T]) -> Generator[Send | Pause, Reply | None, _T]:
        """Return the answer of a call, read; raises its typed error."""
        response = yield from self._exchange(call.request, CALL_RETRY_AFTER_SECONDS_MAX)
        return call.read(response)

    def deliver(self, batch: Sequence[Event]) -> Generator[Step, Reply | None, None]:
        """Send the batch until each event has an outcome; outcomes are yielded as they become known.

        A batch that the server finds too large is sent again in two halves, the older one first.
        """
        parts = [list(batch)]
        while parts:
            part = parts.pop()
            request = _events.track_request(part, gzip_threshold_bytes=self.options.gzip_threshold_bytes)
            try:
                response = yield from self._exchange(request, EVENT_RETRY_AFTER_SECONDS_MAX)
            except LotusConnectionError as error:
                yield Settle(_events.failed_alike(part, error))
                continue
            if response.status == REQUEST_TOO_LARGE and len(part) > 1:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
                continue
            yield Settle(_events.read_outcomes(part, response))

    def count(self, settle: Settle) -> Settle:
        """Count the outcomes that are news, and return those: they are to be announced, and then noted as told."""
        news = [(event, outcome) for event, outcome in settle.outcomes if self.buffer.settle(event)]
        for _, outcome in news:
            self._counts[_counter(outcome)] += 1
        return Settle(news)

    def announce(self, settle: Settle) -> None:
        """Tell the handles, then report what went wrong to `on_error`: once per request that failed as a whole."""
        failed: dict[str, tuple[LotusError, list[dict[str, Any]]]] = {}
        for event, outcome in settle.outcomes:
            if isinstance(outcome, LotusError):
                one_by_one = isinstance(outcome, (EventRejectedError, QueueFullError))
                key = event.idempotency_id if one_by_one else f"{type(outcome).__name__} {outcome}"
                failed.setdefault(key, (outcome, []))[1].append(event.fields())
            event.handle.resolve(outcome)
        for error, events in failed.values():
            self._report(error, events)

    def note_told(self, settle: Settle) -> None:
        """Note that the outcomes have been announced: a flush waits for no less."""
        self.buffer.note_told(len(settle.outcomes))

    def abandon(self, error: LotusError) -> Settle:
        """Give up every event without an outcome, and return the outcomes."""
        return Settle(_events.failed_alike(self.buffer.abandon(), error))

    def failed(self, batch: Sequence[Event], error: BaseException) -> Settle:
        """Return the outcome of a batch whose sending ended in an error that no transport should raise."""
        unexpected = error if isinstance(error, LotusError) else LotusError(f"sending failed: {error!r}")
        unexpected.__cause__ = error.__cause__ if unexpected is error else error
        return Settle(_events.failed_alike(batch, unexpected))

    def _report(self, error: LotusError, events: Sequence[dict[str, Any]]) -> None:
        try:
            self._on_error(error, events)
        except Exception:
            logger.exception("on_error raised")

    def _exchange(
        self, request: Request, retry_after_seconds_max: float
    ) -> Generator[Send | Pause, Reply | None, Response]:
        policy = RetryPolicy(self.options.max_retries, retry_after_seconds_max)
        return exchange(request, policy=policy, now=self.runtime.now, random=self.runtime.random)


def log_error(error: LotusError, events: Sequence[dict[str, Any]]) -> None:
    """Log that events were not counted; what happens when a client has no `on_error`."""
    logger.error("%d event(s) not counted: %s", len(events), error)


def reply_from_httpx(response: httpx.Response) -> Response:
    """Return the response as a plain value."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Response(response.status_code, headers, response.content)


def failure(error: Exception, *, is_timeout: bool) -> LotusConnectionError:
    """Return the typed error for an attempt without an answer."""
    kind = LotusTimeoutError if is_timeout else LotusConnectionError
    typed = kind(str(error) or type(error).__name__)
    typed.__cause__ = error
    return typed


def _counter(outcome: Outcome) -> str:
    if isinstance(outcome, Verdict):
        return "accepted" if outcome.status == "accepted" else "duplicates"
    if isinstance(outcome, EventRejectedError):
        return "conflicts" if outcome.status == "conflict" else "rejected"
    return "failed"
