"""Every scenario of this folder, of the examples and of the guide comes out as it says, in process and over HTTP."""

import re
from pathlib import Path

import pytest

from lotus_server.scenarios import Stage
from tests.repository import ROOT
from tests.scenarios.stages import EXAMPLES, TIMELINES, play

GUIDE = ROOT / "docs" / "guides" / "scenarios.md"
FILES = [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in (*TIMELINES, *EXAMPLES, GUIDE)]


def text_of(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        (text,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    return text


@pytest.mark.parametrize("path", FILES)
def test_a_scenario_comes_out_as_it_says_in_process(path: Path, in_process: Stage) -> None:
    assert play(in_process, text_of(path)) == []


@pytest.mark.parametrize("path", FILES)
def test_a_scenario_comes_out_as_it_says_over_http(path: Path, on_server: Stage) -> None:
    assert play(on_server, text_of(path)) == []
