"""Requests that may be sent again.

A POST with an `Idempotency-Key` is carried out once, and its reply is given again.
"""

import asyncio
import hashlib
from contextlib import suppress
from typing import Final

from lotus_server.domain.accounts import Principal
from lotus_server.http.requests import App, Message, Receive, Scope, Send, header
from lotus_server.kernel.errors import Conflict, Invalid
from lotus_server.ports.records import StoredReply
from lotus_server.usecases.replies import find_reply, keep_reply
from lotus_server.usecases.services import Services

KEY_LENGTH_MAX: Final = 255
# Their answers show an API key, this once: it must not lie in the database, nor be given to anybody again.
_NEVER_KEPT: Final = frozenset({"/api/api_keys/"})
_FORBIDDEN: Final = 403


class Replays:
    """Gives stored replies again. Two requests with one key at the same moment are served one after the other."""

    def __init__(self, services: Services) -> None:
        """Keep replies in the records."""
        self._services = services
        self._under_way: dict[tuple[str, str], _Turn] = {}

    async def serve(self, app: App, scope: Scope, body: bytes, send: Send, principal: Principal) -> None:
        """Serve a request whose body was read already, or give the reply of the same request before."""
        key = header(scope, b"idempotency-key")
        if key is None or scope["method"] != "POST" or scope["path"] in _NEVER_KEPT:
            await app(scope, _replaying(body), send)
            return
        if len(key) > KEY_LENGTH_MAX:
            raise Invalid(
                f"An Idempotency-Key has at most {KEY_LENGTH_MAX} characters.", code="invalid_idempotency_key"
            )
        name = (principal.organization.organization_id, key.decode("latin-1"))
        turn = self._under_way.setdefault(name, _Turn())
        turn.requests += 1
        try:
            async with turn.lock:
                await self._serve_once(app, scope, body, send, name=name, request_hash=_hash_of(scope, body, principal))
        finally:
            turn.requests -= 1
            if not turn.requests:
                del self._under_way[name]

    async def _serve_once(
        self, app: App, scope: Scope, body: bytes, send: Send, *, name: tuple[str, str], request_hash: str
    ) -> None:
        stored = await asyncio.to_thread(find_reply, self._services, *name)
        if stored is not None:
            if stored.request_hash != request_hash:
                raise Conflict("The Idempotency-Key was used for another request.", code="idempotency_key_reused")
            await _send_again(stored, send)
            return
        captured = _Captured(send)
        await app(scope, _replaying(body), captured)
        if captured.status < 500 and captured.status != _FORBIDDEN:
            body = b"".join(captured.parts)
            now = self._services.clock.now()
            reply = StoredReply(*name, request_hash, captured.status, body, now)
            with suppress(Conflict):  # another process kept the reply of the same request first
                await asyncio.to_thread(keep_reply, self._services, reply)


class _Turn:
    """Which of the requests with one key is served now, and how many there are."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.requests = 0


class _Captured:
    """Passes a response on and remembers it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 500
        self.parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self.parts.append(message.get("body", b""))
        await self._send(message)


async def _send_again(stored: StoredReply, send: Send) -> None:
    is_problem = stored.status >= 400
    content_type = b"application/problem+json" if is_problem else b"application/json"
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(stored.body)).encode()),
        (b"idempotent-replayed", b"true"),
    ]
    await send({"type": "http.response.start", "status": stored.status, "headers": headers})
    await send({"type": "http.response.body", "body": stored.body})


def _hash_of(scope: Scope, body: bytes, principal: Principal) -> str:
    """Return what tells a true repeat: the same call by a key of the same scope, which may read the same answers."""
    line = f"{principal.scope} {scope['method']} {scope['path']}?".encode() + scope["query_string"] + b"\n"
    return hashlib.blake2b(line + body, digest_size=16).hexdigest()


def _replaying(body: bytes) -> Receive:
    """Return a receive that gives a body which was read already; after that the client is still there, silent."""
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
