"""What Prometheus reads at `/metrics`."""

from typing import Final

from prometheus_client import Counter, Histogram, generate_latest
from starlette.responses import Response

_REQUESTS: Final = Counter(
    "lotus_http_requests_total", "Requests answered, by method and status.", ["method", "status"]
)
# Anybody may send any word as a method, and each label value is kept for ever.
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_EVENTS: Final = Counter("lotus_events_total", "Events received, by verdict.", ["verdict"])
_APPEND_SECONDS: Final = Histogram(
    "lotus_append_seconds",
    "Time from a decoded request to its events being on disk.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)


def count_request(method: str, status: int) -> None:
    """Count an answered request."""
    _REQUESTS.labels(method if method in _METHODS else "other", str(status)).inc()


def count_events(*, accepted: int, duplicates: int, failed: int) -> None:
    """Count the events of a request."""
    _EVENTS.labels("accepted").inc(accepted)
    _EVENTS.labels("duplicate").inc(duplicates)
    _EVENTS.labels("failed").inc(failed)


def observe_append(seconds: float) -> None:
    """Note how long it took until the events of a request were on disk."""
    _APPEND_SECONDS.observe(seconds)


def exposition() -> Response:
    """Return all figures in Prometheus' text format."""
    return Response(generate_latest(), media_type="text/plain; version=0.0.4")
