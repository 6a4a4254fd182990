"""Fixtures: records in a database of each kind.

The suites import them by name; making a database from a template is quicker than migrating an empty one.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lotus_server.adapters.records_sql import SqlRecords
from tests.postgres_server import PostgresServer

__all__ = ["postgres_template", "records", "records_url", "shared_records", "sqlite_template"]

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def sqlite_url(path: Path) -> str:
    """SQLAlchemy's address of a file."""
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "template.db"
    SqlRecords.open(sqlite_url(path)).close()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    name = postgres_server.create_database()
    SqlRecords.open(postgres_server.url(name)).close()
    return name


@pytest.fixture(params=KINDS)
def records_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without records that only this test uses."""
    yield from _fresh(request, tmp_path)


@pytest.fixture
def records(records_url: str) -> Iterator[SqlRecords]:
    """Records in a database that only this test uses."""
    opened = SqlRecords.open(records_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module", params=KINDS)
def shared_records(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlRecords]:
    """Records in a database that the tests of this file share."""
    for url in _fresh(request, tmp_path_factory.mktemp("records")):
        opened = SqlRecords.open(url)
        yield opened
        opened.close()


def _fresh(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "sqlite":
        path = folder / "records.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield sqlite_url(path)
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        name = server.create_database(template=request.getfixturevalue("postgres_template"))
        yield server.url(name)
        server.drop_database(name)
