"""Raw ASGI in and out: what the hot paths and the front need of a request, and a reply of bytes."""

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from lotus_server.domain.accounts import Principal
from lotus_server.http.json_reply import JSON
from lotus_server.kernel.errors import Invalid, TooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_BYTES_MAX: Final = 10_000_000
DISCARDED_BYTES_MAX: Final = 100_000_000


class Request(msgspec.Struct):
    """One request of an authenticated caller."""

    scope: Scope
    receive: Receive
    principal: Principal

    def header(self, name: bytes) -> bytes | None:
        """Return a header by its name in lower case."""
        return header(self.scope, name)

    def query(self) -> dict[str, str]:
        """Return the query's parameters; of a repeated one the first counts."""
        raw = self.scope["query_string"]
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True) if raw else []
        return dict(reversed(pairs))

    async def body(self) -> bytes:
        """Return the whole body as it was sent. Raises TooLarge beyond 10 MB."""
        return await read_body(self.scope, self.receive)


class Reply(msgspec.Struct, frozen=True):
    """A complete response."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def send(self, send: Send) -> None:
        """Send the response."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status,
                "headers": [
                    (b"content-type", self.content_type.encode()),
                    (b"content-length", str(len(self.body)).encode()),
                    *self.headers,
                ],
            }
        )
        await send({"type": "http.response.body", "body": self.body})


class Incoming:
    """Passes a request's body on, and can read what nobody asked for.

    An answer that is sent before the body was read closes the connection under the client, which then sees a reset
    instead of the answer.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        """Pass on from `receive`."""
        self._receive = receive
        self._is_complete = (header(scope, b"content-length") or b"0") == b"0" and (
            header(scope, b"transfer-encoding") is None
        )

    async def __call__(self) -> Message:
        """Return the next message."""
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._is_complete = True
        return message

    async def finish(self) -> None:
        """Read the rest of the body and throw it away, up to 100 MB."""
        size = 0
        while not self._is_complete and size < DISCARDED_BYTES_MAX:
            size += len((await self()).get("body", b""))


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return a request header by its name in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """Return a request's whole body. Raises TooLarge beyond 10 MB.

    What comes beyond is read all the same, up to a point, and thrown away: an answer reaches only a client that could
    finish sending.
    """
    announced = header(scope, b"content-length")
    is_too_large = announced is not None and announced.isdigit() and int(announced) > BODY_BYTES_MAX
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The connection ended before the body was complete.", code="incomplete_body")
        part = message.get("body", b"")
        size += len(part)
        is_too_large = is_too_large or size > BODY_BYTES_MAX
        is_last = not message.get("more_body", False)
        if is_too_large and (is_last or size > DISCARDED_BYTES_MAX):
            raise _too_large()
        if is_too_large:
            parts.clear()
        else:
            parts.append(part)
        if is_last:
            return parts[0] if len(parts) == 1 else b"".join(parts)


def inflate(body: bytes) -> bytes:
    """Return a gzip body unpacked. Raises Invalid `invalid_gzip`, TooLarge when it unpacks to more than 10 MB."""
    parts: list[bytes] = []
    room = BODY_BYTES_MAX + 1
    while body or not parts:  # a gzip body may have several members
        unpacker = zlib.decompressobj(wbits=31)
        try:
            parts.append(unpacker.decompress(body, room))
        except zlib.error:
            raise Invalid("The body is announced as gzip but is not valid gzip.", code="malformed_gzip") from None
        room -= len(parts[-1])
        if room <= 0:
            raise _too_large()
        if not unpacker.eof:
            raise Invalid("The gzip body ends before it is complete.", code="malformed_gzip")
        body = unpacker.unused_data
    return b"".join(parts)


def _too_large() -> TooLarge:
    return TooLarge(f"A request body has at most {BODY_BYTES_MAX // 1_000_000} MB.", code="body_too_large")
