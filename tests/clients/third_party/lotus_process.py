"""A real server for clients that are not ours: its address, its key, and short ways to make what a test needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.server_process import API_KEY, ServerProcess


class LotusProcess:
    """A server that answers at `url` to `key`."""

    def __init__(self, url: str, http: httpx.Client) -> None:
        self.url = url
        self.key = API_KEY
        self._http = http

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        """The answer to a GET that succeeds."""
        return self._answer(self._http.get(path, params=query))

    def post(self, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        """The answer to a POST that succeeds."""
        return self._answer(self._http.post(path, json=body))

    @staticmethod
    def _answer(response: httpx.Response) -> Any:  # noqa: ANN401 - JSON
        assert response.is_success, f"{response.request.method} {response.request.url}: {response.text}"
        return msgspec.json.decode(response.content)


@contextmanager
def running_lotus(folder: Path) -> Iterator[LotusProcess]:
    """A server that has its data in a folder, in real time, until the block ends."""
    with ServerProcess(folder / "data") as server:
        yield LotusProcess(server.url, server.client)
