"""A real server: `lotus serve` in a process of its own, on a free port and a data directory of its own."""

import contextlib
import itertools
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

API_KEY = "key-of-the-test"
LOTUS = (sys.executable, "-m", "lotus_server")
# The machine that runs the tests may be busy with other things.
START_SECONDS_MAX = 90.0
STOP_SECONDS_MAX = 60.0
ANSWER_SECONDS_MAX = 60.0
# Servers under test speak plain HTTP, and reading the certificates of the world takes longer than most tests.
NO_CERTIFICATES: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_POLL_SECONDS = 0.02


# Below the ports of outgoing connections: one of those could take a port between two starts of a server.
_PORTS: Final = range(20_000, 32_000)
_first_port: Final[int] = secrets.choice(_PORTS)
_from_there = [*range(_first_port, _PORTS.stop), *range(_PORTS.start, _first_port)]
_next_ports: Final[Iterator[int]] = itertools.cycle(_from_there)


def free_port() -> int:
    """A port that nothing listens on at this moment, and that nothing else asks for soon."""
    for port in itertools.islice(_next_ports, len(_PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("every port is taken")


def environment_of(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a program under test: what this process has without its settings of Lotus, and more."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOTUS_")}
    return {**kept, "COLUMNS": "200", **(more or {})}


def run_lotus(
    *arguments: str, env: Mapping[str, str] | None = None, seconds_max: float = START_SECONDS_MAX
) -> subprocess.CompletedProcess[str]:
    """Run a command of `lotus` to its end, whatever its exit status."""
    return subprocess.run(
        [*LOTUS, *arguments],
        env=environment_of(env),
        capture_output=True,
        text=True,
        timeout=seconds_max,
        check=False,
    )


class ServerProcess:
    """A server that can be started on the same data directory again and again."""

    def __init__(self, data: Path, env: Mapping[str, str] | None = None, *, arguments: tuple[str, ...] = ()) -> None:
        """Prepare; `start` starts it. `env` comes on top of this process's environment without its settings."""
        self.data = data
        self.api_key = API_KEY
        self.port = free_port()
        self._env = {"LOTUS_BOOTSTRAP_API_KEY": API_KEY, **(env or {})}
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._client: httpx.Client | None = None
        data.mkdir(parents=True, exist_ok=True)
        self._output = data.with_name(f"{data.name}.out")
        self._log = data.with_name(f"{data.name}.log")

    @property
    def url(self) -> str:
        """Where it listens, without a final slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> httpx.Client:
        """A client with the first organization's key."""
        if self._client is None:
            self._client = self.new_client(self.api_key)
        return self._client

    @property
    def output(self) -> str:
        """What all runs so far wrote for people."""
        return self._output.read_text(encoding="utf-8") if self._output.exists() else ""

    @property
    def log(self) -> str:
        """What all runs so far logged."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def new_client(self, api_key: str | None) -> httpx.Client:
        """A client with a key, or without one; whoever asks closes it."""
        headers = {} if api_key is None else {"X-API-KEY": api_key}
        return httpx.Client(base_url=self.url, headers=headers, timeout=ANSWER_SECONDS_MAX, verify=NO_CERTIFICATES)

    def start(self) -> Self:
        """Start the program and return once requests are answered."""
        assert self._process is None, "it is running"
        command = [*LOTUS, "serve", "--data", str(self.data), "--port", str(self.port), *self._arguments]
        with self._output.open("ab") as output, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=environment_of(self._env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.wait()
        except BaseException:
            self._process.kill()
            self._process.wait(STOP_SECONDS_MAX)
            self._forget()
            raise
        return self

    def is_answering(self) -> bool:
        """Tell whether a request is answered now. Takes no more of the processor than it must: it is asked often."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/api/healthcheck/")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def wait(self) -> Self:
        """Return once requests are answered."""
        give_up_at = time.monotonic() + START_SECONDS_MAX
        while not self.is_answering():
            assert self._process is not None
            assert self._process.poll() is None, f"the server ended with {self._process.poll()}:\n{self.log}"
            assert time.monotonic() < give_up_at, f"the server does not answer:\n{self.log}"
            time.sleep(_POLL_SECONDS)
        return self

    def get(self, path: str, **query: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Read with the first organization's key."""
        response = self.client.get(path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, body: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Make something with the first organization's key."""
        response = self.client.post(path, json=body)
        assert response.status_code == 201, response.text
        return response.json()

    @property
    def process_id(self) -> int:
        """The front's process id."""
        assert self._process is not None
        return self._process.pid

    def writer_process_ids(self) -> list[int]:
        """The process ids of the front's children, which are the event writer's."""
        children = Path(f"/proc/{self.process_id}/task/{self.process_id}/children")
        return [int(text) for text in children.read_text(encoding="utf-8").split()]

    def kill(self, *, with_writer: bool = False) -> None:
        """End the front as a power cut would, and the event writer's process too if wanted."""
        writers = self.writer_process_ids() if with_writer else []
        assert self._process is not None
        for process_id in (self._process.pid, *writers):
            os.kill(process_id, signal.SIGKILL)
        self._process.wait(STOP_SECONDS_MAX)
        self._forget()

    def stop(self) -> int:
        """Press Ctrl-C, and return the exit status of a server that ended in good order: 0."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self.wait_for_end()

    def wait_for_end(self) -> int:
        """Return the exit status of a server that was told to end."""
        assert self._process is not None
        status = self._process.wait(STOP_SECONDS_MAX)
        self._forget()
        return status

    def _forget(self) -> None:
        self._process = None
        if self._client is not None:
            self._client.close()
            self._client = None

    def __enter__(self) -> Self:
        """Start and wait until requests are answered."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop if it is still running."""
        if self._process is None:
            return
        if kind is None:
            status = self.stop()
            assert status == 0, f"the server ended with {status}:\n{self.log}"
        else:
            self._process.kill()
            self._process.wait(STOP_SECONDS_MAX)
            self._forget()


def wait_for_output(server: ServerProcess, text: str) -> str:
    """What the server has printed once it has printed a text, the way of its lines taken out."""
    give_up_at = time.monotonic() + START_SECONDS_MAX
    while text not in server.output:
        assert time.monotonic() < give_up_at, server.output
        time.sleep(_POLL_SECONDS)
    return server.output
