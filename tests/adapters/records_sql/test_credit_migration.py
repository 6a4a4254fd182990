"""What customers owned before credit was kept as grants, they own afterwards."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import make_url, text

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.adapters.records_sql.engines import database_at
from lotus_server.adapters.records_sql.migrations import configuration
from lotus_server.kernel.instants import to_microseconds
from tests import records_values as values
from tests.records_databases import KINDS, sqlite_url

HOUR = timedelta(hours=1)


@pytest.fixture(params=KINDS)
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with the schema of the first release."""
    url: str
    url = sqlite_url(tmp_path / "old.db") if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    database = database_at(make_url(url))
    with database.migrating() as connection:
        command.upgrade(configuration(connection), "0001")
        for customer_id in ("acme", "other"):
            connection.execute(
                text(
                    "INSERT INTO organizations VALUES ('org', 'O', 'production', 'USD', 0, NULL, FALSE) "
                    "ON CONFLICT DO NOTHING"
                )
            )
            connection.execute(
                text(
                    "INSERT INTO customers (organization_id, customer_id, customer_name, created_at, currency, "
                    "properties, timezone) VALUES ('org', :customer_id, 'C', 0, 'USD', '{}', 'UTC')"
                ),
                {"customer_id": customer_id},
            )
        for number, (customer_id, currency, amount) in enumerate(
            [
                ("acme", "USD", "10.5"),
                ("acme", "USD", "5"),
                ("acme", "USD", "-12"),
                ("acme", "JPY", "300"),
                ("other", "USD", "1"),
                ("other", "USD", "-1"),
            ]
        ):
            amount_of_kind = amount if request.param == "sqlite" else Decimal(amount)
            connection.execute(
                text(
                    "INSERT INTO credit_postings VALUES "
                    "('org', :id, :id, :customer_id, :currency, :amount, :posted_at, 'why', :id)"
                ),
                {
                    "id": f"p{number}",
                    "customer_id": customer_id,
                    "currency": currency,
                    "amount": amount_of_kind,
                    "posted_at": to_microseconds(values.NOW + number * HOUR),
                },
            )
    database.close()
    return url


def test_signed_postings_become_grants_from_which_the_oldest_is_drawn_first(old_url: str) -> None:
    records = SqlRecords.open(old_url)
    with records.snapshot() as snapshot:
        later = values.NOW + 9 * HOUR
        balances = snapshot.credits.balances("org", ["acme", "other"], later)
        first = snapshot.credits.grant("org", "p0")
        movements = {
            credit_id: [(posting.source.value, posting.target.value, posting.amount) for posting in postings]
            for credit_id, postings in snapshot.credits.postings("org", ["p0", "p1", "p3", "p4"]).items()
        }
    records.close()

    assert {("acme", "USD"): Decimal("3.5"), ("acme", "JPY"): Decimal(300)} == balances
    assert first is not None
    assert (values.NOW, Decimal("10.5"), None) == (first.effective_at, first.amount, first.expires_at)
    given, used = ("issued", "available"), ("available", "applied")
    assert movements == {
        "p0": [(*given, Decimal("10.5")), (*used, Decimal("10.5"))],
        "p1": [(*given, Decimal(5)), (*used, Decimal("1.5"))],
        "p3": [(*given, Decimal(300))],
        "p4": [(*given, Decimal(1)), (*used, Decimal(1))],
    }


@pytest.fixture(params=KINDS)
def url_before_expiry(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of the release before credit expired in the ledger, with grants of each kind."""
    url: str
    url = sqlite_url(tmp_path / "old.db") if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    database = database_at(make_url(url))
    end = to_microseconds(values.NOW + HOUR)
    with database.migrating() as connection:
        command.upgrade(configuration(connection), "0009")
        connection.execute(
            text(
                "INSERT INTO organizations (organization_id, name, type, default_currency, created_at, "
                "rejects_unknown_customers) VALUES ('org', 'O', 'production', 'USD', 0, FALSE)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO customers (organization_id, customer_id, customer_name, created_at, currency, "
                "properties, timezone) VALUES ('org', 'acme', 'C', 0, 'USD', '{}', 'UTC')"
            )
        )
        for credit_id, paid, expires_at, voided_at in (
            ("endless", "0.01", None, None),
            ("ending", "0", end, None),
            ("voided", "0", end, 0),
        ):
            connection.execute(
                text(
                    "INSERT INTO credit_grants VALUES ('org', :id, 'acme', 'USD', :amount, 0, 0, :expires_at, 100, '', "
                    ":paid, NULL, NULL, :voided_at)"
                ),
                {
                    "id": credit_id,
                    "amount": "5" if request.param == "sqlite" else Decimal(5),
                    "paid": paid if request.param == "sqlite" else Decimal(paid),
                    "expires_at": expires_at,
                    "voided_at": voided_at,
                },
            )
    database.close()
    return url


def test_grants_from_before_expiry_was_posted_are_due_at_their_expiry(url_before_expiry: str) -> None:
    records = SqlRecords.open(url_before_expiry)
    with records.snapshot() as snapshot:
        grants = [snapshot.credits.grant("org", credit_id) for credit_id in ("endless", "ending", "voided")]
    records.close()

    assert [(None, True), (values.NOW + HOUR, False), (None, False)] == [
        (grant.due_at, grant.is_prepaid) for grant in grants if grant is not None
    ]
