"""The client for ordinary code: calls block, events are sent by a thread in the background."""

from __future__ import annotations

import atexit
import encodings.idna  # noqa: F401 - loaded by the first connection otherwise: see the import lock in Lotus.__init__
import os
import threading
import time
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from lotus._core import Core, OnError, Runtime, Stats, failure, reply_from_httpx
from lotus._events import Outcome, Settle, Verdict
from lotus._retry import Pause, Reply, Send
from lotus.errors import LotusError, LotusTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from lotus._calls import (
        AccessFields,
        AmendFields,
        Call,
        CancelFields,
        CustomerFields,
        JsonObject,
        MetricUsageFields,
        SubscriptionFields,
        SubscriptionFilters,
        UsageFields,
        VerifyFields,
        VoidFields,
    )
    from lotus._events import Event, EventFields
    from lotus._options import ClientOptions

_T = TypeVar("_T")


class EventHandle(Future[Verdict]):
    """The outcome of one event, as soon as there is one; it may be ignored.

    `result(timeout)` returns the `Verdict`, or raises the reason why the event was not counted. It cannot be cancelled.
    """

    def __init__(self, idempotency_id: str) -> None:
        super().__init__()
        self.idempotency_id = idempotency_id
        self._process_id = os.getpid()
        self.set_running_or_notify_cancel()  # from here on cancel() answers False instead of losing the outcome

    def resolve(self, outcome: Outcome) -> None:
        """Tell the outcome; for the client."""
        if isinstance(outcome, LotusError):
            self.set_exception(outcome)
        else:
            self.set_result(outcome)

    def result(self, timeout: float | None = None) -> Verdict:
        """Return the verdict, waiting for it at most `timeout` seconds (None: as long as it takes).

        Raises:
            EventRejectedError: the event was rejected, or its id was used for another content.
            QueueFullError: the event was not taken.
            LotusError: the event could not be delivered; the type says why.
            TimeoutError: there is no verdict yet (on Python 3.10 `concurrent.futures.TimeoutError`).
        """
        self._check_process()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return the error that `result` would raise, or None."""
        self._check_process()
        return super().exception(timeout)

    def _check_process(self) -> None:
        if self._process_id != os.getpid() and not self.done():
            raise LotusError(f"event {self.idempotency_id} is sent by the process that tracked it, not by its fork")


class Lotus:
    """A client of one Lotus organization; safe to share between threads.

    Every call takes its fields as keyword arguments, or as one mapping; names in snake_case or camelCase.

    Args:
        api_key: the organization's key; by default `LOTUS_API_KEY` of the environment.
        transport: what carries the requests, by default the network; `httpx.MockTransport` in tests.
        on_error: called with an error and the events it kept from being counted, in the thread that noticed; by default
            they are logged to the logger `lotus`.
        options: see `ClientOptions` and the README.

    Raises:
        ValidationError: a setting is missing or unusable; all such settings are listed.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        on_error: OnError | None = None,
        _runtime: Runtime | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        self._core = Core(api_key, options, on_error=on_error, runtime=_runtime)
        self._transport = transport
        self._http: httpx.Client | None = None
        self._is_closed = False  # no more events are taken
        self._is_disconnected = False  # no more requests are sent
        self._inherited: list[httpx.Client | None] = []
        self._start_over()
        # httpx imports parts of itself when a client is made. Were that left to the sending thread, a fork at that
        # moment would copy a locked import, and the child's first request would wait for it for ever.
        self._connected()
        _clients.add(self)

    # The calls.

    def track_event(self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[EventFields]) -> EventHandle:
        """Queue one event to be sent in the background; see `EventFields`.

        Raises:
            ValidationError: the event cannot be sent as it is; all problems are listed.
            LotusError: the client is closed.
        """
        idempotency_id, body = self._core.prepare(fields, named)
        handle = EventHandle(idempotency_id)
        with self._changed:
            self._check_open()
            refused = self._core.enqueue(idempotency_id, body, handle)
            self._start_worker()
            is_first = self._core.buffer.waiting_count == 1
            if is_first or self._seconds_until_due() == 0.0:
                self._changed.notify_all()
        if refused:
            self._core.announce(refused)
        return handle

    def get_customers(self) -> list[JsonObject]:
        """Return all customers."""
        return self._ask(self._core.calls.get_customers())

    def create_customer(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[CustomerFields]
    ) -> JsonObject:
        """Create a customer and return it; see `CustomerFields`."""
        return self._ask(self._core.calls.create_customer(fields, named))

    def get_current_usage(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[UsageFields]
    ) -> list[JsonObject]:
        """Return what each active subscription of a customer has come to so far; see `UsageFields`."""
        return self._ask(self._core.calls.get_current_usage(fields, named))

    def get_plans(self) -> list[JsonObject]:
        """Return all plans."""
        return self._ask(self._core.calls.get_plans())

    def get_subscriptions(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[SubscriptionFilters]
    ) -> list[JsonObject]:
        """Return all subscriptions, or those that match; see `SubscriptionFilters`."""
        return self._ask(self._core.calls.get_subscriptions(fields, named))

    def create_subscription(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[SubscriptionFields]
    ) -> JsonObject:
        """Subscribe a customer to a plan and return the subscription; see `SubscriptionFields`."""
        return self._ask(self._core.calls.create_subscription(fields, named))

    def cancel_subscription(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[CancelFields]
    ) -> JsonObject:
        """Cancel a subscription; see `CancelFields`."""
        return self._ask(self._core.calls.cancel_subscription(fields, named))

    def get_customer_access(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[AccessFields]
    ) -> JsonObject:
        """Return whether a customer may use a feature or send one more event; see `AccessFields`."""
        return self._ask(self._core.calls.get_customer_access(fields, named))

    def get_usage(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[MetricUsageFields]
    ) -> list[JsonObject]:
        """Return what a customer used of a metric, by windows and groups; see `MetricUsageFields`."""
        return self._ask(self._core.calls.get_usage(fields, named))

    def void_events(self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[VoidFields]) -> JsonObject:
        """Take events back, with a reason; once more changes nothing. See `VoidFields`."""
        return self._ask(self._core.calls.void_events(fields, named))

    def amend_event(self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[AmendFields]) -> JsonObject:
        """Give an event another content, as if it had come so; see `AmendFields`."""
        return self._ask(self._core.calls.amend_event(fields, named))

    def verify_events_received(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[VerifyFields]
    ) -> JsonObject:
        """Return which of some ids no event has; see `VerifyFields`."""
        return self._ask(self._core.calls.verify_events_received(fields, named))

    # The background.

    @property
    def stats(self) -> Stats:
        """What became of the events so far."""
        with self._changed:
            return self._core.stats()

    def flush(self, timeout_seconds: float | None = None) -> None:
        """Send what waits now; when this returns, every event tracked before has its outcome.

        Raises:
            LotusTimeoutError: that took longer than `timeout_seconds`; the events are still on their way.
        """
        self._check_not_worker()
        with self._changed:
            mark = self._core.buffer.request_flush()
            self._start_worker()
            self._changed.notify_all()
        if self._worker is None:
            self._send_here()
        with self._changed:
            if not self._changed.wait_for(lambda: self._core.buffer.is_told_up_to(mark), timeout_seconds):
                raise LotusTimeoutError(f"events were still pending after {timeout_seconds} s")

    def close(self, timeout_seconds: float | None = None) -> None:
        """Send what waits, then end the background thread and the connections; a second close does nothing.

        Events that have no outcome after `timeout_seconds` (None: as long as it takes) fail with LotusTimeoutError and
        are handed to `on_error`.
        """
        self._check_not_worker()
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
        try:
            self.flush(timeout_seconds)
        except LotusTimeoutError as error:
            with self._changed:
                abandoned = self._core.abandon(error)
            self._settle(abandoned)
        finally:
            with self._changed:
                self._is_disconnected = True
                self._changed.notify_all()
                http = self._http
                self._http = None
            if http is not None:
                http.close()

    shutdown = close

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Lotus(host={self._core.options.host!r})"

    # What follows is the sending; everything is decided in the core.

    def _start_over(self) -> None:
        """Begin with an empty queue, and without thread or connections; also what a forked child does."""
        self._changed = threading.Condition()  # guards the core's queue and counters, and all fields set here
        self._worker: threading.Thread | None = None
        self._http = None
        self._core.forget()

    def _start_over_in_child(self) -> None:
        # The parent goes on using its queue and its connections: closing the inherited client, or letting go of it,
        # would speak on the parent's sockets.
        self._inherited.append(self._http)
        self._start_over()

    def _check_open(self) -> None:
        if self._is_closed:
            raise LotusError("the client is closed")

    def _check_not_worker(self) -> None:
        if threading.current_thread() is self._worker:
            raise LotusError("on_error and handle callbacks cannot wait for the thread that they run in")

    def _seconds_until_due(self) -> float | None:
        return self._core.buffer.seconds_until_due(now_seconds=self._core.runtime.monotonic_seconds())

    def _start_worker(self) -> None:
        """Have a thread that sends, unless nothing waits or the interpreter starts no more threads."""
        is_running = self._worker is not None and self._worker.is_alive()
        if is_running or not self._core.buffer.waiting_count:
            return
        _register_exit()
        worker = threading.Thread(target=self._work, name="lotus", daemon=True)
        try:
            worker.start()
        except RuntimeError:  # the interpreter is ending: flush and close send in the caller's thread
            self._worker = None
        else:
            self._worker = worker

    def _work(self) -> None:
        while batch := self._next_batch():
            self._send(batch)

    def _next_batch(self) -> list[Event]:
        """Wait until a batch is due and take it; empty when the client is closed and all is taken."""
        with self._changed:
            while (seconds := self._seconds_until_due()) != 0.0:
                if seconds is None and self._is_closed:
                    return []
                self._changed.wait(seconds)
            return self._core.buffer.take()

    def _send_here(self) -> None:
        while True:
            with self._changed:
                batch = self._core.buffer.take()
            if not batch:
                return
            self._send(batch)

    def _send(self, batch: list[Event]) -> None:
        try:
            self._drive(self._core.deliver(batch), pause=self._pause_unless_abandoned(batch))
        except Exception as error:  # noqa: BLE001 - whatever a transport raises, each event gets an outcome
            self._settle(self._core.failed(batch, error))

    def _settle(self, settle: Settle) -> None:
        with self._changed:
            news = self._core.count(settle)
        self._core.announce(news)
        with self._changed:
            self._core.note_told(news)
            self._changed.notify_all()

    def _pause_unless_abandoned(self, batch: list[Event]) -> Callable[[float], None]:
        def pause(seconds: float) -> None:
            with self._changed:
                self._changed.wait_for(lambda: all(event.is_settled for event in batch), seconds)

        return self._core.runtime.sleep or pause

    def _ask(self, call: Call[_T]) -> _T:
        return self._drive(self._core.ask(call), pause=self._core.runtime.sleep or time.sleep)

    def _drive(self, steps: Generator[Any, Reply | None, _T], *, pause: Callable[[float], None]) -> _T:
        """Do what the core asks for, until it has its result."""
        reply: Reply | None = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as stop:
                result: _T = stop.value
                return result
            reply = None
            if isinstance(step, Send):
                reply = self._attempt(step)
            elif isinstance(step, Pause):
                pause(step.seconds)
            elif isinstance(step, Settle):
                self._settle(step)

    def _attempt(self, step: Send) -> Reply:
        request = step.request
        try:
            response = self._connected().request(
                request.method,
                self._core.options.host + request.path,
                params=request.query or None,
                headers=dict(request.headers),
                content=request.body,
            )
        except httpx.TimeoutException as error:
            return failure(error, is_timeout=True)
        except httpx.HTTPError as error:
            return failure(error, is_timeout=False)
        except RuntimeError as error:
            if self._is_disconnected:  # closed by another thread in the middle of this call
                raise LotusError("the client is closed") from error
            raise
        return reply_from_httpx(response)

    def _connected(self) -> httpx.Client:
        """Return the one HTTP client, which keeps its connections; a forked child makes its own."""
        with self._changed:
            if self._is_disconnected:
                raise LotusError("the client is closed")
            if self._http is None:
                options = self._core.options
                self._http = httpx.Client(
                    headers=self._core.headers, timeout=options.timeout_seconds, transport=self._transport
                )
            return self._http


_clients: weakref.WeakSet[Lotus] = weakref.WeakSet()
_process_with_exit_hook = 0


def _register_exit() -> None:
    """Have the waiting events sent when this process ends.

    That is arranged at import, so that exit handlers of the program, which come later and run earlier, can still track.
    A child made by multiprocessing forgets the handlers it inherits, so a child arranges it again.
    """
    global _process_with_exit_hook  # noqa: PLW0603 - the hook belongs to the process, not to a client
    if _process_with_exit_hook != os.getpid():
        _process_with_exit_hook = os.getpid()
        atexit.register(_close_all)


def _close_all() -> None:
    for client in list(_clients):
        client.close(client._core.options.exit_timeout_seconds)  # noqa: SLF001 - this module's own class


def _start_over_in_child() -> None:
    for client in list(_clients):
        client._start_over_in_child()  # noqa: SLF001 - this module's own class


_register_exit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_over_in_child)
