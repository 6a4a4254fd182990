"""What `POST /api/track/` answers."""

from typing import Any

from lotus_server.domain.metering import Verdict
from lotus_server.ports.event_store import EventResult, Receipt


def reply_of(receipt: Receipt) -> tuple[int, dict[str, Any]]:
    """Return status and body: 201 when any event counted or was counted before, 400 when all failed."""
    good = receipt.accepted + receipt.duplicates
    payload: dict[str, Any] = {
        "success": "all" if not receipt.failures else "some" if good else "none",
        "accepted": receipt.accepted,
        "duplicates": receipt.duplicates,
        "failed_events": _failed_events(receipt.failures),
    }
    if receipt.results is not None:
        payload["results"] = [_result(result) for result in receipt.results]
    if good or not receipt.failures:
        return 201, payload
    return 400, {**payload, **_as_problem(receipt.failures)}


def _failed_events(failures: tuple[EventResult, ...]) -> dict[str, str]:
    """Return reasons by id.

    Events without an id, and further ones of the same id, get keys of their own: none is left out.
    """
    reasons: dict[str, str] = {}
    for failure in failures:
        name = failure.idempotency_id if failure.idempotency_id is not None else "no_idempotency_id"
        key, number = name, 2
        while key in reasons:
            key, number = f"{name} ({number})", number + 1
        reasons[key] = failure.reason or failure.status.value
    return reasons


def _result(result: EventResult) -> dict[str, Any]:
    row: dict[str, Any] = {"idempotency_id": result.idempotency_id, "status": result.status.value}
    return row if result.reason is None else {**row, "reason": result.reason}


def _as_problem(failures: tuple[EventResult, ...]) -> dict[str, Any]:
    """Return the members that make the answer a problem document as well, for clients that read those."""
    is_conflict = all(failure.status is Verdict.CONFLICT for failure in failures)
    code = "event_conflict" if is_conflict else "events_rejected"
    return {
        "type": f"/docs/errors#{code}",
        "title": code,
        "status": 400,
        "detail": f"None of the {len(failures)} events was accepted.",
        "validation_errors": [
            {
                "field": f"failed_events[{failure.idempotency_id}]",
                "code": failure.status.value,
                "detail": failure.reason,
            }
            for failure in failures[:100]
        ],
    }
