"""The published package in an environment of its own, and clients made of it that run there."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.repository import ROOT

PACKAGE = "lotus-python==0.12.0"
# Its models are written for the first pydantic, which its metadata does not say.
NEEDS = "pydantic<2"
ENVIRONMENT = ROOT / ".tools" / "third-party-lotus-python"
DRIVER = Path(__file__).parent / "driver.py"
INSTALL_SECONDS_MAX = 300

Json = Any


class PackageError(Exception):
    """What a call of the package raised: `kind` is the name of its class there."""

    def __init__(self, answer: dict[str, Json]) -> None:
        super().__init__(f"{answer['raised']}: {answer['text']}")
        self.kind: str = answer["raised"]
        self.text: str = answer["text"]
        self.status: int | None = answer["status"]
        self.payload: Json = answer["payload"]


def installed_python() -> Path:
    """Return the Python that has the package, which is fetched from PyPI when it is missing."""
    python = ENVIRONMENT / "bin" / "python"
    mark = ENVIRONMENT / "installed"
    wanted = f"{PACKAGE} {NEEDS}\n"
    if not mark.exists() or mark.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        _uv("venv", "--quiet", "--python", "3.11", str(ENVIRONMENT))
        _uv("pip", "install", "--quiet", "--python", str(python), PACKAGE, NEEDS)
        mark.write_text(wanted, encoding="utf-8")
    return python


def _uv(*arguments: str) -> None:
    found = subprocess.run(
        [ROOT / "scripts" / "uv", *arguments], check=False, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX
    )
    assert not found.returncode, f"uv {' '.join(arguments)}: {found.stderr}"


class PackageClient:
    """A client of the package in its own process. A call returns what the package's call returns, as JSON."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, call: str, /, *arguments: Json, **named: Json) -> Json:
        """Make a call; raises PackageError for whatever it raises."""
        return self._ask({"call": call, "arguments": arguments, "named": named})

    def of_module(self, call: str, /, *arguments: Json, **named: Json) -> Json:
        """Make a call of the module, which keeps a client of its own."""
        return self._ask({"call": call, "arguments": arguments, "named": named, "of_module": True})

    def lost(self) -> list[str]:
        """Return what went wrong in the background."""
        return list(self._ask({"call": "$lost"}))

    def _ask(self, order: dict[str, Json]) -> Json:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("answer "):
                answer = json.loads(line.removeprefix("answer "))
                if "raised" in answer:
                    raise PackageError(answer)
                return answer["returned"]
        raise AssertionError("the client's process has ended")


@contextmanager
def running_client(python: Path, **options: Json) -> Iterator[PackageClient]:
    """A client with the given options, until the block ends."""
    command = [str(python), str(DRIVER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(options) + "\n")
        process.stdin.flush()
        try:
            yield PackageClient(process)
        finally:
            process.stdin.close()
            process.wait(60)
