"""What goes wrong in a database reaches the caller as what it means."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import QueuePool

from lotus_server.adapters.records_sql import SqlRecords, engines
from lotus_server.adapters.records_sql.records import SqlTransaction
from lotus_server.kernel.errors import Invalid, Unavailable
from tests import records_values as values
from tests.postgres_server import PostgresServer
from tests.records_databases import sqlite_url

WAIT_SECONDS_MAX = 60


@pytest.fixture
def filled(records: SqlRecords) -> SqlRecords:
    with records.transaction() as transaction:
        values.fill(transaction)
    return records


@pytest.fixture
def on_postgres(postgres_database: str) -> Iterator[SqlRecords]:
    opened = SqlRecords.open(postgres_database)
    yield opened
    opened.close()


def _in_use(records: SqlRecords) -> int:
    pools = {engine.pool for engine in vars(records._database).values() if hasattr(engine, "pool")}
    return sum(pool.checkedout() for pool in pools if isinstance(pool, QueuePool))


def test_no_connection_stays_in_use_after_an_exception(filled: SqlRecords) -> None:
    for _ in range(3):
        with pytest.raises(LookupError), filled.transaction() as transaction:  # noqa: PT012 - the block is the subject
            transaction.customers.add(values.customer("lost"))
            raise LookupError
        with pytest.raises(LookupError), filled.snapshot() as snapshot:  # noqa: PT012
            snapshot.customers.get("org", "acme")
            raise LookupError

    assert 0 == _in_use(filled)


def test_a_snapshot_cannot_write(filled: SqlRecords) -> None:
    with pytest.raises(DBAPIError), filled.snapshot() as snapshot:
        snapshot.customers.add(values.customer("new"))


def test_a_snapshot_can_be_asked_for_update_and_locks_nothing(filled: SqlRecords) -> None:
    with filled.snapshot() as snapshot, filled.transaction() as transaction:
        assert values.subscription() == snapshot.subscriptions.get("org", "sub", for_update=True)
        assert values.subscription() == transaction.subscriptions.get("org", "sub", for_update=True)


def test_what_refers_to_nothing_is_a_defect_and_stays_one(filled: SqlRecords) -> None:
    with pytest.raises(IntegrityError), filled.transaction() as transaction:
        transaction.subscriptions.add(values.subscription("new", customer_id="nobody"))


def test_a_wrong_statement_is_a_defect_and_stays_one(filled: SqlRecords) -> None:
    with pytest.raises(DBAPIError), filled.transaction() as transaction:
        transaction._connection.execute(text("SELECT nothing FROM nowhere"))


def test_half_a_character_is_invalid(filled: SqlRecords) -> None:
    with pytest.raises(Invalid), filled.transaction() as transaction:
        transaction.customers.add(values.customer("new", customer_name="\ud83d"))
    with pytest.raises(Invalid), filled.transaction() as transaction:
        transaction.customers.add(values.customer("new", properties={"name": "\ud83d"}))


@pytest.mark.postgres
def test_a_nul_character_is_invalid_where_it_cannot_be_stored(on_postgres: SqlRecords) -> None:
    with pytest.raises(Invalid), on_postgres.transaction() as transaction:
        transaction.organizations.add(values.organization(name="a\0b"))
    with pytest.raises(Invalid), on_postgres.snapshot() as snapshot:
        snapshot.customers.get("org", "a\0b")


def test_a_nul_character_within_free_form_values_comes_back(filled: SqlRecords) -> None:
    with filled.transaction() as transaction:
        transaction.customers.add(values.customer("new", properties={"a\0": "\0b"}))

    with filled.snapshot() as snapshot:
        found = snapshot.customers.get("org", "new")
        assert found is not None
        assert {"a\0": "\0b"} == found.properties


def test_a_number_that_no_column_holds_is_invalid(filled: SqlRecords) -> None:
    with pytest.raises(Invalid), filled.transaction() as transaction:
        transaction.plans.add_version(values.plan_version("new", version=2**63))


@pytest.mark.postgres
def test_a_row_read_for_update_is_locked_until_the_transaction_ends(
    on_postgres: SqlRecords, postgres_server: PostgresServer
) -> None:
    with on_postgres.transaction() as transaction:
        values.fill(transaction)
    query = "SELECT subscription_id FROM subscriptions FOR UPDATE NOWAIT"
    with psycopg.connect(postgres_server.conninfo(_database_of(on_postgres)), autocommit=True) as other:
        with on_postgres.transaction() as transaction:
            transaction.subscriptions.get("org", "sub")
            assert [("sub",)] == other.execute(query).fetchall()
            transaction.subscriptions.get("org", "sub", for_update=True)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute(query)
        assert [("sub",)] == other.execute(query).fetchall()


@pytest.mark.postgres
def test_a_deadlock_is_unavailable_for_one_and_nothing_for_the_other(on_postgres: SqlRecords) -> None:
    with on_postgres.transaction() as transaction:
        values.fill(transaction)
        transaction.subscriptions.add(values.subscription("other"))
    both_hold_one = Barrier(2)

    def lock(first: str, second: str) -> str:
        try:
            with on_postgres.transaction() as transaction:
                transaction.subscriptions.get("org", first, for_update=True)
                both_hold_one.wait(WAIT_SECONDS_MAX)
                transaction.subscriptions.get("org", second, for_update=True)
        except Unavailable:
            return "unavailable"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lock, ["sub", "other"], ["other", "sub"]))

    assert ["done", "unavailable"] == sorted(ends)


@pytest.mark.postgres
def test_a_lost_connection_is_unavailable_once(on_postgres: SqlRecords, postgres_server: PostgresServer) -> None:
    with on_postgres.transaction() as transaction:
        transaction.organizations.add(values.organization())
    assert None is on_postgres.changes()
    with psycopg.connect(postgres_server.conninfo(), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = (SELECT max(datname) FROM pg_database WHERE datname = %s)",
            (_database_of(on_postgres),),
        )

    with pytest.raises(Unavailable), on_postgres.snapshot() as snapshot:
        snapshot.organizations.all()
    with pytest.raises(Unavailable):
        on_postgres.changes()
    with on_postgres.snapshot() as snapshot:
        assert [values.organization()] == snapshot.organizations.all()
    # What was seen through the lost connection counts for nothing.
    assert None is on_postgres.changes()


def _database_of(records: SqlRecords) -> str:
    database = records._database
    assert isinstance(database, engines.PostgresDatabase)
    return database._writer.url.database or ""


@pytest.mark.postgres
def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        SqlRecords.open(f"postgresql://lotus@/lotus?host={tmp_path}")


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        SqlRecords.open(sqlite_url(tmp_path / "missing" / "records.db"))


def test_a_file_that_another_program_keeps_locked_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "LOCK_SECONDS_MAX", 0)
    path = tmp_path / "records.db"
    records = SqlRecords.open(sqlite_url(path))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable), records.transaction() as transaction:
        transaction.organizations.all()

    other.execute("ROLLBACK")
    other.close()
    with records.transaction() as transaction:
        assert [] == transaction.organizations.all()
    records.close()


def test_a_thread_that_waits_too_long_for_its_turn_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "LOCK_SECONDS_MAX", 0)
    records = SqlRecords.open(sqlite_url(tmp_path / "records.db"))

    def write() -> None:
        with records.transaction():
            pass

    with records.transaction(), ThreadPoolExecutor(1) as pool, pytest.raises(Unavailable):
        pool.submit(write).result(WAIT_SECONDS_MAX)
    records.close()


def test_a_transaction_holds_everything_the_port_names(filled: SqlRecords) -> None:
    with filled.transaction() as transaction:
        assert isinstance(transaction, SqlTransaction)
