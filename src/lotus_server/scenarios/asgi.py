"""The API of an ASGI application in this process, called without a network."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from lotus_server.scenarios.api import Json, Reply, decode, encode

_Message = MutableMapping[str, Any]
App = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]
_HOST: Final = b"in-process"


class AsgiApi:
    """Calls an application with one organization's key."""

    def __init__(self, app: App, runner: asyncio.Runner, api_key: str) -> None:
        """Call `app` on the runner's loop: all calls to one application have to be on one loop."""
        self._app = app
        self._runner = runner
        self._api_key = api_key

    def call(self, method: str, path: str, body: Json = None) -> Reply:
        """Carry out one call."""
        return self._runner.run(self._call(method, path, encode(body)))

    async def _call(self, method: str, path: str, body: bytes) -> Reply:
        raw_path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": raw_path,
            "raw_path": raw_path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (b"host", _HOST),
                (b"x-api-key", self._api_key.encode()),
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
            "state": {},
        }
        is_read = False
        status = 500
        parts: list[bytes] = []

        async def receive() -> _Message:
            nonlocal is_read
            if is_read:
                return {"type": "http.disconnect"}
            is_read = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: _Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return decode(status, b"".join(parts))
