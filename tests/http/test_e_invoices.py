"""E-invoices over HTTP."""

import io
from typing import Any

import pytest
from pypdf import PdfReader

from tests.e_invoice_judges import wrong_in
from tests.tenants import Json, Tenant

SELLER: dict[str, Any] = {
    "legal_name": "Lotus GmbH",
    "address": {"line1": "Weg 1", "city": "Köln", "postal_code": "50667", "country": "DE"},
    "tax_id": "DE123456789",
    "tax_rate": 19,
    "email": "billing@lotus.test",
}
BUYER: dict[str, Any] = {
    "address": {"line1": "Rue 2", "city": "Paris", "country": "FR"},
    "email": "ap@acme.test",
    "properties": {"buyer_reference": "PO-7"},
}


@pytest.fixture
def billed(sandbox: Tenant) -> Tenant:
    """A customer with one invoice over a fee of 100, of parties about whom everything is known."""
    sandbox.patch("/api/organization/", SELLER)
    sandbox.customer(**BUYER)
    sandbox.plan(recurring_charges=[{"name": "fee", "amount": "100"}])
    sandbox.subscribe()
    return sandbox


def path_of(tenant: Tenant, kind: str) -> str:
    """Where an invoice is, or a credit note over it."""
    (invoice,) = tenant.invoices()
    if kind == "invoice":
        return f"/api/invoices/{invoice['invoice_id']}"
    body = {"invoice_id": invoice["invoice_id"], "reason": "Outage"}
    return f"/api/credit_notes/{tenant.post('/api/credit_notes/', body)['credit_note_id']}"


@pytest.mark.parametrize("kind", ["invoice", "credit note"])
@pytest.mark.parametrize("wanted", ["ubl", "peppol", "cii"])
def test_an_invoice_can_be_had_as_xml(billed: Tenant, kind: str, wanted: str) -> None:
    answer = billed.client.get(f"{path_of(billed, kind)}/xml/", params={"format": wanted})

    assert (200, "application/xml") == (answer.status_code, answer.headers["content-type"])
    assert [] == wrong_in(answer.content)
    assert ("poacc:billing:3.0" in answer.text) == (wanted == "peppol")
    assert ("119.00" in answer.text, "PO-7" in answer.text) == (True, True)


@pytest.mark.parametrize("kind", ["invoice", "credit note"])
def test_a_hybrid_pdf_has_the_same_xml_within(billed: Tenant, kind: str) -> None:
    path = path_of(billed, kind)

    xml = billed.client.get(f"{path}/xml/", params={"format": "cii"}).content
    answer = billed.client.get(f"{path}/pdf/", params={"e_invoice": "facturx"})

    assert "application/pdf" == answer.headers["content-type"]
    assert {"factur-x.xml": [xml]} == PdfReader(io.BytesIO(answer.content)).attachments


def test_an_invoice_stays_as_it_was_issued_whatever_is_credited_later(billed: Tenant) -> None:
    path = path_of(billed, "invoice")
    before = [billed.client.get(f"{path}/{rest}").content for rest in ("xml/", "pdf/?e_invoice=facturx")]

    path_of(billed, "credit note")

    after = [billed.client.get(f"{path}/{rest}").content for rest in ("xml/", "pdf/?e_invoice=facturx")]
    assert before == after


@pytest.mark.parametrize(("rest", "query"), [("xml", {}), ("pdf", {"e_invoice": "facturx"})])
@pytest.mark.parametrize("kind", ["invoice", "credit note"])
def test_what_is_missing_is_named_and_nothing_is_written(
    sandbox: Tenant, kind: str, rest: str, query: dict[str, str]
) -> None:
    sandbox.customer(customer_name="")
    sandbox.plan(recurring_charges=[{"name": "fee", "amount": "100"}])
    sandbox.subscribe()

    problem: Json = sandbox.get(f"{path_of(sandbox, kind)}/{rest}/", 409, **query)

    assert "e_invoice_incomplete" == problem["title"]
    assert [
        "organization.tax_id",
        "organization.address.country",
        "customer.customer_name",
        "customer.address.country",
    ] == [each["field"] for each in problem["validation_errors"]]


def test_another_format_is_refused(billed: Tenant) -> None:
    billed.get(f"{path_of(billed, 'invoice')}/xml/", 400, format="edifact")
    billed.get(f"{path_of(billed, 'invoice')}/pdf/", 400, e_invoice="edifact")


def test_a_voided_invoice_has_no_e_invoice(billed: Tenant) -> None:
    path = path_of(billed, "invoice")
    billed.post(f"{path}/void/", {}, 200)

    assert "invalid_state" == billed.get(f"{path}/xml/", 400)["title"]
