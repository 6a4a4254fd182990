"""Events in JSON, as they are listed, verified and corrected."""

from typing import Any, Final

import msgspec
from pydantic import ConfigDict, Field

from lotus_server.domain.metering import Correction, Event, EventStatus, Verdict
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.ports.event_store import (
    CorrectionResult,
    CorrectionStatus,
    EventQuery,
    RefusedEvent,
    RefusedQuery,
)
from lotus_server.usecases.events import Amendment, EventView, Verification
from lotus_server.wire.fields import Row, instant
from lotus_server.wire.forms import Form, Text, path_text, required
from lotus_server.wire.free_form import free_form

LIMIT_DEFAULT: Final = 100
_SEQUENCE_MAX: Final = 2**63 - 1
_DAYS_MAX: Final = 36_500
_STATUSES: Final = {each.value: each for each in EventStatus}
_REFUSALS: Final = {each.value: each for each in (Verdict.REJECTED, Verdict.CONFLICT)}
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class VoidForm(Form):
    """Events to be taken back."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, json_schema_extra={"required": ["idempotency_ids", "reason"]}
    )

    idempotency_ids: list[str] | None = Field(None, description="At most 1,000.")
    reason: Text = Field(None, description="Why; it is kept with the events.")

    def to_ids(self, problems: Problems) -> tuple[list[str], str]:
        """Return the ids and the reason."""
        if not self.idempotency_ids and not problems.any_below("idempotency_ids"):
            problems.add("idempotency_ids", "required", "idempotency_ids must list at least one id.")
        return self.idempotency_ids or [], required(problems, "reason", self.reason)


class AmendmentForm(Form):
    """What is to be different about one event; what is not given stays as it is."""

    idempotency_id: Text = None
    properties: dict[str, Any] | None = Field(None, description="Takes the place of all properties.")
    time_created: Text = None
    customer_id: Text = None
    event_name: Any = Field(None, description="Never changes: void the event and send another one.")
    reason: Text = Field(None, description="Why; it is kept with the event.")

    def to_amendment(self, path: str, reason: str | None, problems: Problems) -> Amendment:
        """Return the amendment; `reason` is the one that counts where it gives none itself."""
        if self.event_name is not None:
            detail = "event_name cannot be amended: void the event and send another one."
            problems.add(f"{path}event_name", "unchangeable", detail)
        changes = ("properties", "time_created", "customer_id")
        if not any(getattr(self, name) is not None or problems.any_below(f"{path}{name}") for name in changes):
            detail = "Give properties, time_created or customer_id: what is to be different."
            problems.add(f"{path}properties", "required", detail)
        properties = free_form(problems, f"{path}properties", self.properties)
        return Amendment(
            idempotency_id=required(problems, f"{path}idempotency_id", self.idempotency_id),
            reason=required(problems, f"{path}reason", reason if self.reason is None else self.reason),
            customer_id=self.customer_id,
            happened_at=instant(problems, f"{path}time_created", self.time_created),
            properties_json=None if self.properties is None else _encode(properties),
            path=path,
        )


class AmendForm(AmendmentForm):
    """One amendment, or a list of them; a reason beside the list is that of each that has none."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    amendments: list[AmendmentForm] | None = Field(None, description="Instead of one: at most 1,000.")

    def to_amendments(self, problems: Problems) -> list[Amendment]:
        """Return the amendments."""
        if self.amendments is None:
            return [self.to_amendment("", None, problems)]
        if not self.amendments:
            problems.add("amendments", "required", "amendments must have at least one entry.")
        if self.idempotency_id is not None:
            problems.add("idempotency_id", "ambiguous", "Give one amendment or the list amendments, not both.")
        return [
            form.to_amendment(path_text(("amendments", index)) + ".", self.reason, problems)
            for index, form in enumerate(self.amendments)
        ]


class VerifyForm(Form):
    """Events of which somebody wants to know whether they were received."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"required": ["idempotency_ids"]})

    idempotency_ids: list[str] | None = Field(None, description="At most 10,000.")
    number_days_lookback: int | None = Field(None, description="Only events that happened in so many last days.")
    customer_id: Text = Field(None, description="Only events of this customer.")

    def to_verification(self, problems: Problems) -> Verification:
        """Return what is asked for."""
        days = self.number_days_lookback
        if self.idempotency_ids is None and not problems.any_below("idempotency_ids"):
            problems.add("idempotency_ids", "required", "idempotency_ids is required.")
        if days is not None and not 0 <= days <= _DAYS_MAX:
            problems.add("number_days_lookback", "out_of_range", f"number_days_lookback is from 0 to {_DAYS_MAX:,}.")
        return Verification(tuple(self.idempotency_ids or ()), self.customer_id, days, problems.found)


def event_query(query: dict[str, str], limit: int | None, cursor: str | None, *, is_feed: bool) -> EventQuery:
    """Return which events a query asks for: newest first, or, as a feed, the first accepted first. Raises Invalid."""
    problems = Problems()
    status = query.get("status") or None
    if status is not None and status not in _STATUSES:
        problems.add("status", "invalid_choice", f"status must be one of {', '.join(_STATUSES)}.")
    sequence = _sequence(cursor, problems)
    found = EventQuery(
        customer_id=query.get("customer_id") or None,
        event_name=query.get("event_name") or None,
        idempotency_id=query.get("idempotency_id") or None,
        start=instant(problems, "start", query.get("start") or None),
        end=instant(problems, "end", query.get("end") or None),
        before=None if is_feed else sequence,
        after=(sequence or 0) if is_feed else None,
        limit=LIMIT_DEFAULT if limit is None else limit,
        status=_STATUSES.get(status or ""),
    )
    problems.raise_if_any()
    return found


def refused_query(query: dict[str, str], limit: int | None, cursor: str | None) -> RefusedQuery:
    """Return which refused events a query asks for. Raises Invalid."""
    problems = Problems()
    status = query.get("status") or None
    if status is not None and status not in _REFUSALS:
        problems.add("status", "invalid_choice", f"status must be one of {', '.join(_REFUSALS)}.")
    found = RefusedQuery(
        status=_REFUSALS.get(status or ""),
        reason=query.get("reason") or None,
        idempotency_id=query.get("idempotency_id") or None,
        before=_sequence(cursor, problems),
        limit=LIMIT_DEFAULT if limit is None else limit,
    )
    problems.raise_if_any()
    return found


def _sequence(cursor: str | None, problems: Problems) -> int | None:
    if cursor is None:
        return None
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 20 and int(cursor) <= _SEQUENCE_MAX:
        return int(cursor)
    problems.add("cursor", "invalid", "The cursor is not one of ours.")
    return None


def event_row(event: Event) -> Row:
    """Return an event with the content that counts now."""
    return {
        "idempotency_id": event.idempotency_id,
        "event_name": event.event_name,
        "customer_id": event.customer_id,
        "time_created": to_text(event.happened_at),
        "properties": event.properties,
        "status": event.status.value,
        "received_at": to_text(event.received_at),
    }


def event_view_row(view: EventView) -> Row:
    """Return an event with its corrections; each shows the content before it."""
    return {**event_row(view.event), "history": [_correction_row(each) for each in view.history]}


def _correction_row(correction: Correction) -> Row:
    return {
        "kind": correction.kind.value,
        "reason": correction.reason,
        "made_at": to_text(correction.made_at),
        "before": {
            "customer_id": correction.customer_id,
            "time_created": to_text(correction.happened_at),
            "properties": correction.properties,
        },
    }


def corrections_row(results: list[CorrectionResult]) -> Row:
    """Return what became of each correction, in the order in which they were asked for."""
    return {
        "corrected": sum(result.status is CorrectionStatus.DONE for result in results),
        "results": [{"idempotency_id": each.idempotency_id, "status": each.status.value} for each in results],
    }


def refused_row(refused: RefusedEvent) -> Row:
    """Return an event that was refused; `content` is its JSON text."""
    return {
        "received_at": to_text(refused.received_at),
        "idempotency_id": refused.idempotency_id,
        "status": refused.status.value,
        "reason": refused.reason,
        "content": refused.content,
    }
