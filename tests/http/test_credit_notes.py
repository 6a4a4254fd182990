"""Taking back invoices: credit notes, voiding, giving up."""

import io
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader

from tests.tenants import Json, Tenant

FEES = [{"name": "fee", "amount": "100"}, {"name": "support", "amount": "20"}]


@pytest.fixture
def billed(sandbox: Tenant) -> Tenant:
    """A customer with one unpaid invoice of 120, and 10 % of tax."""
    sandbox.patch("/api/organization/", {"tax_rate": 10})
    sandbox.customer()
    sandbox.plan(recurring_charges=FEES)
    sandbox.subscribe()
    return sandbox


def the_invoice(tenant: Tenant) -> Json:
    (invoice,) = tenant.invoices()
    return invoice


def credit(tenant: Tenant, status: int = 201, **more: Json) -> Json:
    body = {"invoice_id": the_invoice(tenant)["invoice_id"], "reason": "Outage", **more}
    return tenant.post("/api/credit_notes/", body, status)


def balance(tenant: Tenant) -> Json:
    return tenant.get("/api/customers/acme/")["balance"]


def test_a_credit_note_over_everything_leaves_nothing_to_pay(billed: Tenant) -> None:
    note = credit(billed)

    assert (note["subtotal"], note["total"], note["reduced_due"]) == (120, 132, 132)
    assert (the_invoice(billed)["cost_due"], the_invoice(billed)["payment_status"]) == (0, "paid")
    assert billed.get("/api/customers/acme/")["total_amount_due"] == 0


def test_a_part_of_a_line_is_credited_with_its_tax(billed: Tenant) -> None:
    note = credit(billed, lines=[{"line": 0, "amount": "33.33"}])

    assert (note["taxes"][0]["amount"], note["total"]) == (Decimal("3.33"), Decimal("36.66"))
    assert the_invoice(billed)["cost_due"] == Decimal("95.34")


def test_what_is_credited_of_a_paid_invoice_becomes_balance(billed: Tenant) -> None:
    billed.patch(f"/api/invoices/{the_invoice(billed)['invoice_id']}/", {"payment_status": "paid"})

    note = credit(billed, lines=[{"line": 1, "amount": 20}])

    assert (note["reduced_due"], note["credited_to_balance"], balance(billed)) == (0, 22, 22)


def test_nothing_is_credited_twice(billed: Tenant) -> None:
    credit(billed)

    assert credit(billed, 400)["title"] == "invalid_state"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"lines": [{"line": 0, "amount": 101}]}, "more_than_is_left"),
        ({"lines": [{"line": 7, "amount": 1}]}, "invalid"),
        ({"lines": [{"line": 0, "amount": "0.001"}]}, "too_fine"),
        ({"lines": [{"line": 0}]}, "required"),
        ({"lines": []}, "required"),
        ({"reason": ""}, "invalid"),
    ],
)
def test_a_wrong_credit_note_changes_nothing(billed: Tenant, wrong: dict[str, Any], code: str) -> None:
    answer = credit(billed, 400, **wrong)

    assert answer["validation_errors"][0]["code"] == code
    assert billed.get("/api/credit_notes/") == []


def test_credit_notes_have_numbers_of_their_own_without_gaps(billed: Tenant) -> None:
    credit(billed, lines=[{"line": 0, "amount": 1}])
    credit(billed, 400, lines=[{"line": 0, "amount": 1000}])
    credit(billed, lines=[{"line": 0, "amount": 1}])

    numbers = [note["credit_note_number"] for note in billed.get("/api/credit_notes/")]

    assert [number[-6:] for number in numbers] == ["000002", "000001"]


def test_a_credit_note_can_be_had_as_pdf(billed: Tenant) -> None:
    note = credit(billed)

    answer = billed.client.get(f"/api/credit_notes/{note['credit_note_id']}/pdf/")

    text = " ".join(PdfReader(io.BytesIO(answer.content)).pages[0].extract_text().split())
    parts = ("Credit note", note["credit_note_number"], the_invoice(billed)["invoice_number"], "$132.00", "Outage")
    assert [] == [part for part in parts if part not in text]


def test_a_voided_invoice_gives_back_the_credit_it_used(billed: Tenant) -> None:
    billed.post("/api/credits/", {"customer_id": "acme", "amount": 50})
    billed.move_clock("2026-02-01T00:00:00Z")
    newest = billed.get("/api/invoices/")[0]
    assert (newest["credit_applied"], balance(billed)) == (50, 0)

    voided = billed.post(f"/api/invoices/{newest['invoice_id']}/void/", {}, 200)
    again = billed.post(f"/api/invoices/{newest['invoice_id']}/void/", {}, 200)

    assert voided["payment_status"] == again["payment_status"] == "voided"
    assert balance(billed) == 50
    drawdowns = billed.get("/api/credits/", customer_id="acme")[0]["drawdowns"]
    assert [row["amount"] for row in drawdowns] == [-50, 50]


def test_what_a_voided_invoice_billed_is_not_billed_again(billed: Tenant) -> None:
    billed.post(f"/api/invoices/{the_invoice(billed)['invoice_id']}/void/", {}, 200)
    billed.move_clock("2026-01-20T00:00:00Z")

    assert len(billed.invoices()) == 1


@pytest.mark.parametrize("first", ["paid", "credited"])
def test_an_invoice_with_a_history_cannot_be_voided(billed: Tenant, first: str) -> None:
    path = f"/api/invoices/{the_invoice(billed)['invoice_id']}/"
    if first == "paid":
        billed.patch(path, {"payment_status": "paid"})
    else:
        credit(billed, lines=[{"line": 0, "amount": 1}])

    assert billed.post(f"{path}void/", {}, 400)["title"] == "invalid_state"


def test_a_voided_invoice_cannot_be_credited(billed: Tenant) -> None:
    billed.post(f"/api/invoices/{the_invoice(billed)['invoice_id']}/void/", {}, 200)

    assert credit(billed, 400)["title"] == "invalid_state"


def test_an_invoice_that_nobody_will_pay_is_not_due(billed: Tenant) -> None:
    path = f"/api/invoices/{the_invoice(billed)['invoice_id']}/"

    assert billed.patch(path, {"payment_status": "uncollectible"})["payment_status"] == "uncollectible"
    assert billed.get("/api/customers/acme/")["total_amount_due"] == 0
