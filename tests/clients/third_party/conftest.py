"""A server, and clients of the published package that talk to it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clients.third_party.lotus_process import LotusProcess, running_lotus
from tests.clients.third_party.package import PackageClient, installed_python, running_client
from tests.clients.third_party.world import World, make_world


@pytest.fixture(scope="session")
def package_python() -> Path:
    return installed_python()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LotusProcess]:
    with running_lotus(tmp_path_factory.mktemp("lotus")) as server:
        yield server


@pytest.fixture(scope="session")
def world(server: LotusProcess) -> World:
    return make_world(server)


@pytest.fixture(scope="session")
def clients(package_python: Path, server: LotusProcess) -> Iterator[dict[bool, PackageClient]]:
    """One client that checks every answer against the package's models, and one that does not."""
    with ExitStack() as stack:
        options = {"api_key": server.key, "host": server.url}
        yield {
            strict: stack.enter_context(running_client(package_python, **options, strict=strict))
            for strict in (True, False)
        }


@pytest.fixture(params=[True, False], ids=["strict", "not strict"])
def client(request: pytest.FixtureRequest, clients: dict[bool, PackageClient]) -> PackageClient:
    return clients[request.param]


@pytest.fixture
def strict_client(clients: dict[bool, PackageClient]) -> PackageClient:
    return clients[True]
