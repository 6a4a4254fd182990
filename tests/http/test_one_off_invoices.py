"""One-off invoices over HTTP."""

from decimal import Decimal
from typing import Any

import pytest

from tests.e_invoice_judges import wrong_in
from tests.tenants import Tenant, exact

BODY: dict[str, Any] = {
    "customer_id": "acme",
    "lines": [{"name": "Training", "quantity": "1.5", "unit_price": "99.99"}, {"name": "Travel", "amount": 50}],
    "note": "As agreed on the phone.",
}
SELLER: dict[str, Any] = {
    "address": {"line1": "Weg 1", "city": "Köln", "postal_code": "50667", "country": "DE"},
    "tax_id": "DE123456789",
    "tax_rate": 19,
}


@pytest.fixture
def selling(sandbox: Tenant) -> Tenant:
    sandbox.patch("/api/organization/", SELLER)
    sandbox.customer(address={"line1": "Rue 2", "city": "Paris", "country": "FR"})
    return sandbox


def test_it_is_issued_at_once_and_listed(selling: Tenant) -> None:
    made = selling.post("/api/invoices/", BODY)

    assert (Decimal("237.99"), None) == (made["amount"], made["subscription_id"])
    assert [("one_off", None, None)] * 2 == [
        (line["kind"], line["plan"], line["version_id"]) for line in made["line_items"]
    ]
    assert [made] == selling.invoices() == [selling.get(f"/api/invoices/{made['invoice_id']}/")]


def test_it_explains_itself(selling: Tenant) -> None:
    made = selling.post("/api/invoices/", BODY)

    found = selling.get(f"/api/invoices/{made['invoice_id']}/explain/")

    assert found["lines"][0]["explanation"]["plan"] is None
    assert "1.5 x 99.99 = 149.985" in found["text"][3]


def test_it_can_be_printed_and_is_a_valid_e_invoice(selling: Tenant) -> None:
    made = selling.post("/api/invoices/", BODY)
    path = f"/api/invoices/{made['invoice_id']}"

    pdf, xml = selling.client.get(f"{path}/pdf/"), selling.client.get(f"{path}/xml/")

    assert (200, 200) == (pdf.status_code, xml.status_code)
    assert [] == wrong_in(xml.content)


def test_it_can_be_voided_and_credited_like_any_other(selling: Tenant) -> None:
    first, second = (selling.post("/api/invoices/", BODY) for _ in range(2))

    selling.post(f"/api/invoices/{first['invoice_id']}/void/", status=200)
    note = selling.post("/api/credit_notes/", {"invoice_id": second["invoice_id"], "reason": "too late"})

    assert Decimal("237.99") == note["total"]


def test_with_a_key_it_is_issued_once(selling: Tenant) -> None:
    key = {"Idempotency-Key": "training-of-january"}

    first, second = (selling.client.post("/api/invoices/", json=BODY, headers=key) for _ in range(2))

    assert exact(first) == exact(second)
    assert 1 == len(selling.invoices())


def test_everything_that_is_wrong_is_told_at_once(selling: Tenant) -> None:
    body = {"customer_id": "acme", "lines": [{"name": "", "amount": "0.001"}, {"unit_price": 1, "amount": "x"}]}

    problem = selling.post("/api/invoices/", {**body, "due_in_days": -1}, 400)

    assert {"lines[0].name", "lines[0].amount", "lines[1].name", "lines[1].amount", "due_in_days"} == {
        each["field"] for each in problem["validation_errors"]
    }
