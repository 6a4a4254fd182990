"""Customers that were there before searching was are found and sorted like any other."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import make_url, text

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.adapters.records_sql.engines import database_at
from lotus_server.adapters.records_sql.migrations import configuration
from lotus_server.ports.listing import CustomerOrder, CustomerQuestion, CustomerSort, Slice
from tests.records_databases import KINDS, sqlite_url
from tests.records_values import NOW

OLD = [("org", "c1", "zebra", None), ("org", "C2", "Ångström", "A@B.example"), ("other", "c1", "Acme", None)]


@pytest.fixture(params=KINDS)
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of the release before, with customers of two organizations."""
    url: str
    url = sqlite_url(tmp_path / "old.db") if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    database = database_at(make_url(url))
    with database.migrating() as connection:
        command.upgrade(configuration(connection), "0018")
        for organization_id in ("org", "other"):
            connection.execute(
                text(
                    "INSERT INTO organizations (organization_id, name, type, default_currency, created_at, "
                    "rejects_unknown_customers) VALUES (:id, 'O', 'production', 'USD', 0, FALSE)"
                ),
                {"id": organization_id},
            )
        for organization_id, customer_id, name, email in OLD:
            connection.execute(
                text(
                    "INSERT INTO customers (organization_id, customer_id, customer_name, created_at, currency, email, "
                    "properties, timezone) VALUES (:organization, :id, :name, 0, 'USD', :email, '{}', 'UTC')"
                ),
                {"organization": organization_id, "id": customer_id, "name": name, "email": email},
            )
    database.close()
    return url


@pytest.mark.parametrize(("search", "expected"), [("", ["c1", "C2"]), ("ÅNG", ["C2"]), ("a@b", ["C2"]), ("acme", [])])
def test_customers_of_before_are_found(old_url: str, search: str, expected: list[str]) -> None:
    records = SqlRecords.open(old_url)
    with records.snapshot() as snapshot:
        question, order = CustomerQuestion(search=search), CustomerOrder(CustomerSort.NAME)
        part = snapshot.customers.part("org", question, order, Slice(10), NOW)
    records.close()

    assert expected == [customer.customer_id for customer in part.rows]
