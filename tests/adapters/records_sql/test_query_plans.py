"""No question of the port reads a whole table: each finds its rows through an index."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.ports.credit_records import CreditQuestion, DueCredit
from lotus_server.ports.records import Page, Transaction
from tests import records_values as values
from tests.records_databases import sqlite_url


def _ask_everything(of: Transaction) -> None:
    of.organizations.get("org")
    of.api_keys.by_hash("h")
    of.api_keys.get("org", "key")
    of.api_keys.all("org")
    of.customers.get("org", "acme")
    of.customers.known("org", ["a", "b"])
    of.customers.page("org", Page(limit=10, after="a"))
    of.metrics.all("org")
    of.features.all("org")
    of.plans.all("org")
    of.plans.versions("org")
    of.plans.versions("org", "pro")
    of.subscriptions.get("org", "sub", for_update=True)
    of.subscriptions.page("org", Page(limit=10, after="a"))
    of.subscriptions.page("org", Page(limit=10), customer_id="acme")
    of.subscriptions.page("org", Page(limit=10), plan_id="pro")
    of.subscriptions.of_customer("org", "acme")
    of.subscriptions.of_customer("org", "acme", values.NOW)
    of.subscriptions.count_active("org", values.NOW)
    of.subscriptions.due(values.NOW, 10)
    of.subscriptions.due(values.NOW, 10, "org")
    of.invoices.by_cause("org", "x")
    of.invoices.page("org", Page(limit=10, after="inv_1"))
    of.invoices.page("org", Page(limit=10), customer_id="acme")
    of.invoices.page("org", Page(limit=10), payment_status="unpaid")
    of.invoices.of_customers("org", ["a", "b"])
    of.billed_periods.of_customer("org", "acme")
    of.billed_periods.carried_by("org", "acme", "sub", "USD")
    of.pending_lines.has_cause("org", "x")
    of.pending_lines.waiting("org", "acme")
    of.pending_lines.due(values.NOW, 10)
    of.pending_lines.due(values.NOW, 10, "org")
    of.credits.is_due("org", "acme", values.NOW)
    of.credits.due(values.NOW, 10)
    of.credits.due(values.NOW, 10, DueCredit(values.NOW, "org", "acme"), "org")
    of.credits.due_among("org", ["acme"], values.NOW)
    of.credits.standing("org", "acme")
    of.credits.held("org", "acme", "USD", values.NOW)
    of.credits.balances("org", ["acme"], values.NOW)
    of.credits.page("org", Page(limit=10, after="a"), CreditQuestion())
    of.credit_schedules.get("org", "a")
    of.credit_schedules.page("org", Page(limit=10), customer_id="acme")
    of.credit_schedules.due("org", "acme", values.NOW)
    of.wallets.of_customer("org", "acme")
    of.wallets.top_up("org", "a")
    of.wallets.top_ups("org", "acme", "USD")
    of.wallets.top_ups("org", "acme", "USD", values.NOW)
    of.replies.get("org", "key")


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[str]]]:
    """SQLite's plan of every statement that answers a question of the port."""
    path = tmp_path / "records.db"
    records = SqlRecords.open(sqlite_url(path))
    statements: list[str] = []
    with records.transaction() as transaction:
        values.fill(transaction)
        connection = transaction._connection.connection.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        connection.set_trace_callback(statements.append)
        _ask_everything(transaction)
        transaction.api_keys.note_use(["a"], values.NOW)
        connection.set_trace_callback(None)
        found = {}
        for statement in statements:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
            found[statement] = [row[-1] for row in rows]
    yield found
    records.close()


def test_no_question_reads_a_whole_table(plans: dict[str, list[str]]) -> None:
    assert len(plans) >= 25
    scans = {statement: plan for statement, plan in plans.items() if any(step.startswith("SCAN") for step in plan)}

    assert {} == scans


def test_credit_of_one_customer_is_read_without_anybody_else_s(plans: dict[str, list[str]]) -> None:
    asked = {
        statement: plan
        for statement, plan in plans.items()
        if "FROM credit_grants" in statement and "credit_grants.customer_id = 'acme'" in statement
    }
    assert len(asked) >= 3

    assert {} == {statement: plan for statement, plan in asked.items() if "customer_id=?" not in " ".join(plan)}


def test_pages_and_due_rows_are_read_in_order_and_not_sorted(plans: dict[str, list[str]]) -> None:
    limited = {statement: plan for statement, plan in plans.items() if "LIMIT" in statement}
    assert len(limited) >= 7

    assert {} == {statement: plan for statement, plan in limited.items() if any("TEMP" in step for step in plan)}
