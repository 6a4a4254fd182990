"""Lists of customers and subscriptions can be narrowed by their query."""

import pytest

from tests.tenants import Json, Tenant

LISTS = ["/api/customers/", "/api/subscriptions/"]


@pytest.fixture
def company(sandbox: Tenant) -> Tenant:
    """Three customers: one with an invoice to pay, one whose subscription is free and ends soon, one without any."""
    for plan_id, amount in (("pro", 10), ("free", 0)):
        charges = [{"name": "fee", "amount": amount, "timing": "in_advance"}]
        body = {"plan_id": plan_id, "plan_name": plan_id, "plan_duration": "monthly", "recurring_charges": charges}
        sandbox.post("/api/plans/", body)
    for customer_id, name, email in (
        ("acme", "Acme Ltd", "pay@acme.example"),
        ("globex", "GLOBEX", None),
        ("müller", "Müller & Söhne", None),
    ):
        sandbox.post("/api/customers/", {"customer_id": customer_id, "customer_name": name, "email": email})
    for customer_id, plan_id, more in (("acme", "pro", {}), ("globex", "free", {"end_date": "2026-01-20"})):
        body = {"subscription_id": f"s_{customer_id}", "customer_id": customer_id, "billing_plan_id": plan_id, **more}
        sandbox.post("/api/subscriptions/", {**body, "start_date": "2026-01-01"})
    return sandbox


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"search": "LTD"}, ["acme"]),
        ({"search": "söh"}, ["müller"]),
        ({"search": "PAY@"}, ["acme"]),
        ({"search": "lob"}, ["globex"]),
        ({"subscribed": "false"}, ["müller"]),
        ({"plan_id": "free"}, ["globex"]),
        ({"outstanding": "true"}, ["acme"]),
        ({"outstanding": "false", "subscribed": "true"}, ["globex"]),
        ({"created_since": "2026-01-02"}, []),
        ({}, ["acme", "globex", "müller"]),
    ],
)
def test_customers_can_be_searched_and_filtered(company: Tenant, query: Json, expected: list[str]) -> None:
    assert expected == [row["customer_id"] for row in company.get("/api/customers/", **query)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"plan_id": "pro"}, ["s_acme"]),
        ({"auto_renew": "false"}, ["s_globex"]),
        ({"ending_within_days": "30"}, ["s_globex"]),
        ({"ending_within_days": "10"}, []),
        ({"range_start": "2026-01-21"}, ["s_acme"]),
        ({"range_end": "2026-01-01"}, []),
        ({"status": ["ended", "parked"]}, []),
        ({"status[]": "active", "customer_id": "acme"}, ["s_acme"]),
    ],
)
def test_subscriptions_can_be_filtered(company: Tenant, query: Json, expected: list[str]) -> None:
    assert expected == [row["subscription_id"] for row in company.get("/api/subscriptions/", **query)]


def test_a_page_of_filtered_subscriptions_is_full_while_there_are_enough(company: Tenant) -> None:
    """Those that are left out take no place on it, so that one page is enough to see whether anything was found."""
    rows = company.get("/api/subscriptions/", limit=1, auto_renew="false")

    assert ["s_globex"] == [row["subscription_id"] for row in rows]


@pytest.mark.parametrize("path", LISTS)
def test_every_wrong_filter_is_named(company: Tenant, path: str) -> None:
    wrong = {
        "/api/customers/": {"subscribed": "maybe", "outstanding": "1", "created_since": "soon", "search": "x" * 201},
        "/api/subscriptions/": {"status": "asleep", "auto_renew": "yes", "ending_within_days": "0", "range_end": "x"},
    }[path]

    answer = company.get(path, 400, **wrong)

    assert wrong.keys() == {each["field"] for each in answer["validation_errors"]}
