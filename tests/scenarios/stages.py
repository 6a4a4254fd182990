"""Where scenarios are played in tests: in this process, and on a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lotus_server.bootstrap.scenarios import stage_in_process, stage_on_server
from lotus_server.scenarios import FileProblem, Mismatch, Scenario, Stage, read_scenario, run_scenario
from lotus_server.settings import Settings
from tests.repository import ROOT
from tests.server_process import ServerProcess

TIMELINES = sorted((ROOT / "tests" / "scenarios" / "timelines").rglob("*.yaml"))
EXAMPLES = sorted((ROOT / "examples" / "scenarios").glob("*.yaml"))


@contextmanager
def stage(kind: str, folder: Path) -> Iterator[Stage]:
    """The application in this process, or a server of its own in a folder."""
    if kind == "in process":
        with stage_in_process() as opened:
            yield opened
    else:
        with (
            ServerProcess(folder / "data") as server,
            stage_on_server(Settings(data=server.data), server.url) as opened,
        ):
            yield opened


def read(text: str) -> Scenario:
    """The scenario of a text that is well-formed."""
    scenario, problems = read_scenario(text)
    assert problems == ()
    assert scenario is not None
    return scenario


def problems_of(text: str) -> list[tuple[int, str]]:
    """Line and text of each problem of a text that is not well-formed."""
    scenario, problems = read_scenario(text)
    assert scenario is None
    assert all(isinstance(each, FileProblem) for each in problems)
    return [(each.line, each.detail) for each in problems]


def play(opened: Stage, text: str) -> list[Mismatch]:
    """The mismatches of playing a text."""
    return list(run_scenario(opened, read(text)).mismatches)
