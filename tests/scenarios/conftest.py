"""Fixtures: one stage in this process and one server for all scenarios."""

from collections.abc import Iterator

import pytest

from lotus_server.scenarios import Stage
from tests.scenarios.stages import stage


@pytest.fixture(scope="session")
def in_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage("in process", tmp_path_factory.mktemp("process")) as opened:
        yield opened


@pytest.fixture(scope="session")
def on_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage("over HTTP", tmp_path_factory.mktemp("server")) as opened:
        yield opened
