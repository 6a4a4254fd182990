"""Our own libraries for Node.js and Python hold their tests against a real server, README examples included."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository import ROOT
from tests.server_process import ServerProcess

SECONDS_MAX = 600


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "data") as server:
        yield server


def run(command: list[str], folder: Path, server: ServerProcess) -> None:
    environment = {**os.environ, "LOTUS_HOST": server.url, "LOTUS_API_KEY": server.api_key}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-4000:]}"


@pytest.mark.timeout(SECONDS_MAX)
def test_the_node_library_works_against_a_real_server(server: ServerProcess) -> None:
    run(["npm", "run", "--silent", "test:server"], ROOT / "clients" / "node", server)


@pytest.mark.timeout(SECONDS_MAX)
def test_the_python_library_works_against_a_real_server(server: ServerProcess) -> None:
    run([sys.executable, "-m", "pytest", "-q", "-m", "server", "tests/server"], ROOT / "clients" / "python", server)
