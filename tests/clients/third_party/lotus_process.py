"""A real server process: `lotus serve` on a free port, with a data directory of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

START_SECONDS_MAX: Final = 60
STOP_SECONDS_MAX: Final = 60
KEY: Final = "key-of-the-test"


class LotusProcess:
    """A server that answers at `url` to `key`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = KEY
        self.http = httpx.Client(base_url=url, headers={"X-API-KEY": KEY}, timeout=60)

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        """The answer to a GET that succeeds."""
        return self._answer(self.http.get(path, params=query))

    def post(self, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        """The answer to a POST that succeeds."""
        return self._answer(self.http.post(path, json=body))

    @staticmethod
    def _answer(response: httpx.Response) -> Any:  # noqa: ANN401 - JSON
        assert response.is_success, f"{response.request.method} {response.request.url}: {response.text}"
        return msgspec.json.decode(response.content)


@contextmanager
def running_lotus(folder: Path) -> Iterator[LotusProcess]:
    """A server that has its data in a folder, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOTUS_")}
    environment = {**kept, "LOTUS_BOOTSTRAP_API_KEY": KEY, "LOTUS_BOOTSTRAP_TYPE": "sandbox"}
    command = [sys.executable, "-m", "lotus_server", "serve", "--data", str(folder / "data"), "--port", str(port)]
    with (
        (folder / "server.log").open("w+") as log,
        subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment) as process,
    ):
        server = LotusProcess(f"http://127.0.0.1:{port}")
        try:
            _wait(server, process, folder / "server.log")
            yield server
        finally:
            server.http.close()
            process.terminate()
            process.wait(STOP_SECONDS_MAX)


def _wait(server: LotusProcess, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < end and process.poll() is None:
        try:
            if server.http.get("/api/healthcheck/").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text(encoding='utf-8')}")
