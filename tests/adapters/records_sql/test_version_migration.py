"""Versions that were inactive before they had times are off sale since another one took over."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import make_url, text

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.adapters.records_sql.engines import database_at
from lotus_server.adapters.records_sql.migrations import configuration
from lotus_server.domain.catalog import VersionStatus
from lotus_server.kernel.instants import from_microseconds
from tests.records_databases import KINDS, sqlite_url

OLD = (
    ("v1", 1, "USD", 100, "inactive"),
    ("v2", 2, "EUR", 200, "active"),
    ("v3", 3, "USD", 300, "inactive"),
    ("v4", 4, "USD", 400, "active"),
)


@pytest.fixture(params=KINDS)
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of the third release with a plan that has four versions."""
    url: str
    url = sqlite_url(tmp_path / "old.db") if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    database = database_at(make_url(url))
    with database.migrating() as connection:
        command.upgrade(configuration(connection), "0003")
        connection.execute(text("INSERT INTO organizations VALUES ('org', 'O', 'production', 'USD', 0, NULL, FALSE)"))
        connection.execute(text("INSERT INTO plans VALUES ('org', 'pro', 'Pro', '', 'monthly', 0, FALSE, 1)"))
        for version_id, number, currency, created_at, status in OLD:
            connection.execute(
                text(
                    "INSERT INTO plan_versions VALUES "
                    "('org', :id, 'pro', :number, :currency, :created_at, :status, '[]', '[]', '[]', 0)"
                ),
                {"id": version_id, "number": number, "currency": currency, "created_at": created_at, "status": status},
            )
    database.close()
    return url


def test_inactive_versions_went_off_sale_when_the_next_one_was_made(old_url: str) -> None:
    records = SqlRecords.open(old_url)
    with records.snapshot() as snapshot:
        versions = snapshot.plans.versions("org", "pro")
    records.close()

    expected = {"v1": from_microseconds(300), "v2": None, "v3": from_microseconds(400), "v4": None}
    assert expected == {version.version_id: version.active_to for version in versions}
    now = from_microseconds(500)
    assert ["v2", "v4"] == [each.version_id for each in versions if each.status_at(now) is VersionStatus.ACTIVE]
