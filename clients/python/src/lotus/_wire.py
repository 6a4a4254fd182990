"""Requests and responses as plain values, and how an unsuccessful response becomes an error."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from lotus import _json
from lotus.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ValidationError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_T = TypeVar("_T")

_ERRORS_BY_STATUS: dict[int, type[ApiError]] = {
    400: ValidationError,
    401: AuthenticationError,
    404: NotFoundError,
    409: ConflictError,
    422: ValidationError,
    429: RateLimitError,
}
SERVER_ERROR_STATUS_MIN = 500


@dataclass(frozen=True)
class Request:
    """One HTTP request below the host; sent as it stands by every attempt."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Response:
    """One HTTP response; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 200 to 299."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the definition of success

    def json(self) -> Any:
        """Return the body as JSON, or None when it is not JSON."""
        try:
            return _json.decode(self.body)
        except ValueError:
            return None


def post(
    path: str,
    body: bytes,
    *,
    gzip_threshold_bytes: int | None,
    idempotency_key: str | None = None,
    query: tuple[tuple[str, str], ...] = (),
) -> Request:
    """Return a POST of a JSON body, compressed when it has at least `gzip_threshold_bytes` (None: never)."""
    headers = {"content-type": "application/json"}
    if idempotency_key is not None:
        headers["idempotency-key"] = idempotency_key
    if gzip_threshold_bytes is not None and len(body) >= gzip_threshold_bytes:
        headers["content-encoding"] = "gzip"
        body = gzip.compress(body, compresslevel=6, mtime=0)  # no time inside: equal bodies stay equal bytes
    return Request("POST", path, query, headers, body)


def read(response: Response, kind: type[_T]) -> _T:
    """Return the body of a successful response, which is a JSON array (`list`) or object (`dict`).

    Raises:
        ApiError: the response is unsuccessful, or its body is something else (code `malformed_response`).
    """
    if not response.is_success:
        raise error_from_response(response)
    value = response.json()
    if not isinstance(value, kind):
        raise malformed(response, f"expected a JSON {'array' if kind is list else 'object'}")
    return value


def error_from_response(response: Response) -> ApiError:
    """Return the typed error of an unsuccessful response, read from its problem document as far as there is one."""
    value = response.json()
    problem = value if isinstance(value, dict) else {}
    status = response.status
    kind = ServerError if status >= SERVER_ERROR_STATUS_MIN else _ERRORS_BY_STATUS.get(status, ApiError)
    found = problem.get("validation_errors")
    return kind(
        str(problem.get("detail") or _excerpt(response)),
        status=status,
        code=str(problem.get("title") or f"http_{status}"),
        validation_errors=found if isinstance(found, list) else [],
        request_id=response.headers.get("x-request-id"),
        retry_after_seconds=retry_after_seconds(response.headers, now=None),
        body=value if value is not None else response.body.decode(errors="replace") or None,
    )


def malformed(response: Response, expected: str) -> ApiError:
    """Return the error for an answer that claims success in a form that this client does not know."""
    return ApiError(
        f"{expected}, got: {_excerpt(response)}",
        status=response.status,
        code="malformed_response",
        request_id=response.headers.get("x-request-id"),
        body=response.body.decode(errors="replace"),
    )


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime | None) -> float | None:
    """Return how long the server asks to wait, at least 0; None when it does not say so in a readable way.

    Args:
        headers: names in lower case.
        now: the instant from which a date counts; None leaves dates out and reads seconds only.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    if now is None or not text:
        return None
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=timezone.utc)
    return max(0.0, (until - now).total_seconds())


def _excerpt(response: Response) -> str:
    text = response.body[:200].decode(errors="replace").strip()
    return text or "an empty body"
