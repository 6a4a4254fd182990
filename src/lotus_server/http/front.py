"""The front: every request passes here first.

It forgives what old clients do to paths, knows who is calling, serves the hot paths itself, and hands everything
else to the resources of the API or to the pages of the web app.
"""

import asyncio
import itertools
from typing import Final

import structlog

from lotus_server.domain.accounts import Principal
from lotus_server.http import metrics
from lotus_server.http.api import access, track
from lotus_server.http.api.access import Handler
from lotus_server.http.paths import tidy_path
from lotus_server.http.problems import PROBLEM_JSON, internal_error, problem, problem_of
from lotus_server.http.replay import Replays
from lotus_server.http.requests import (
    App,
    Incoming,
    Message,
    Receive,
    Reply,
    Request,
    Scope,
    Send,
    header,
    inflate,
    read_body,
)
from lotus_server.kernel.errors import LotusError, Unauthenticated
from lotus_server.ports.event_store import Decoder
from lotus_server.usecases.access import AccessCache, load_principal
from lotus_server.usecases.services import Services

_log = structlog.get_logger()
_HEALTHCHECK: Final = "/api/healthcheck/"
# What is served with the API's resources though it needs no key: their descriptions, and the server's figures.
_OPEN_RESOURCES: Final = ("/docs", "/openapi.json", "/metrics", "/static-offline-docs", "/api/")
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Front:
    """The outermost ASGI application."""

    def __init__(
        self, services: Services, cache: AccessCache, resources: App, pages: App, *, decode: Decoder, boot_id: str
    ) -> None:
        """Stand before `resources` and `pages`; `boot_id` makes the ids of requests unique over restarts."""
        self._services = services
        self._cache = cache
        self._resources = resources
        self._pages = pages
        self._replays = Replays(services)
        self._request_ids = (f"{boot_id}-{number}".encode() for number in itertools.count(1))
        self._hot = {
            ("POST", "/api/track/"): track.TrackPath(services, decode).handle,
            **access.AccessPaths(services, cache).handlers(),
        }
        self._hot_methods = {path: method.encode() for method, path in self._hot}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._resources(scope, receive, send)
            return
        receive = Incoming(scope, receive)
        out = Outgoing(send, next(self._request_ids), scope["method"], receive)
        path = tidy_path(scope.get("raw_path") or scope["path"].encode())
        scope["path"], scope["lotus.request_id"] = path, out.request_id
        try:
            if path == _HEALTHCHECK and scope["method"] in {"GET", "HEAD"}:
                await Reply(200, b"{}").send(out)
            elif path.startswith("/api/") and path != _HEALTHCHECK:
                await self._serve_caller(scope, receive, out)
            elif path.startswith(_OPEN_RESOURCES):
                await self._resources(scope, receive, out)
            else:
                await self._pages(scope, receive, out)
        except LotusError as error:
            status, body = problem_of(error)
            await Reply(status, body, PROBLEM_JSON).send(out)
        except Exception:  # noqa: BLE001 - whatever broke, the caller gets an answer and the log the traceback
            _log.exception("request_failed", method=scope["method"], path=path, request_id=out.request_id.decode())
            if not out.has_started:
                await Reply(500, internal_error(out.request_id), PROBLEM_JSON).send(out)

    async def _serve_caller(self, scope: Scope, receive: Receive, out: "Outgoing") -> None:
        principal = await self._authenticate(scope)
        handle = self._hot.get((scope["method"], scope["path"]))
        if handle is not None:
            await self._serve_hot(handle, scope, receive, out, principal)
            return
        allowed = self._hot_methods.get(scope["path"])
        if allowed is not None:
            body = problem(405, "method_not_allowed", "This path does not take this method.")
            await Reply(405, body, PROBLEM_JSON, ((b"allow", allowed),)).send(out)
            return
        scope["lotus.principal"] = principal
        if scope["method"] not in _WITH_BODY:
            await self._resources(scope, receive, out)
            return
        body = await _plain_body(scope, receive)
        await self._replays.serve(self._resources, scope, body, out, principal)

    async def _serve_hot(
        self, handle: Handler, scope: Scope, receive: Receive, out: "Outgoing", principal: Principal
    ) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            reply = await handle(Request(scope, receive, principal))
            await reply.send(send)

        if scope["method"] == "POST" and header(scope, b"idempotency-key") is not None:
            body = await _plain_body(scope, receive)
            scope["headers"] = [each for each in scope["headers"] if each[0] != b"content-encoding"]
            await self._replays.serve(app, scope, body, out, principal)
        else:
            await app(scope, receive, out)

    async def _authenticate(self, scope: Scope) -> Principal:
        text = _api_key(scope)
        principal = self._cache.principal(text)
        if principal is None:
            as_of = self._cache.changes_seen
            principal = await asyncio.to_thread(load_principal, self._services, text)
            self._cache.keep_principal(text, principal, as_of)
        return principal


async def _plain_body(scope: Scope, receive: Receive) -> bytes:
    body = await read_body(scope, receive)
    return inflate(body) if b"gzip" in (header(scope, b"content-encoding") or b"") else body


def _api_key(scope: Scope) -> str:
    key = header(scope, b"x-api-key")
    if key is None:
        authorization = header(scope, b"authorization") or b""
        kind, _, rest = authorization.partition(b" ")
        key = rest.strip() if kind.lower() == b"bearer" else None
    if not key:
        raise Unauthenticated("Send an API key in the header X-API-KEY, or as Authorization: Bearer.")
    return key.decode("latin-1")


class Outgoing:
    """Passes a response on with the request's id, and counts it."""

    def __init__(self, send: Send, request_id: bytes, method: str, incoming: Incoming) -> None:
        """Pass on to `send`, once all of the request has come in."""
        self._send = send
        self._incoming = incoming
        self._method = method
        self.request_id = request_id
        self.has_started = False

    async def __call__(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start":
            await self._incoming.finish()
            self.has_started = True
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.request_id)]
            metrics.count_request(self._method, message["status"])
        await self._send(message)
