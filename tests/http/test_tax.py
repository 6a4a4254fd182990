"""Tax on drafts and invoices, and the document of an invoice."""

import io
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader

from tests.tenants import Json, Tenant

FEE = {"name": "fee", "amount": "100", "timing": "in_advance"}


def invoiced(sandbox: Tenant, *, settings: dict[str, Any], customer: dict[str, Any]) -> Json:
    """The one invoice of a customer with a fee of 100."""
    sandbox.patch("/api/organization/", settings)
    sandbox.customer(**customer)
    sandbox.plan(recurring_charges=[FEE])
    sandbox.subscribe()
    (invoice,) = sandbox.invoices()
    return invoice


@pytest.mark.parametrize(
    ("customer", "total"),
    [
        ({}, "110.00"),
        ({"tax_rate": "20"}, "120.00"),
        ({"tax_rate": 0}, "100.00"),
        ({"tax_status": "exempt"}, "100.00"),
        ({"tax_status": "reverse_charge", "tax_rate": "20"}, "100.00"),
    ],
)
def test_the_customer_s_own_tax_comes_before_the_organization_s(
    sandbox: Tenant, customer: dict[str, Any], total: str
) -> None:
    invoice = invoiced(sandbox, settings={"tax_rate": 10}, customer=customer)

    assert invoice["cost_due"] == Decimal(total)
    assert invoice["subtotal"] == 100


def test_without_a_rate_there_is_no_tax_on_the_invoice(sandbox: Tenant) -> None:
    assert invoiced(sandbox, settings={}, customer={})["taxes"] == []


def test_why_nothing_is_charged_is_on_the_invoice(sandbox: Tenant) -> None:
    invoice = invoiced(sandbox, settings={"tax_rate": 10}, customer={"tax_status": "reverse_charge"})

    assert invoice["taxes"] == [{"category": "AE", "rate_percent": 0, "base": 100, "amount": 0}]


def test_a_price_that_includes_tax_is_what_is_to_be_paid(sandbox: Tenant) -> None:
    invoice = invoiced(sandbox, settings={"tax_rate": 21, "prices_include_tax": True}, customer={})

    assert invoice["cost_due"] == 100
    assert [(each["base"], each["amount"]) for each in invoice["taxes"]] == [(Decimal("82.64"), Decimal("17.36"))]


def test_the_draft_has_the_tax_of_the_invoice(sandbox: Tenant) -> None:
    sandbox.patch("/api/organization/", {"tax_rate": 10})
    sandbox.customer()
    sandbox.plan(recurring_charges=[{**FEE, "timing": "in_arrears", "proration": "full"}])
    sandbox.subscribe()

    (draft,) = sandbox.get("/api/draft_invoice/", customer_id="acme")

    assert (draft["cost_due"], draft["line_items"]["total_revenue_due"]) == (110, 100)


def test_credit_pays_the_tax_too(sandbox: Tenant) -> None:
    sandbox.customer()
    sandbox.post("/api/credits/", {"customer_id": "acme", "amount": 500})
    sandbox.patch("/api/organization/", {"tax_rate": 10})
    sandbox.plan(recurring_charges=[FEE])
    sandbox.subscribe()

    (invoice,) = sandbox.invoices()

    assert (invoice["credit_applied"], invoice["cost_due"], invoice["payment_status"]) == (110, 0, "paid")


def test_an_invoice_is_due_when_the_organization_says(sandbox: Tenant) -> None:
    invoice = invoiced(sandbox, settings={"payment_grace_period": 14}, customer={})

    assert invoice["due_date"].startswith("2026-01-15")


def test_an_invoice_can_be_had_as_pdf(sandbox: Tenant) -> None:
    settings = {"tax_rate": 19, "locale": "de_DE", "legal_name": "Lotus GmbH", "note": "Danke!", "paper": "letter"}
    invoice = invoiced(sandbox, settings=settings, customer={"tax_id": "FR-7"})

    answer = sandbox.client.get(f"/api/invoices/{invoice['invoice_id']}/pdf/")

    assert answer.headers["content-type"] == "application/pdf"
    text = " ".join(PdfReader(io.BytesIO(answer.content)).pages[0].extract_text().split())
    parts = ("Rechnung", "Lotus GmbH", "FR-7", "19", "119,00", "Danke!", invoice["invoice_number"])
    assert [] == [part for part in parts if part not in text]


def test_fields_of_a_customer_that_are_not_sent_stay(sandbox: Tenant) -> None:
    sandbox.customer(email="a@b.test", tax_rate=5, properties={"a": 1})

    changed = sandbox.patch("/api/customers/acme/", {"tax_rate": None, "customer_name": "New"})

    assert (changed["customer_name"], changed["tax_rate"], changed["email"]) == ("New", None, "a@b.test")
    assert changed["properties"] == {"a": 1}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/customers/acme/", {"customer_id": "other"}, 400),
        ("/api/customers/acme/", {"tax_status": "rich"}, 400),
        ("/api/customers/nobody/", {"email": "a@b.test"}, 404),
    ],
)
def test_a_wrong_change_of_a_customer_is_refused(sandbox: Tenant, path: str, body: dict[str, Any], status: int) -> None:
    sandbox.customer()

    assert sandbox.client.patch(path, json=body).status_code == status
