"""Lists of invoices: by state, filters and order, and what is refused."""

from urllib.parse import parse_qsl

import pytest

from tests.tenants import Json, Tenant


@pytest.fixture
def shop(sandbox: Tenant) -> Tenant:
    """Four one-off invoices of two customers over a month: 100, 20 EUR, 300, and 40, of which 300 is paid."""
    sandbox.customer()
    sandbox.post("/api/customers/", {"customer_id": "other", "customer_name": "Other", "email": "o@example.com"})
    sandbox.post("/api/invoices/", one("acme", "100"))
    sandbox.move_clock("2026-01-10T00:00:00Z")
    sandbox.post("/api/invoices/", one("acme", "20", currency="EUR", due_in_days=60))
    sandbox.move_clock("2026-01-20T00:00:00Z")
    paid = sandbox.post("/api/invoices/", one("other", "300"))
    sandbox.patch(f"/api/invoices/{paid['invoice_id']}/", {"payment_status": "paid"})
    sandbox.post("/api/invoices/", one("other", "40"))
    sandbox.move_clock("2026-02-05T00:00:00Z")
    return sandbox


def one(customer_id: str, amount: str, **more: Json) -> Json:
    return {"customer_id": customer_id, "lines": [{"name": "Work", "amount": amount}], **more}


def amounts(tenant: Tenant, query: str) -> list[Json]:
    return [
        invoice["amount"] for invoice in tenant.get("/api/invoices/", **dict(parse_qsl(query, keep_blank_values=True)))
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [40, 300, 20, 100]),
        ("payment_status=unpaid", [40, 20, 100]),
        ("payment_status=past_due", [100]),
        ("payment_status=paid&customer_id=acme", []),
        ("customer_id=acme", [20, 100]),
        ("currency_code=EUR", [20]),
        ("number=0101-", [100]),
        ("number=000003", [300]),
        ("issued_after=2026-01-10&issued_before=2026-01-20", [20]),
        ("due_before=2026-02-01", [100]),
        ("amount_min=40&amount_max=100", [40, 100]),
        ("sort=amount", [300, 100, 40, 20]),
        ("sort=amount&order=asc", [20, 40, 100, 300]),
        ("sort=due_date", [20, 40, 300, 100]),
        ("sort=issue_date&order=asc", [100, 20, 300, 40]),
        ("payment_status=&number=&amount_min=", [40, 300, 20, 100]),
    ],
)
def test_a_list_has_what_its_query_asks_for(shop: Tenant, query: str, expected: list[int]) -> None:
    assert expected == amounts(shop, query)


def test_pages_keep_the_order_and_the_filters(shop: Tenant) -> None:
    first = shop.client.get("/api/invoices/?sort=amount&payment_status=unpaid&limit=2")
    second = shop.client.get(first.links["next"]["url"])

    assert [[100, 40], [20]] == [[each["amount"] for each in page.json()] for page in (first, second)]


def test_invoices_of_a_plan_are_those_whose_lines_are_by_it(sandbox: Tenant) -> None:
    sandbox.customer()
    sandbox.plan(recurring_charges=[{"name": "fee", "amount": "10"}])
    sandbox.subscribe()
    sandbox.post("/api/invoices/", one("acme", "5"))
    plan_id = sandbox.invoices()[-1]["line_items"][0]["plan_id"]

    assert [[10], []] == [amounts(sandbox, f"plan_id={each}") for each in (plan_id, "none")]


def test_every_wrong_parameter_is_named(shop: Tenant) -> None:
    query = (
        "payment_status=late&currency_code=XXZ&issued_after=soon&amount_min=much&sort=size&order=up&number=" + "1" * 101
    )

    answer = shop.get("/api/invoices/", 400, **dict(parse_qsl(query)))

    fields = {each["field"] for each in answer["validation_errors"]}
    assert {"payment_status", "currency_code", "issued_after", "amount_min", "sort", "order", "number"} == fields


@pytest.fixture
def patient(sandbox: Tenant) -> Tenant:
    """A customer whose invoice for January waits for a grace of two days."""
    sandbox.patch("/api/organization/", {"invoice_grace_hours": 48})
    sandbox.customer()
    sandbox.plan(recurring_charges=[{"name": "fee", "amount": "10"}])
    sandbox.subscribe()
    sandbox.move_clock("2026-02-01T12:00:00Z")
    return sandbox


def test_an_invoice_that_waits_is_a_draft(patient: Tenant) -> None:
    (draft,) = patient.get("/api/invoices/", payment_status="draft")

    assert ("draft", None, 10) == (draft["payment_status"], draft["invoice_number"], draft["cost_due"])
    assert draft == patient.get(f"/api/invoices/{draft['invoice_id']}/")


def test_a_draft_is_issued_by_its_id_once(patient: Tenant) -> None:
    (draft,) = patient.get("/api/invoices/", payment_status="draft")
    path = f"/api/invoices/{draft['invoice_id']}/finalize/"

    assert "unpaid" == patient.post(path, None, 200)["payment_status"]
    assert "invalid_state" == patient.post(path, None, 400)["title"]


def test_all_drafts_are_issued_at_once(patient: Tenant) -> None:
    answer = patient.post("/api/invoices/finalize/", None, 200)

    assert {"status": "success", "finalized": 1, "waiting": 0} == answer
    assert [] == patient.get("/api/invoices/", payment_status="draft")
    assert 2 == len(patient.invoices())
