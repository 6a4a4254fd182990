"""The client for asyncio: calls are awaited, events are sent by a task in the background."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from lotus._core import Core, OnError, Runtime, Stats, failure, reply_from_httpx
from lotus._events import Outcome, Settle, Verdict
from lotus._retry import Pause, Reply, Send
from lotus.errors import LotusError, LotusTimeoutError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
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


class AsyncEventHandle:
    """The outcome of one event: `await` it for the `Verdict`, or ignore it.

    It may be awaited any number of times; a wait that is cancelled or times out cancels neither event nor handle.
    """

    def __init__(self, idempotency_id: str) -> None:
        self.idempotency_id = idempotency_id
        self._outcome: Outcome | None = None
        self._waiters: list[asyncio.Future[None]] = []

    def resolve(self, outcome: Outcome) -> None:
        """Tell the outcome; for the client."""
        self._outcome = outcome
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def done(self) -> bool:
        """Whether there is an outcome."""
        return self._outcome is not None

    def result(self) -> Verdict:
        """Return the verdict without waiting.

        Raises:
            asyncio.InvalidStateError: there is no outcome yet.
            EventRejectedError: the event was rejected, or its id was used for another content.
            QueueFullError: the event was not taken.
            LotusError: the event could not be delivered; the type says why.
        """
        if self._outcome is None:
            raise asyncio.InvalidStateError(f"event {self.idempotency_id} has no outcome yet")
        if isinstance(self._outcome, LotusError):
            raise self._outcome
        return self._outcome

    def __await__(self) -> Generator[Any, None, Verdict]:
        if self._outcome is None:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            yield from waiter.__await__()
        return self.result()


class AsyncLotus:
    """A client of one Lotus organization, for one asyncio event loop.

    Every call takes its fields as keyword arguments, or as one mapping; names in snake_case or camelCase. Use it as
    `async with AsyncLotus() as lotus:`, or await `close()`, so that no event is left behind when the loop ends.

    Args:
        api_key: the organization's key; by default `LOTUS_API_KEY` of the environment.
        transport: what carries the requests, by default the network; `httpx.MockTransport` in tests.
        on_error: called (not awaited) with an error and the events it kept from being counted; by default they are
            logged to the logger `lotus`.
        options: see `ClientOptions` and the README.

    Raises:
        ValidationError: a setting is missing or unusable; all such settings are listed.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        on_error: OnError | None = None,
        _runtime: Runtime | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        self._core = Core(api_key, options, on_error=on_error, runtime=_runtime)
        self._transport = transport
        self._is_closed = False  # no more events are taken
        self._is_disconnected = False  # no more requests are sent
        self._http: httpx.AsyncClient | None = None
        self._worker: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._flushes: list[tuple[int, asyncio.Future[None]]] = []

    # The calls.

    def track_event(self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[EventFields]) -> AsyncEventHandle:
        """Queue one event to be sent in the background, and return at once; see `EventFields`.

        Raises:
            ValidationError: the event cannot be sent as it is; all problems are listed.
            LotusError: the client is closed.
            RuntimeError: no event loop is running.
        """
        asyncio.get_running_loop()
        idempotency_id, body = self._core.prepare(fields, named)
        handle = AsyncEventHandle(idempotency_id)
        if self._is_closed:
            raise LotusError("the client is closed")
        refused = self._core.enqueue(idempotency_id, body, handle)
        self._start_worker()
        if self._seconds_until_due() == 0.0:
            self._wake.set()
        if refused:
            self._core.announce(refused)
        return handle

    async def get_customers(self) -> list[JsonObject]:
        """Return all customers."""
        return await self._ask(self._core.calls.get_customers())

    async def create_customer(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[CustomerFields]
    ) -> JsonObject:
        """Create a customer and return it; see `CustomerFields`."""
        return await self._ask(self._core.calls.create_customer(fields, named))

    async def get_current_usage(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[UsageFields]
    ) -> list[JsonObject]:
        """Return what each active subscription of a customer has come to so far; see `UsageFields`."""
        return await self._ask(self._core.calls.get_current_usage(fields, named))

    async def get_plans(self) -> list[JsonObject]:
        """Return all plans."""
        return await self._ask(self._core.calls.get_plans())

    async def get_subscriptions(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[SubscriptionFilters]
    ) -> list[JsonObject]:
        """Return all subscriptions, or those that match; see `SubscriptionFilters`."""
        return await self._ask(self._core.calls.get_subscriptions(fields, named))

    async def create_subscription(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[SubscriptionFields]
    ) -> JsonObject:
        """Subscribe a customer to a plan and return the subscription; see `SubscriptionFields`."""
        return await self._ask(self._core.calls.create_subscription(fields, named))

    async def cancel_subscription(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[CancelFields]
    ) -> JsonObject:
        """Cancel a subscription; see `CancelFields`."""
        return await self._ask(self._core.calls.cancel_subscription(fields, named))

    async def get_customer_access(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[AccessFields]
    ) -> JsonObject:
        """Return whether a customer may use a feature or send one more event; see `AccessFields`."""
        return await self._ask(self._core.calls.get_customer_access(fields, named))

    async def get_usage(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[MetricUsageFields]
    ) -> list[JsonObject]:
        """Return what a customer used of a metric, by windows and groups; see `MetricUsageFields`."""
        return await self._ask(self._core.calls.get_usage(fields, named))

    async def void_events(self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[VoidFields]) -> JsonObject:
        """Take events back, with a reason; once more changes nothing. See `VoidFields`."""
        return await self._ask(self._core.calls.void_events(fields, named))

    async def amend_event(self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[AmendFields]) -> JsonObject:
        """Give an event another content, as if it had come so; see `AmendFields`."""
        return await self._ask(self._core.calls.amend_event(fields, named))

    async def verify_events_received(
        self, fields: Mapping[str, Any] | None = None, /, **named: Unpack[VerifyFields]
    ) -> JsonObject:
        """Return which of some ids no event has; see `VerifyFields`."""
        return await self._ask(self._core.calls.verify_events_received(fields, named))

    # The background.

    @property
    def stats(self) -> Stats:
        """What became of the events so far."""
        return self._core.stats()

    async def flush(self, timeout_seconds: float | None = None) -> None:
        """Send what waits now; when this returns, every event tracked before has its outcome.

        Raises:
            LotusTimeoutError: that took longer than `timeout_seconds`; the events are still on their way.
        """
        mark = self._core.buffer.request_flush()
        self._start_worker()
        self._wake.set()
        if self._core.buffer.is_told_up_to(mark):
            return
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushes.append((mark, settled))
        try:
            await asyncio.wait_for(settled, timeout_seconds)
        except asyncio.TimeoutError as error:
            raise LotusTimeoutError(f"events were still pending after {timeout_seconds} s") from error

    async def close(self, timeout_seconds: float | None = None) -> None:
        """Send what waits, then end the background task and the connections; a second close does nothing.

        Events that have no outcome after `timeout_seconds` (None: as long as it takes) fail with LotusTimeoutError and
        are handed to `on_error`.
        """
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self.flush(timeout_seconds)
        except LotusTimeoutError as error:
            self._settle(self._core.abandon(error))
        finally:
            self._is_disconnected = True
            if self._worker is not None:
                self._worker.cancel()
            http, self._http = self._http, None
            if http is not None:
                await http.aclose()

    shutdown = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncLotus(host={self._core.options.host!r})"

    # What follows is the sending; everything is decided in the core.

    def _seconds_until_due(self) -> float | None:
        return self._core.buffer.seconds_until_due(now_seconds=self._core.runtime.monotonic_seconds())

    def _start_worker(self) -> None:
        """Have a task that sends, unless nothing waits."""
        if self._core.buffer.waiting_count and (self._worker is None or self._worker.done()):
            self._worker = asyncio.get_running_loop().create_task(self._work(), name="lotus")

    async def _work(self) -> None:
        """Send until nothing waits: an idle client leaves no task behind when its loop ends."""
        try:
            while (seconds := self._seconds_until_due()) is not None:
                if seconds:
                    await self._sleep_until_woken(seconds)
                else:
                    await self._send(self._core.buffer.take())
        except asyncio.CancelledError:
            self._settle(self._core.abandon(LotusError("the event loop ended before close() was awaited")))
            raise

    async def _sleep_until_woken(self, seconds: float) -> None:
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except asyncio.TimeoutError:
            return

    async def _send(self, batch: list[Event]) -> None:
        try:
            await self._drive(self._core.deliver(batch))
        except Exception as error:  # noqa: BLE001 - whatever a transport raises, each event gets an outcome
            self._settle(self._core.failed(batch, error))

    def _settle(self, settle: Settle) -> None:
        news = self._core.count(settle)
        self._core.announce(news)
        self._core.note_told(news)
        self._release_flushes()

    def _release_flushes(self) -> None:
        still = []
        for mark, settled in self._flushes:
            if not self._core.buffer.is_told_up_to(mark):
                still.append((mark, settled))
            elif not settled.done():
                settled.set_result(None)
        self._flushes = still

    async def _ask(self, call: Call[_T]) -> _T:
        return await self._drive(self._core.ask(call))

    async def _drive(self, steps: Generator[Any, Reply | None, _T]) -> _T:
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
                reply = await self._attempt(step)
            elif isinstance(step, Pause):
                await self._pause(step.seconds)
            elif isinstance(step, Settle):
                self._settle(step)

    async def _pause(self, seconds: float) -> None:
        if self._core.runtime.sleep is not None:
            self._core.runtime.sleep(seconds)
        else:
            await asyncio.sleep(seconds)

    async def _attempt(self, step: Send) -> Reply:
        request = step.request
        try:
            response = await self._connected().request(
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
        return reply_from_httpx(response)

    def _connected(self) -> httpx.AsyncClient:
        """Return the one HTTP client, which keeps its connections; made at the first use, for it takes milliseconds."""
        if self._is_disconnected:
            raise LotusError("the client is closed")
        if self._http is None:
            options = self._core.options
            self._http = httpx.AsyncClient(
                headers=self._core.headers, timeout=options.timeout_seconds, transport=self._transport
            )
        return self._http
