"""What an error means in HTTP, decided once: RFC 9457 problem documents."""

from typing import Any, Final

from lotus_server.http.json_reply import encode
from lotus_server.kernel.errors import (
    Conflict,
    FieldProblem,
    Forbidden,
    Invalid,
    LotusError,
    NotFound,
    Throttled,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

PROBLEM_JSON: Final = "application/problem+json"
_STATUS: Final[dict[type[LotusError], int]] = {
    Invalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    Throttled: 429,
    Unavailable: 503,
}
# Conflicts that the documented wire answers with 400: a request that makes no sense in the thing's present state.
_BAD_REQUESTS: Final = frozenset({"invalid_state"})


def status_of(error: LotusError) -> int:
    """Return the HTTP status of an error."""
    if error.code in _BAD_REQUESTS:
        return 400
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)


def problem(status: int, code: str, detail: str, problems: tuple[FieldProblem, ...] = ()) -> bytes:
    """Return the body of a problem document. `title` is the stable code; `type` leads to its description."""
    document: dict[str, Any] = {
        "type": f"/docs/errors#{code}",
        "title": code,
        "status": status,
        "detail": detail,
        "validation_errors": [{"field": each.field, "code": each.code, "detail": each.detail} for each in problems],
    }
    return encode(document)


def internal_error(request_id: bytes) -> bytes:
    """Return the body that answers a request on which the server itself failed: nothing of the cause is told."""
    detail = f"Something broke here. The request's id is {request_id.decode()}."
    return problem(500, "internal_error", detail)


def problem_of(error: LotusError) -> tuple[int, bytes]:
    """Return status and body for an error."""
    status = status_of(error)
    return status, problem(status, error.code, error.detail, error.problems)
