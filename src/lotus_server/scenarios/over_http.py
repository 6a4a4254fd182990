"""The API of a running server."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

from lotus_server.kernel.errors import Conflict, Invalid, Unavailable
from lotus_server.kernel.instants import parse_instant, to_text
from lotus_server.scenarios.api import Api, Json, Reply, decode, encode

# Moving a clock over years is one call.
ANSWER_SECONDS_MAX: Final = 600.0


class HttpApi:
    """Calls a server with one organization's key, over one connection that is kept open."""

    def __init__(self, url: str, api_key: str) -> None:
        """Call the server at `url`. Raises Invalid when that is no http or https address."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Invalid.field("url", "invalid", "The server's address is like http://127.0.0.1:8000.")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=ANSWER_SECONDS_MAX)
        self._prefix = parts.path.rstrip("/")
        self._url = url
        self._headers = {"X-API-KEY": api_key, "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Json = None) -> Reply:
        """Carry out one call. Raises Unavailable when nothing answers."""
        try:
            self._connection.request(method, self._prefix + path, encode(body), self._headers)
            response = self._connection.getresponse()
            return decode(response.status, response.read())
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise Unavailable(f"{self._url} does not answer: {error}.") from None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class OneOrganization:
    """A stage with a single organization: one scenario can be played there, in a sandbox that holds nothing yet."""

    def __init__(self, url: str, api_key: str) -> None:
        """Play in the organization of an API key."""
        self._url = url
        self._api_key = api_key

    @contextmanager
    def open(self, name: str, start: datetime) -> Iterator[Api]:
        """Return the API once the organization is known to be an empty sandbox, its clock at `start`.

        Raises Conflict: `not_a_sandbox`, or because it holds something, or its clock is ahead of the start.
        """
        api = HttpApi(self._url, self._api_key)
        try:
            _prepare(api, name, start)
            yield api
        finally:
            api.close()


def _prepare(api: Api, name: str, start: datetime) -> None:
    clock = api.call("GET", "/api/clock/")
    if not clock.is_success:
        detail = clock.body.get("detail") if isinstance(clock.body, dict) else clock.body
        raise Conflict(f"Scenarios are played in sandboxes only: {detail}", code="not_a_sandbox")
    for kind in ("customers", "plans", "metrics", "features", "invoices"):
        if api.call("GET", f"/api/{kind}/?limit=1").body != []:
            detail = f"The organization of this API key has {kind} already. A scenario is played in an empty one."
            raise Conflict(detail)
    now = parse_instant(clock.body["now"])
    if now is not None and now < start:
        moved = api.call("POST", "/api/clock/", {"now": to_text(start)})
        now = start if moved.is_success else None
    if now != start:
        detail = f"{name!r} starts at {to_text(start)}, and the organization's clock stands at {clock.body['now']}."
        raise Conflict(detail)
