"""The settings of a client: read once, checked together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypedDict

import httpx

from lotus._fields import Problems

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_HOST = "https://api.uselotus.io"
BATCH_EVENTS_MAX = 10_000
"""The server takes no more events in one request."""


class ClientOptions(TypedDict, total=False):
    """The keyword options that both clients share; the README's table says what each means."""

    host: str | None
    flush_at: int
    flush_interval_seconds: float
    max_batch_size: int
    max_queue_size: int
    timeout_seconds: float
    max_retries: int
    gzip_threshold_bytes: int | None
    exit_timeout_seconds: float


@dataclass(frozen=True)
class Options:
    """The settings of a client, all of them valid.

    Attributes:
        api_key: sent as `X-API-KEY`.
        host: scheme, name and path prefix of the server, without a slash at the end.
        flush_at: events that wait before a batch is sent; from 1.
        flush_interval_seconds: the longest that an event waits for others; from 0.
        max_batch_size: events in one request; 1 to 10,000.
        max_queue_size: events without a verdict that are kept; one more fails with QueueFullError; from 1.
        timeout_seconds: for connecting, for sending and for each wait for the answer; more than 0.
        max_retries: attempts after the first one; from 0.
        gzip_threshold_bytes: request bodies of at least this size are compressed; None: none are.
        exit_timeout_seconds: the longest that the end of the program is held up for events that wait; from 0.
    """

    api_key: str = field(repr=False)
    host: str = DEFAULT_HOST
    flush_at: int = 20
    flush_interval_seconds: float = 10.0
    max_batch_size: int = 1000
    max_queue_size: int = 100_000
    timeout_seconds: float = 10.0
    max_retries: int = 3
    gzip_threshold_bytes: int | None = 1024
    exit_timeout_seconds: float = 60.0


_COUNTS = {"flush_at": 1, "max_batch_size": 1, "max_queue_size": 1, "max_retries": 0, "gzip_threshold_bytes": 0}
_DURATIONS = ("flush_interval_seconds", "timeout_seconds", "exit_timeout_seconds")


def read_options(api_key: str | None, given: Mapping[str, Any], environment: Mapping[str, str]) -> Options:
    """Return the settings: what is given, else `LOTUS_API_KEY` and `LOTUS_HOST` of the environment, else the defaults.

    Raises:
        ValidationError: with every setting that is missing, unknown or out of its range.
    """
    problems = Problems()
    known = {each.name for each in fields(Options)} - {"api_key"}
    for name in given.keys() - known:
        problems.add(name, "unknown", f"no such option; there is {', '.join(sorted(known))}")
    key = api_key or environment.get("LOTUS_API_KEY") or ""
    host = given.get("host") or environment.get("LOTUS_HOST") or DEFAULT_HOST
    rest = {name: value for name, value in given.items() if name in known and name != "host"}
    if not key:
        problems.add("api_key", "required", "must be given, here or as LOTUS_API_KEY")
    elif not (isinstance(key, str) and key.isascii() and key.isprintable() and " " not in key):
        problems.add("api_key", "invalid", "must be printable ASCII without spaces")
    if not _is_host(host):
        problems.add("host", "invalid", f"must begin with http:// or https:// and a name, not {host!r}")
    for name, least in _COUNTS.items():
        _check_count(name, rest, least, problems)
    for name in _DURATIONS:
        _check_duration(name, rest, problems)
    problems.raise_if_any("the client's options are not usable: nothing")
    return Options(api_key=key, host=host.rstrip("/"), **rest)


def _is_host(host: Any) -> bool:
    if not isinstance(host, str) or any(character.isspace() for character in host):
        return False
    try:
        url = httpx.URL(host)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host) and not (url.query or url.fragment)


def _check_count(name: str, rest: Mapping[str, Any], least: int, problems: Problems) -> None:
    if name not in rest or (rest[name] is None and name == "gzip_threshold_bytes"):
        return
    value = rest[name]
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        problems.add(name, "invalid", f"must be a whole number from {least}, not {value!r}")
    elif name == "max_batch_size" and value > BATCH_EVENTS_MAX:
        problems.add(name, "invalid", f"must be at most {BATCH_EVENTS_MAX}, not {value}")


def _check_duration(name: str, rest: Mapping[str, Any], problems: Problems) -> None:
    if name not in rest:
        return
    value = rest[name]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value < 0 or (value == 0 and name == "timeout_seconds"):
        problems.add(name, "invalid", f"must be a number of seconds, not {value!r}")
