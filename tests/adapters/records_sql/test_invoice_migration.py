"""Invoices that were there before lists could be sorted by amount are found and summed up like any other."""

from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import make_url, text

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.adapters.records_sql.engines import database_at
from lotus_server.adapters.records_sql.migrations import configuration
from lotus_server.domain.invoicing import PaymentStatus
from lotus_server.ports.invoice_reading import InvoiceOrder, InvoiceQuestion, InvoiceSum
from lotus_server.ports.records import Page
from tests.records_databases import KINDS, sqlite_url

HUGE = f"1{'0' * 17}.01"
OLD = {"i1": ("5", "0"), "i2": ("1234.56", "0.1"), "i3": ("0", "0"), "i4": ("0.5", "0.5"), "i5": (HUGE, "1")}
LINE = """[{"name": "Calls", "kind": "usage", "billing_type": "in_arrears", "period": {"start": "2026-01-01T00:00:00Z",
    "end": "2026-02-01T00:00:00Z"}, "quantity": "1", "exact_amount": "1", "amount": "1", "plan_id": "pro",
    "version_id": "pro_1", "charge_id": "calls"}]"""


@pytest.fixture(params=KINDS)
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of the release before, with invoices."""
    url: str
    url = sqlite_url(tmp_path / "old.db") if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    database = database_at(make_url(url))
    with database.migrating() as connection:
        command.upgrade(configuration(connection), "0021")
        connection.execute(
            text(
                "INSERT INTO organizations (organization_id, name, type, default_currency, created_at, "
                "rejects_unknown_customers) VALUES ('org', 'O', 'production', 'USD', 0, FALSE)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO customers (organization_id, customer_id, customer_name, created_at, currency, properties, "
                "timezone) VALUES ('org', 'acme', 'C', 0, 'USD', '{}', 'UTC')"
            )
        )
        for number, (invoice_id, (total, credited)) in enumerate(OLD.items()):
            kind = str if request.param == "sqlite" else Decimal
            connection.execute(
                text(
                    "INSERT INTO invoices (organization_id, invoice_id, invoice_number, cause, customer_id, currency, "
                    "period_start, period_end, issued_at, due_at, lines, subtotal, credit_applied, total, credited, "
                    "payment_status, made_number) VALUES ('org', :id, :id, :id, 'acme', 'USD', 0, 1, 2, 3, :lines, "
                    ":total, :none, :total, :credited, 'unpaid', :number)"
                ),
                {
                    "id": invoice_id,
                    "lines": LINE,
                    "none": kind(0),
                    "number": number,
                    "total": kind(total),
                    "credited": kind(credited),
                },
            )
    database.close()
    return url


def test_old_invoices_are_sorted_summed_up_and_found_by_their_plan(old_url: str) -> None:
    by_amount = InvoiceQuestion(plan_id="pro", order=InvoiceOrder.AMOUNT)
    records = SqlRecords.open(old_url)
    with records.snapshot() as snapshot:
        found = [each.invoice_id for each in snapshot.invoices.page("org", Page(), by_amount)]
        sums = snapshot.invoices.sums("org")
    records.close()

    assert ["i5", "i2", "i1", "i4", "i3"] == found
    assert [InvoiceSum(PaymentStatus.UNPAID, "USD", 5, Decimal("100000000000001238.47"))] == sums
