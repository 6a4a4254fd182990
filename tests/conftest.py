"""What every test can ask for."""

import ipaddress
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.postgres_server import PostgresServer, find_programs, running_postgres

# The machine that runs the tests may be busy, so slowness alone is no failure. `make test` (CI) takes the same examples
# each time, so that whoever repeats a failed run sees the failure; `make test-long` looks for new ones.
hypothesis.settings.register_profile("short", deadline=None, print_blob=True, derandomize="CI" in os.environ)
hypothesis.settings.register_profile("long", deadline=None, print_blob=True, max_examples=2_000)
hypothesis.settings.load_profile("short")


_FOLDER = Path(__file__).parent


def _refuse_other_machines(event: str, arguments: tuple[object, ...]) -> None:
    """Tests talk to this machine only; a test that needs the internet fails, here and everywhere."""
    if event != "socket.connect":
        return
    address = arguments[1]
    if not isinstance(address, tuple):
        return  # a unix socket
    host = str(address[0]).partition("%")[0]  # without an IPv6 zone
    if host == "localhost":
        return
    try:
        allowed = ipaddress.ip_address(host).is_loopback
    except ValueError:
        allowed = False
    if not allowed:
        message = f"a test tried to reach {host}"
        raise RuntimeError(message)


sys.addaudithook(_refuse_other_machines)

# On several cores, what takes longest begins first: else one core works through a long file at the end, and all others
# wait for it. A file's tests stay together, for its servers and databases.
_LONGEST_FIRST = (
    "http/test_openapi.py",
    "crash/",
    "web/",
    "clients/",
    "contracts/test_records",
    "scenarios/",
    "http/",
    "usecases/",
    "contracts/",
    "adapters/",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the files by how long they take, if others run at the same time."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _place_in_line(item.path.relative_to(_FOLDER).as_posix()))


def _place_in_line(path: str) -> int:
    return next((place for place, start in enumerate(_LONGEST_FIRST) if path.startswith(start)), len(_LONGEST_FIRST))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test run; skipped on a machine without one, unless the run must not skip."""
    programs = find_programs()
    if programs is None:
        reason = "PostgreSQL's programs are not installed (`make test` installs them)"
        if os.environ.get("LOTUS_TEST_POSTGRES") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    with running_postgres(programs) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """SQLAlchemy's address of the server's own database `postgres`; for data, ask for `postgres_database`."""
    return postgres_server.url()


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[str]:
    """SQLAlchemy's address of an empty database that only this test uses."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)
