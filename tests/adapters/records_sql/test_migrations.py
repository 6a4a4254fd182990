"""A database gets the schema that the code expects, from nothing and however many servers start at once."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.adapters.records_sql.migrations import configuration
from lotus_server.adapters.records_sql.tables import METADATA
from tests import records_values as values
from tests.records_databases import KINDS, sqlite_url
from tests.repository import ROOT


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "new.db")
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture
def engine(empty_url: str) -> Engine:
    SqlRecords.open(empty_url).close()
    return create_engine(empty_url)


def test_migrations_make_the_schema_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        differences = compare_metadata(context, METADATA)
    engine.dispose()

    assert [] == differences


def test_unique_indexes_and_foreign_keys_are_those_of_the_code(engine: Engine) -> None:
    """Alembic does not compare everything on SQLite, so names are compared once more."""
    expected = {
        table.name: (
            {constraint.name for constraint in table.foreign_key_constraints},
            {index.name for index in table.indexes},
        )
        for table in METADATA.sorted_tables
    }
    inspector = inspect(engine)
    found = {}
    for table in METADATA.sorted_tables:
        keys = {key["name"] for key in inspector.get_foreign_keys(table.name)}
        indexes = {index["name"] for index in inspector.get_indexes(table.name) if "duplicates_constraint" not in index}
        found[table.name] = (keys, indexes)
    engine.dispose()

    assert expected == found


def test_every_key_but_those_of_notes_and_people_begins_with_the_organization() -> None:
    first = {table.name: next(iter(table.primary_key)).name for table in METADATA.sorted_tables}

    others = {name: column for name, column in first.items() if column != "organization_id"}
    notes = {"changes": "change_number", "change_horizon": "one"}
    # A person is of no organization, and signs in before one is chosen.
    people = {"users": "user_id", "user_sessions": "session_id", "one_time_links": "link_id"}
    people |= {"second_factors": "user_id", "attempts": "key", "outgoing_mails": "mail_id"}
    assert notes | people == others


def test_there_is_one_newest_schema(tmp_path: Path) -> None:
    engine = create_engine(sqlite_url(tmp_path / "x.db"))
    with engine.connect() as connection:
        script = ScriptDirectory.from_config(configuration(connection))
    engine.dispose()

    assert 1 == len(script.get_heads())


def test_opening_again_changes_nothing(empty_url: str) -> None:
    first = SqlRecords.open(empty_url)
    with first.transaction() as transaction:
        values.fill(transaction)
    first.close()

    second = SqlRecords.open(empty_url)
    with second.snapshot() as snapshot:
        assert [values.organization()] == snapshot.organizations.all()
    second.close()


def test_servers_that_start_at_once_take_turns(empty_url: str) -> None:
    program = (
        "import sys\n"
        "from lotus_server.adapters.records_sql import SqlRecords\n"
        "sys.stdin.readline()\n"
        "SqlRecords.open(sys.argv[1]).close()\n"
    )
    command = [sys.executable, "-W", "error", "-c", program, empty_url]
    starts = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(2)
    ]
    for process in starts:
        assert process.stdin is not None
        process.stdin.write("now\n")
        process.stdin.flush()

    assert [(0, "")] * 2 == [
        (process.returncode, errors) for process in starts for _, errors in [process.communicate(timeout=60)]
    ]


def test_a_file_name_may_contain_a_percent_sign(tmp_path: Path) -> None:
    folder = tmp_path / "100% lotus"
    folder.mkdir()
    SqlRecords.open(sqlite_url(folder / "records.db")).close()

    assert (folder / "records.db").exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/lotus"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="records"):
        SqlRecords.open(url)
