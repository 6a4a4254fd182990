"""`/api/analytics/` over HTTP."""

import json
import re
from decimal import Decimal

import pytest

from tests.repository import ROOT
from tests.tenants import Tenant

CALLS = ("overview", "revenue", "recurring_revenue", "usage", "margin")


@pytest.fixture
def sold(sandbox: Tenant) -> Tenant:
    """A customer who pays 31 for January in advance."""
    sandbox.customer()
    sandbox.plan(recurring_charges=[{"name": "Fee", "amount": 31}])
    sandbox.subscribe()
    return sandbox


def test_revenue_is_exact_and_beside_that_of_before(sold: Tenant) -> None:
    found = sold.get("/api/analytics/revenue/", start="2026-01-01", end="2026-01-31", by="plan")

    assert ("2026-01-01", "2026-01-31") == (found["start"], found["end"])
    assert {"start": "2025-12-01", "end": "2025-12-31"} == found["before"]
    (usd,) = found["currencies"]
    assert (Decimal(31), Decimal(0), None) == (usd["amount"], usd["amount_before"], usd["change_percent"])
    assert ("pro", "name of pro", Decimal(31)) == tuple(usd["parts"][0][name] for name in ("key", "name", "amount"))
    assert 31 == len(usd["series"])


def test_earned_revenue_by_month(sold: Tenant) -> None:
    found = sold.get("/api/analytics/revenue/", start="2026-01-01", end="2026-01-10", basis="earned", step="month")

    assert [{"start": "2026-01-01", "end": "2026-01-10", "amount": 10}] == found["currencies"][0]["series"]


def test_monthly_revenue_and_its_movements(sold: Tenant) -> None:
    found = sold.get("/api/analytics/recurring_revenue/", start="2026-01-01", end="2026-01-31")

    (usd,) = found["currencies"]
    assert (0, 31, 31, 372, 31) == tuple(usd[name] for name in ("opening", "new", "closing", "annual", "per_customer"))
    assert [("pro", 0, 31)] == [(each["plan_id"], each["opening"], each["closing"]) for each in usd["plans"]]


def test_usage_of_all_customers(sold: Tenant) -> None:
    sold.metric("calls")
    sold.use(3, time_created="2026-01-01T00:00:00Z")

    found = sold.get("/api/analytics/usage/", metric_id="calls", start="2026-01-01", end="2026-01-01")

    assert (3, 1) == (found["amount"], found["customer_count"])
    assert [{"day": "2026-01-01", "amount": 3}] == found["days"]
    assert 3 == sold.get("/api/analytics/overview/", days=1)["events"]["amount"]


def test_costs_of_a_cost_metric(sold: Tenant) -> None:
    sold.metric("spent", aggregation_type="sum", property_name="usd", is_cost_metric=True)
    sold.track(sold.event("spent", properties={"usd": 1.25}, time_created="2026-01-01T00:00:00Z"))

    found = sold.get("/api/analytics/margin/", start="2026-01-01", end="2026-01-31")

    assert (31, Decimal("1.25"), Decimal("29.75"), Decimal("96.0")) == tuple(
        found[name] for name in ("revenue", "cost", "margin", "margin_percent")
    )
    assert ["acme"] == [each["customer_id"] for each in found["customers"]]


def test_a_glance_at_the_last_days(sold: Tenant) -> None:
    found = sold.get("/api/analytics/overview/", days=2)

    assert ["2025-12-31", "2026-01-01"] == found["days"]
    assert [0, 31] == found["revenue"]["series"]
    assert [0, 1] == found["subscriptions"]["series"]
    assert (0, [], None) == (found["parked_count"], found["parked"], found["verification"])
    assert [31] == [each["amount"] for each in found["open_invoices"]]


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("revenue", {"start": "yesterday"}, "start"),
        ("revenue", {"start": "2026-01-02", "end": "2026-01-01"}, "end"),
        ("revenue", {"by": "weather"}, "by"),
        ("revenue", {"limit": "many"}, "limit"),
        ("revenue", {"basis": "earned", "by": "customer"}, "basis"),
        ("recurring_revenue", {"step": "week"}, "step"),
        ("usage", {}, "metric_id"),
        ("margin", {"limit": "0"}, "limit"),
        ("overview", {"days": 0}, "days"),
    ],
)
def test_a_wrong_question_is_named_with_its_field(tenant: Tenant, path: str, query: dict[str, str], field: str) -> None:
    problem = tenant.get(f"/api/analytics/{path}/", 400, **query)

    assert [field] == [each["field"] for each in problem["validation_errors"]]


def test_numbers_of_another_organization_are_not_seen(sold: Tenant, other_tenant: Tenant) -> None:
    sold.metric("calls")

    assert [] == other_tenant.get("/api/analytics/revenue/", start="2026-01-01", end="2026-01-31")["currencies"]
    assert [] == other_tenant.get("/api/analytics/recurring_revenue/")["currencies"]
    assert [] == other_tenant.get("/api/analytics/overview/")["open_invoices"]
    assert [] == other_tenant.get("/api/analytics/margin/", start="2026-01-01", end="2026-01-31")["customers"]
    other_tenant.get("/api/analytics/usage/", 404, metric_id="calls")


def test_the_example_of_recurring_revenue_comes_out_as_it_says(sandbox: Tenant) -> None:
    page = (ROOT / "docs/concepts/analytics.md").read_text(encoding="utf-8")
    terms = json.loads(page.partition("```json\n")[2].partition("```")[0])
    told = re.findall(r"a\s+month (?:is|would be) \**(\d+\.\d\d)", page)
    sandbox.customer()
    sandbox.metric("calls")
    closings = []
    for number, includes in enumerate((True, False)):
        commitment = {**terms["commitment"], "includes_recurring_charges": includes}
        sandbox.plan(f"plan_{number}", **{**terms, "commitment": commitment})
        sandbox.subscribe(plan_id=f"plan_{number}")
        found = sandbox.get("/api/analytics/recurring_revenue/", start="2026-01-01", end="2026-01-31")
        closings.append(found["currencies"][0]["closing"])

    assert ["45.00", "72.00"] == told
    assert [Decimal(told[0]), Decimal(told[0]) + Decimal(told[1])] == closings
