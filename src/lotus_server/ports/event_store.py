"""The event store: an append-only log of events with exactly-once acceptance, and exact answers about usage.

Every adapter passes `tests/contracts/test_event_store.py`, with the oracle of `domain/metering` as judge.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from lotus_server.domain.metering import (
    Correction,
    CorrectionKind,
    Event,
    EventStatus,
    LogPosition,
    MetricDefinition,
    Properties,
    Selection,
    Usage,
    Verdict,
)
from lotus_server.kernel.period import Period

CORRECTIONS_MAX: Final = 1_000
IDS_MAX: Final = 10_000
# Of the events that were refused, the log of each organization keeps at least so many of the newest.
REFUSED_KEPT: Final = 100_000
REFUSED_BYTES_MAX: Final = 32 * 1024


class BodyForm(StrEnum):
    """How the bytes of a submission are to be read."""

    JSON = "json"
    CLOUDEVENT = "cloudevent"
    CLOUDEVENTS = "cloudevents"


class Submission(msgspec.Struct, frozen=True):
    """The body of one request as it came from the network, not yet decoded: decoding is work for whoever appends.

    `now` is the organization's present (its own clock for a sandbox). `known_customers_only` turns events of
    customers that are not in `known_customers` away.
    """

    organization_id: str
    body: bytes
    now: datetime
    form: BodyForm = BodyForm.JSON
    is_gzip: bool = False
    wants_results: bool = False
    known_customers: frozenset[str] | None = None


class IncomingEvent(msgspec.Struct, gc=False):
    """One well-formed event of a submission.

    `happened_us` is microseconds since 1970; `has_own_time` is false when the sender gave none and the moment of
    arrival was taken. `properties_json` is the sender's own text, kept byte for byte.
    """

    idempotency_id: str
    customer_id: str
    event_name: str
    happened_us: int
    has_own_time: bool
    properties_json: bytes
    properties: Properties


class RejectedEvent(msgspec.Struct, frozen=True):
    """One event of a submission that is not well-formed: its place in the batch, its id if it has one, and why.

    `content` is the event's own JSON text, of which only the first `REFUSED_BYTES_MAX` bytes are kept.
    """

    position: int
    idempotency_id: str | None
    reason: str
    content: str = ""


class DecodedBatch(msgspec.Struct):
    """A submission taken apart. `positions[i]` is the place of `events[i]` in the batch."""

    events: list[IncomingEvent]
    positions: list[int]
    rejected: list[RejectedEvent]


Decoder = Callable[[Submission], DecodedBatch]
"""Takes a submission apart.

Raises Invalid when the body as a whole cannot be read, TooLarge when it exceeds a limit.
"""


class EventResult(msgspec.Struct, frozen=True):
    """The verdict on one event of a submission; `reason` says why it was not accepted."""

    idempotency_id: str | None
    status: Verdict
    reason: str | None = None


class Receipt(msgspec.Struct, frozen=True):
    """What became of a submission, once everything accepted is on disk.

    `failures` are the conflicts and rejections. `results` has every event in the order of the batch, when the
    submission wanted them.
    """

    accepted: int
    duplicates: int
    failures: tuple[EventResult, ...] = ()
    results: tuple[EventResult, ...] | None = None


class EventQuery(msgspec.Struct, frozen=True):
    """Which events to list, by the content that counts now: newest accepted first, or oldest first with `after`.

    `start` is included, `end` is not; `before` and `after` are exclusive sequence numbers. Without a `status` events
    are listed whatever became of them, voided ones too. Whoever asks again and again with the last sequence number
    that was seen as `after` (0 at first) sees every event exactly once.
    """

    customer_id: str | None = None
    event_name: str | None = None
    idempotency_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    before: int | None = None
    limit: int = 100
    status: EventStatus | None = None
    after: int | None = None


class RefusedQuery(msgspec.Struct, frozen=True):
    """Which refused events to list, newest first.

    `status` is rejected or conflict, `reason` a text that the reason contains (in any case of letters), `before` an
    exclusive number.
    """

    status: Verdict | None = None
    reason: str | None = None
    idempotency_id: str | None = None
    before: int | None = None
    limit: int = 100


class RefusedEvent(msgspec.Struct, frozen=True):
    """One event that was refused, when and why.

    `number` counts the refused events of its organization. `content` is the event's JSON text, cut off after
    `REFUSED_BYTES_MAX` bytes; that of a conflict may be written differently from what was sent.
    """

    number: int
    received_at: datetime
    idempotency_id: str | None
    status: Verdict
    reason: str
    content: str


class CorrectionOrder(msgspec.Struct, frozen=True):
    """What to do about one event, and why. An amendment gives what changes; null leaves a part as it is.

    `happened_us` is microseconds since 1970; `properties_json` is the text of a JSON object that takes the place of
    all properties. Its numbers are in the range of those of incoming events.
    """

    idempotency_id: str
    kind: CorrectionKind
    reason: str
    customer_id: str | None = None
    happened_us: int | None = None
    properties_json: bytes | None = None


class CorrectionStatus(StrEnum):
    """What became of a correction.

    `unchanged`: the event is exactly so already, so repeating a correction does no harm. `unknown`: no event has the
    id. `voided`: an event that was voided cannot be amended.
    """

    DONE = "done"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"
    VOIDED = "voided"


class CorrectionResult(msgspec.Struct, frozen=True):
    """What became of the correction of one event."""

    idempotency_id: str
    status: CorrectionStatus


class Since(msgspec.Struct, frozen=True):
    """Which changes are asked for: of events that happened before an instant, made after a position of the log."""

    position: LogPosition
    before: datetime


class Drift(msgspec.Struct, frozen=True):
    """One incremental aggregate beside its recount from the raw events."""

    organization_id: str
    selection: Selection
    kept: Usage
    recounted: Usage

    @property
    def is_zero(self) -> bool:
        """Tell whether the aggregate is right."""
        return self.kept == self.recounted


class EventStore(Protocol):
    """Where events live. An acknowledged event survives a crash and is counted exactly once, for ever."""

    async def append(self, submission: Submission) -> Receipt:
        """Decode, judge and store a submission; every event accepted is on disk when this returns.

        The guard of exactly-once is (organization, idempotency_id), without a time limit. The same id with the same
        content is a duplicate, with other content a conflict; within one batch the first one stands. A time that the
        sender did not give does not take part in the comparison. Concurrent submissions share a commit.

        Raises Invalid or TooLarge from the decoder, Unavailable when the store cannot take events now. Then
        nothing was acknowledged; a store that died may have kept it all the same, so resend with the same ids.
        """
        ...

    def usage(
        self, organization_id: str, selections: Sequence[Selection], *, keeps_aggregates: bool = True
    ) -> list[Usage]:
        """Return the usage of each selection over every acknowledged event.

        An aggregate that does not exist yet is made from the raw events, which takes time in proportion to those of the
        customer, and is kept up to date from then on; with `keeps_aggregates` false it is only computed. Percentiles,
        gauges and rates are computed from the values of the events each time, custom metrics by their query.

        Raises Invalid or Unavailable with the code `custom_metric_failed` when the query of a custom metric fails,
        takes too long, or gives no exact number.
        """
        ...

    def usage_by_customer(
        self, organization_id: str, definition: MetricDefinition, periods: Sequence[Period]
    ) -> list[dict[str, Usage]] | None:
        """Return what every customer used in each of some periods: what `usage` says of each of them, in one question.

        Each period begins where the one before ends. Whoever has no events that count is left out; customers are those
        that events name. The same question asked again costs no more than the events that are new. None for metrics
        that `has_states` is false of, or of a part of them: those are answered customer by customer.
        """
        ...

    def usage_together(
        self, organization_id: str, definition: MetricDefinition, periods: Sequence[Period]
    ) -> list[Usage]:
        """Return what `usage` would say of each of some periods if all events were one customer's.

        The periods are as for `usage_by_customer`, and `has_states` is true of the metric.
        """
        ...

    def values(self, organization_id: str, selection: Selection) -> list[tuple[str, tuple[Decimal, ...]]]:
        """Return the numbers that a metric takes from the events of a period, for prices that look at each event.

        Per key of a group (see `Usage.groups`; the empty text without groups and windows), in the order in which the
        events happened. Events without a usable value are left out. Ratios and custom metrics take none from an event.
        """
        ...

    def custom_sql_problem(self, sql: str) -> str | None:
        """Return why a query cannot be a custom metric, as the end of a sentence that begins with it, or None.

        A store that cannot run queries within limits and apart from everything else refuses every query.
        """
        ...

    def usage_at_hand(self, organization_id: str, selections: Sequence[Selection]) -> list[Usage] | None:
        """Return the same at once when everything is kept already, or None; fit for an event loop.

        Custom metrics are never at hand; percentiles, gauges and rates only while nothing has changed them.
        """
        ...

    def events(self, organization_id: str, query: EventQuery) -> list[Event]:
        """Return up to `limit` events with the content that counts now, in the order that the query asks for."""
        ...

    def find(self, organization_id: str, idempotency_ids: Collection[str]) -> frozenset[str]:
        """Return which of the ids belong to an event that was ever accepted, also to a voided one.

        Raises TooLarge for more than `IDS_MAX` ids.
        """
        ...

    def correct(
        self, organization_id: str, orders: Sequence[CorrectionOrder], *, now: datetime
    ) -> list[CorrectionResult]:
        """Void or amend events, one after the other in the given order; everything done is on disk on return.

        All usage is as if the events had come with their new content from the beginning. What was sent stays in the
        log, and only that is compared when an id is sent again: an event that was voided remains a duplicate. Blocks.
        Raises TooLarge for more than `CORRECTIONS_MAX` orders, Unavailable when the store cannot write now; then
        either all of it was done or nothing, and repeating it is safe.
        """
        ...

    def history(self, organization_id: str, idempotency_id: str) -> list[Correction]:
        """Return every correction of an event, the first one first; nothing for an event that is unknown."""
        ...

    def refused(self, organization_id: str, query: RefusedQuery) -> list[RefusedEvent]:
        """Return up to `limit` of the events that were rejected or were in conflict, newest first.

        Only the newest are kept, at least `REFUSED_KEPT` of an organization. A body that could not be read at all has
        no events, and is not in the log.
        """
        ...

    def position(self, organization_id: str) -> LogPosition:
        """Return how far the log of an organization goes; every answer from now on takes all of it into account."""
        ...

    def changed(self, organization_id: str, since: Mapping[str, Since]) -> frozenset[str]:
        """Return of which of the customers an event came in, or was corrected, as each of them is asked about.

        None is left out. Customers may be named of whom nothing changed, so whoever needs to know looks. A customer of
        whom the position lies beyond the end of the log, as after an older log was brought back, is always named.
        """
        ...

    def event_days(self, organization_id: str, window: Period) -> dict[datetime, int]:
        """Return how many events happened on each day of UTC that begins in a window, by the day's midnight.

        Events are counted as they were sent, whatever became of them later. Days without any are left out.
        """
        ...

    def event_count(self, organization_id: str | None = None) -> int:
        """Return how many events are stored, of one organization or of all."""
        ...

    def verify(self, progress: Callable[[int, int], None]) -> Iterator[Drift]:
        """Recount every aggregate from the raw events with the oracle.

        `progress` is told (events read, events in all).
        """
        ...

    def close(self) -> None:
        """Finish what is acknowledged and release everything; submissions after this are refused."""
        ...
