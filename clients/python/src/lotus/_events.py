"""One event on its way, from the call to its verdict."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict

from lotus import _fields, _json
from lotus._fields import Field, Problems
from lotus._wire import Request, Response, error_from_response, malformed, post
from lotus.errors import EventRejectedError, LotusError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime
    from uuid import UUID

TRACK_PATH = "/api/track/"
WITH_VERDICTS = (("verbose", "true"),)


class EventFields(TypedDict, total=False):
    """Fields of `track_event`: `event_name` and `customer_id` are required.

    `idempotency_id` is the event's identity for ever: the same id is counted once. Without it a UUID4 is made.
    `time_created` is when the event happened, by default now. `properties` has at most 32 KiB as JSON.
    """

    event_name: str
    customer_id: str | UUID
    idempotency_id: str | UUID
    time_created: str | date
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What the server did with one event: `accepted` (counted), or `duplicate` (it was counted before)."""

    idempotency_id: str
    status: Literal["accepted", "duplicate"]


Outcome = Verdict | LotusError
"""How one event ended: with a verdict, or with the reason why it was not counted or why that is unknown."""


class Handle(Protocol):
    """Where the outcome of one event is told."""

    def resolve(self, outcome: Outcome) -> None:
        """Tell the outcome; called once per event, outside of any lock."""


@dataclass(eq=False)
class Event:
    """One event that is waiting or in flight.

    Attributes:
        idempotency_id: its identity.
        body: its JSON, written once, sent by every attempt.
        queued_at_seconds: when it was queued, on a clock that only goes forward.
        handle: where its outcome is told.
        is_settled: whether its outcome is known; guarded by the client's lock.
    """

    __slots__ = ("body", "handle", "idempotency_id", "is_settled", "queued_at_seconds")

    idempotency_id: str
    body: bytes
    queued_at_seconds: float
    handle: Handle
    is_settled: bool

    def fields(self) -> dict[str, Any]:
        """Return the event as it is sent."""
        sent: dict[str, Any] = _json.decode(self.body)
        return sent


@dataclass(frozen=True)
class Settle:
    """Please tell these outcomes."""

    outcomes: Sequence[tuple[Event, Outcome]] = field(default_factory=tuple)


_EVENT = {
    "event_name": Field(_fields.text, is_required=True),
    "customer_id": Field(_fields.identifier, is_required=True),
    "idempotency_id": Field(_fields.identifier),
    "time_created": Field(_fields.time),
    "properties": Field(_fields.small_mapping),
}


def prepare(
    fields: Mapping[str, Any] | None,
    named: Mapping[str, Any],
    *,
    now: Callable[[], datetime],
    new_id: Callable[[], str],
) -> tuple[str, bytes]:
    """Return the event's id and its JSON; id and time are filled in when they were not given.

    Raises:
        ValidationError: with every problem of the fields.
    """
    problems = Problems()
    checked = _fields.gather(fields, named, _EVENT, problems)
    problems.raise_if_any("track_event")
    if "idempotency_id" not in checked:
        checked["idempotency_id"] = new_id()
    if "time_created" not in checked:
        checked["time_created"] = _json.time_text(now())
    return checked["idempotency_id"], _fields.body(checked)


def track_request(events: Sequence[Event], *, gzip_threshold_bytes: int | None) -> Request:
    """Return the request that sends these events, in their order, and asks for a verdict on each."""
    body = b'{"batch":[' + b",".join(event.body for event in events) + b"]}"
    return post(TRACK_PATH, body, gzip_threshold_bytes=gzip_threshold_bytes, query=WITH_VERDICTS)


def read_outcomes(events: Sequence[Event], response: Response) -> list[tuple[Event, Outcome]]:
    """Return the outcome of each event of a request, in their order.

    The verdicts of `results` count. A server without them says only which events failed; the others were accepted.
    An unsuccessful answer that names no events, and an answer in no known form, is the outcome of all.
    """
    answer = response.json()
    answer = answer if isinstance(answer, dict) else {}
    results, failed = answer.get("results"), answer.get("failed_events")
    if isinstance(results, list):
        return _match(events, results, response)
    if isinstance(failed, dict) and failed:
        return [(event, _accepted_unless(event, failed)) for event in events]
    if not response.is_success:
        return failed_alike(events, error_from_response(response))
    if answer.get("success") == "all":
        return [(event, Verdict(event.idempotency_id, "accepted")) for event in events]
    return failed_alike(events, malformed(response, "expected a verdict on each event"))


def failed_alike(events: Sequence[Event], error: LotusError) -> list[tuple[Event, Outcome]]:
    """Return the same failure for each event, as errors of their own.

    One shared exception would collect the traceback of everyone who raises it.
    """
    return [(event, _copy(error)) for event in events]


def _match(events: Sequence[Event], results: list[Any], response: Response) -> list[tuple[Event, Outcome]]:
    """Pair events and results by id, and in order where one id occurs more than once."""
    by_id: dict[Any, list[dict[str, Any]]] = {}
    for result in reversed([each for each in results if isinstance(each, dict)]):
        by_id.setdefault(result.get("idempotency_id"), []).append(result)
    outcomes: list[tuple[Event, Outcome]] = []
    for event in events:
        found = by_id.get(event.idempotency_id)
        outcome = _outcome(event, found.pop()) if found else None
        expected = f"expected a verdict on event {event.idempotency_id}"
        outcomes.append((event, outcome or malformed(response, expected)))
    return outcomes


def _outcome(event: Event, result: Mapping[str, Any]) -> Outcome | None:
    status = result.get("status")
    if status == "accepted" or status == "duplicate":  # noqa: PLR1714 - the type checker narrows only this form
        return Verdict(event.idempotency_id, status)
    if status in ("rejected", "conflict"):
        reason = str(result.get("reason") or "no reason given")
        return EventRejectedError(reason, status=status, idempotency_id=event.idempotency_id)
    return None


def _accepted_unless(event: Event, failed: Mapping[str, Any]) -> Outcome:
    if event.idempotency_id not in failed:
        return Verdict(event.idempotency_id, "accepted")
    return EventRejectedError(str(failed[event.idempotency_id]), idempotency_id=event.idempotency_id)


def _copy(error: LotusError) -> LotusError:
    copied = copy.copy(error)
    copied.__cause__ = error.__cause__
    return copied
