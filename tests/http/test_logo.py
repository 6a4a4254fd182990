"""The logo of an organization's documents, and drafts as documents."""

import io

import httpx
import pytest
from pypdf import PdfReader

from tests.pictures import SVG, jpeg, png
from tests.tenants import Json, Tenant

LOGO = "/api/organization/logo/"


def put(tenant: Tenant, content: bytes, media_type: str, status: int = 204) -> httpx.Response:
    answer = tenant.client.put(LOGO, content=content, headers={"content-type": media_type})
    assert status == answer.status_code, answer.text
    return answer


@pytest.fixture
def using(sandbox: Tenant) -> Tenant:
    """A customer with a fee that is due at the end."""
    sandbox.customer()
    sandbox.plan(recurring_charges=[{"name": "fee", "amount": "100", "timing": "in_arrears", "proration": "full"}])
    sandbox.subscribe()
    return sandbox


def draft(tenant: Tenant, **query: str) -> PdfReader:
    answer = tenant.client.get("/api/customers/acme/draft_invoice/pdf/", params=query)
    assert (200, "application/pdf") == (answer.status_code, answer.headers["content-type"]), answer.text
    return PdfReader(io.BytesIO(answer.content))


@pytest.mark.parametrize(
    ("content", "media_type"), [(png(), "image/png"), (SVG, "image/svg+xml; charset=utf-8")], ids=["png", "svg"]
)
def test_a_logo_comes_back_as_it_was_put(tenant: Tenant, content: bytes, media_type: str) -> None:
    put(tenant, content, media_type)

    answer = tenant.client.get(LOGO)

    assert (content, media_type.partition(";")[0]) == (answer.content, answer.headers["content-type"].partition(";")[0])
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_logo_stands_on_documents_until_it_is_removed(using: Tenant) -> None:
    put(using, png(2, 2), "image/png")
    put(using, png(3, 3), "image/png")
    with_logo = draft(using).pages[0].images
    for _ in range(2):
        assert 204 == using.client.delete(LOGO).status_code

    assert 1 == len(with_logo)
    assert [] == list(draft(using).pages[0].images)
    assert "logo_not_found" == using.get(LOGO, 404)["title"]


@pytest.mark.parametrize(
    ("content", "media_type", "code"),
    [
        (b"GIF89a", "image/gif", "invalid_choice"),
        (png(), "image/jpeg", "invalid"),
        (jpeg(), "image/jpeg", "logo_unreadable"),
        (b"<svg", "image/svg+xml", "invalid"),
        (b"<svg ", "image/svg+xml", "logo_unreadable"),
        (b"", "image/png", "invalid"),
        (SVG + b" " * 300_000, "image/svg+xml", "too_long"),
    ],
)
def test_what_cannot_be_printed_is_no_logo(tenant: Tenant, content: bytes, media_type: str, code: str) -> None:
    answer: Json = put(tenant, content, media_type, 400).json()

    assert code == answer["title"]
    tenant.get(LOGO, 404)


def test_a_logo_is_nobody_else_s(tenant: Tenant, other_tenant: Tenant) -> None:
    put(tenant, SVG, "image/svg+xml")

    other_tenant.get(LOGO, 404)


def test_a_draft_can_be_had_as_a_document_that_says_so(using: Tenant) -> None:
    text = " ".join(draft(using).pages[0].extract_text().split())

    assert [] == [part for part in ("DRAFT", "Acme Inc.", "$100.00") if part not in text]
    assert "Number" not in text
    assert [] == using.invoices()


def test_a_draft_of_several_subscriptions_says_which_one(using: Tenant) -> None:
    using.plan("other", recurring_charges=[{"name": "fee", "amount": "7", "timing": "in_arrears", "proration": "full"}])
    other = using.subscribe(plan_id="other")["subscription_id"]
    path = "/api/customers/acme/draft_invoice/pdf/"

    assert "ambiguous" == using.get(path, 400)["title"]
    assert "subscription_not_found" == using.get(path, 404, subscription_id="nobody")["title"]
    assert "$7.00" in draft(using, subscription_id=other).pages[0].extract_text()


def test_a_draft_of_nobody_is_not_found(sandbox: Tenant) -> None:
    sandbox.customer()

    assert "subscription_not_found" == sandbox.get("/api/customers/acme/draft_invoice/pdf/", 404)["title"]
    assert "customer_not_found" == sandbox.get("/api/customers/nobody/draft_invoice/pdf/", 404)["title"]
