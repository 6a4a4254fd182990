"""The test run's own PostgreSQL behaves as the tests that use it expect."""

import sqlalchemy
from sqlalchemy import text

from tests.postgres_server import PostgresServer


def _execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    engine = sqlalchemy.create_engine(url)
    rows: list[tuple[object, ...]] = []
    with engine.begin() as connection:
        for statement in statements:
            result = connection.execute(text(statement))
            rows = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return rows


def test_a_test_gets_an_empty_database_of_its_own(postgres_database: str, postgres_url: str) -> None:
    _execute(postgres_database, "CREATE TABLE note (body text)")

    count = "SELECT count(*) FROM pg_tables WHERE tablename = 'note'"
    assert [(1,)] == _execute(postgres_database, count)
    assert [(0,)] == _execute(postgres_url, count)


def test_a_copy_starts_with_its_templates_rows(postgres_server: PostgresServer) -> None:
    template = postgres_server.create_database()
    _execute(postgres_server.url(template), "CREATE TABLE note (body text)", "INSERT INTO note VALUES ('kept')")

    copy = postgres_server.create_database(template=template)
    rows = _execute(postgres_server.url(copy), "SELECT body FROM note")
    postgres_server.drop_database(copy)
    postgres_server.drop_database(template)

    assert [("kept",)] == rows


def test_the_server_speaks_utc_and_utf8(postgres_url: str) -> None:
    assert [("UTC",)] == _execute(postgres_url, "SHOW timezone")
    assert [("UTF8",)] == _execute(postgres_url, "SHOW server_encoding")
