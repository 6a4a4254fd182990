"""Everything that can go wrong, as one tree.

::

    LotusError
    |-- LotusConnectionError     no answer came: refused, reset, unknown host, broken TLS
    |   `-- LotusTimeoutError    no answer came in time
    |-- ApiError                 the server answered, and not with success
    |   |-- AuthenticationError  401: the API key is missing, wrong or revoked
    |   |-- NotFoundError        404: no such thing in this organization
    |   |-- ConflictError        409: the id is taken
    |   |-- ValidationError      400 or 422, or found by the client before sending (then ``status`` is None)
    |   |-- RateLimitError       429: too many requests, for longer than the client waits by itself
    |   `-- ServerError          5xx: the server failed, also after the retries
    |-- EventRejectedError       this one event was answered with `rejected` or `conflict`
    `-- QueueFullError           this one event was not taken: the queue is at `max_queue_size`

Connection errors, 429 and 5xx are raised only after the client's own retries are used up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# Every class below takes one positional argument and defaults for the rest, so that copies and pickles (which call the
# class with `args` and then restore the attributes) come out whole.


class LotusError(Exception):
    """Something went wrong between this program and Lotus; the base of all errors of this package."""


class LotusConnectionError(LotusError):
    """No answer came; whether the server acted on the request is unknown."""


class LotusTimeoutError(LotusConnectionError):
    """No answer came in time; whether the server acted on the request is unknown."""


class ApiError(LotusError):
    """The server answered, and not with success.

    Attributes:
        status: HTTP status, or None when the client found the problem before sending.
        code: the stable code of the problem (`title` of the problem document), or `http_<status>` without one.
        detail: one sentence for a person; may change between releases.
        validation_errors: one mapping per problem: `field` (the field), `code` and `detail`. Empty when there are none.
        request_id: what the server calls this request (`X-Request-Id`), or None.
        retry_after_seconds: how long the server asked to wait, or None.
        body: the answer as JSON, or as text when it is no JSON, or None without an answer.
    """

    def __init__(  # noqa: PLR0913 - one attribute each, all by keyword
        self,
        detail: str = "",
        *,
        status: int | None = None,
        code: str = "",
        validation_errors: Sequence[dict[str, Any]] = (),
        request_id: str | None = None,
        retry_after_seconds: float | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code
        self.validation_errors = list(validation_errors)
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds
        self.body = body

    def __str__(self) -> str:
        request = f"[{self.request_id}] " if self.request_id else ""
        status = f"{self.status} " if self.status is not None else ""
        problems = "; ".join(_problem_text(problem) for problem in self.validation_errors)
        return f"{request}{status}{self.code}: {self.detail}" + (f" ({problems})" if problems else "")


class AuthenticationError(ApiError):
    """The API key is missing, wrong or revoked (401)."""


class NotFoundError(ApiError):
    """There is no such thing in this organization (404)."""


class ConflictError(ApiError):
    """What was to be created exists already (409)."""


class ValidationError(ApiError):
    """The request cannot be right (400, 422, or found before sending); `validation_errors` lists every problem."""


class RateLimitError(ApiError):
    """Too many requests (429); `retry_after_seconds` says how long the server wants to be left alone."""


class ServerError(ApiError):
    """The server failed (5xx), also after the retries."""


class EventRejectedError(LotusError):
    """One event was not counted.

    Attributes:
        status: `rejected` (the event cannot be counted as it is) or `conflict` (its id was used for another content).
        reason: the server's reason.
        idempotency_id: the event's id.
    """

    def __init__(self, reason: str = "", *, status: str = "rejected", idempotency_id: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.idempotency_id = idempotency_id

    def __str__(self) -> str:
        return f"event {self.idempotency_id}: {self.status}: {self.reason}"


class QueueFullError(LotusError):
    """One event was not taken: `max_queue_size` events were waiting already."""


def _problem_text(problem: Any) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    field = problem.get("field")
    detail = problem.get("detail") or problem.get("message") or problem.get("code") or ""
    return f"{field}: {detail}" if field else str(detail)
