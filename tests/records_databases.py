"""Fixtures: records in a database of each kind.

The suites import them by name; making a database from a template is quicker than migrating an empty one, and deleting
the few rows of a test is quicker than truncating every table: PostgreSQL makes new files for each that it truncates.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, update

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.adapters.records_sql.tables import CHANGE_HORIZON, METADATA
from tests.postgres_server import PostgresServer

__all__ = [
    "postgres_records_template",
    "postgres_records_url",
    "records",
    "records_url",
    "shared_records",
    "sqlite_template",
]

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
def postgres_records_template(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a database with the newest schema and nothing in it, to be copied."""
    name = postgres_server.create_database()
    SqlRecords.open(postgres_server.url(name)).close()
    yield name
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def postgres_records_url(postgres_server: PostgresServer, postgres_records_template: str) -> Iterator[str]:
    """A database that the tests use in turn: emptying it takes a tenth of the time that making one takes."""
    name = postgres_server.create_database(template=postgres_records_template)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture(params=KINDS)
def records_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without records that only this test uses."""
    return _empty(request, tmp_path)


@pytest.fixture
def records(records_url: str) -> Iterator[SqlRecords]:
    """Records in a database that only this test uses."""
    with _opened(records_url) as opened:
        yield opened


def _empty(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        path = folder / "records.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return sqlite_url(path)
    url: str = request.getfixturevalue("postgres_records_url")
    engine = create_engine(url)
    with engine.begin() as connection:
        # All rows go, whatever refers to them: a replica asks neither foreign keys nor triggers.
        emptied = [f"DELETE FROM {table.name}" for table in METADATA.sorted_tables if table is not CHANGE_HORIZON]
        connection.exec_driver_sql("; ".join(["SET LOCAL session_replication_role = replica", *emptied]))
        connection.execute(update(CHANGE_HORIZON).values(pruned_below=0))
    engine.dispose()
    return url


@pytest.fixture(scope="module", params=KINDS)
def shared_records(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlRecords]:
    """Records in a database that the tests of this file share."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("records") / "shared.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        with _opened(sqlite_url(path)) as opened:
            yield opened
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create_database(template=request.getfixturevalue("postgres_records_template"))
    with _opened(server.url(name)) as opened:
        yield opened
    server.drop_database(name)


@contextlib.contextmanager
def _opened(url: str) -> Iterator[SqlRecords]:
    records = SqlRecords.open(url)
    try:
        yield records
    finally:
        records.close()
