"""No question of the port reads a whole table: each finds its rows through an index."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.adapters.records_sql.tables import METADATA
from lotus_server.domain.analytics import Basis, Dimension
from lotus_server.domain.invoicing import PaymentStatus
from lotus_server.domain.subscriptions import Status
from lotus_server.ports.credit_records import CreditQuestion, DueCredit
from lotus_server.ports.invoice_reading import InvoiceOrder, InvoiceQuestion
from lotus_server.ports.listing import (
    CustomerOrder,
    CustomerQuestion,
    CustomerSort,
    Slice,
    SubscriptionOrder,
    SubscriptionQuestion,
    SubscriptionSort,
)
from lotus_server.ports.records import Page, Transaction
from tests import records_values as values
from tests.records_databases import sqlite_url

NEWEST_OF_PLAN = InvoiceQuestion(payment_status=PaymentStatus.PAID, plan_id="pro", order=InvoiceOrder.ISSUE_DATE)


def _ask_about_invoices(of: Transaction) -> None:
    of.subscriptions.awaiting("org", values.NOW, Page(limit=10, after="sub"))
    of.subscriptions.count_awaiting("org", values.NOW)
    of.invoices.by_cause("org", "x")
    of.invoices.page("org", Page(limit=10, after="inv_1"))
    of.invoices.page("org", Page(limit=10), InvoiceQuestion("acme"))
    of.invoices.page("org", Page(limit=10), InvoiceQuestion(payment_status=PaymentStatus.UNPAID))
    of.invoices.heads("org", Page(limit=10, after="inv_1"), NEWEST_OF_PLAN)
    of.invoices.sums("org", NEWEST_OF_PLAN)
    of.invoices.of_customers("org", ["a", "b"])


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
    of.subscriptions.page("org", Page(limit=10), SubscriptionQuestion("acme"))
    of.subscriptions.page("org", Page(limit=10), SubscriptionQuestion(plan_id="pro"))
    of.subscriptions.live_of_customers("org", ["acme", "b"], values.NOW)
    of.subscriptions.of_customer("org", "acme")
    of.subscriptions.of_customer("org", "acme", values.NOW)
    of.subscriptions.count_active("org", values.NOW)
    of.subscriptions.due(values.NOW, 10)
    of.subscriptions.due(values.NOW, 10, "org")
    _ask_about_invoices(of)
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


def _ask_for_lists(of: Transaction) -> None:
    for by in CustomerSort:
        of.customers.part("org", CustomerQuestion(), CustomerOrder(by), Slice(10), values.NOW)
    of.customers.count("org", CustomerQuestion(search="acme", is_subscribed=True, is_owing=False), values.NOW)
    of.customers.count("org", CustomerQuestion(is_subscribed=False), values.NOW)
    for sort in SubscriptionSort:
        for question in (SubscriptionQuestion(), SubscriptionQuestion(statuses=frozenset({Status.ACTIVE}))):
            of.subscriptions.part("org", question, SubscriptionOrder(sort), Slice(10), values.NOW)
    of.invoices.outstanding("org", ["acme", "b"])
    of.plans.sold_as("org", ["pro_1"])


def _ask_for_analytics(of: Transaction) -> None:
    of.revenue.is_behind("org")
    of.revenue.next("org", 10)
    of.revenue.by_day("org", Basis.INVOICED, Dimension.TOTAL, values.MARCH)
    of.revenue.by_key("org", Basis.EARNED, Dimension.PLAN, values.MARCH)
    of.figures.subscriptions("org", values.MARCH)
    of.figures.customers("org", values.MARCH)
    list(of.figures.held("org", values.NOW))
    of.figures.parked("org", 10)
    of.figures.customer_ids("org")
    of.figures.verification("org")


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
        _ask_for_lists(transaction)
        _ask_for_analytics(transaction)
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
    tables = tuple(f"SCAN {name}" for name in METADATA.tables)
    scans = {statement: plan for statement, plan in plans.items() if any(step.startswith(tables) for step in plan)}

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
    # Who owes how much is summed when it is asked; whoever is sorted by that has to be sorted.
    limited = {
        statement: plan for statement, plan in plans.items() if "LIMIT" in statement and "owing" not in statement
    }
    assert len(limited) >= 7

    assert {} == {statement: plan for statement, plan in limited.items() if any("TEMP" in step for step in plan)}


def test_several_customers_are_looked_up_one_by_one(plans: dict[str, list[str]]) -> None:
    """Whatever order is wanted: without statistics SQLite would rather read everybody's rows in that order."""
    asked = {statement: plan for statement, plan in plans.items() if "customer_id IN (" in statement}
    assert len(asked) >= 5

    assert {} == {statement: plan for statement, plan in asked.items() if "customer_id=?" not in " ".join(plan)}


def test_lists_of_invoices_and_what_they_come_to_do_not_read_the_invoices(plans: dict[str, list[str]]) -> None:
    asked = [plan for statement, plan in plans.items() if "invoices.plan_id = " in statement]
    assert len(asked) == 2

    assert [] == [plan for plan in asked if not all("COVERING INDEX" in step for step in plan)]


def test_who_is_not_subscribed_is_read_from_an_index_alone(plans: dict[str, list[str]]) -> None:
    (asked,) = [plan for statement, plan in plans.items() if "customers.customer_id NOT IN (" in statement]
    (active,) = [step for step in asked if "ix_subscriptions_customer" in step]
    assert "COVERING INDEX" in active
