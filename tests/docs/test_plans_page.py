"""Every timeline on the page about plans comes out as it says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lotus_server.scenarios import Stage
from tests.repository import ROOT
from tests.scenarios.stages import play, stage

PAGE = (ROOT / "docs/concepts/plans.md").read_text(encoding="utf-8")
TIMELINES = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def in_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage("in process", Path(tmp_path_factory.mktemp("process"))) as opened:
        yield opened


@pytest.mark.parametrize("timeline", TIMELINES, ids=[text.splitlines()[0] for text in TIMELINES])
def test_a_timeline_comes_out_as_it_says(timeline: str, in_process: Stage) -> None:
    assert play(in_process, timeline) == []


def test_there_are_timelines() -> None:
    assert len(TIMELINES) == 5
