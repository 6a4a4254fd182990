"""The customer portal."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from tests.server_process import ServerProcess
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page


@pytest.fixture
def sold(tenant: Tenant) -> Tenant:
    """Two customers with a plan, an invoice and some usage each."""
    client = tenant.client
    metric = {"metric_id": "calls", "metric_name": "Calls", "event_name": "call", "aggregation_type": "count"}
    assert client.post("/api/metrics/", json=metric).status_code == 201
    fee = {"name": "Platform fee", "amount": 49, "charge_timing": "in_advance"}
    tiers = [{"type": "per_unit", "cost_per_batch": "0.5", "metric_units_per_batch": 1, "range_start": 0}]
    plan = {"plan_name": "Pro", "plan_id": "pro", "plan_duration": "monthly", "recurring_charges": [fee]}
    answer = client.post("/api/plans/", json={**plan, "components": [{"metric_id": "calls", "tiers": tiers}]})
    assert answer.status_code == 201, answer.text
    for customer_id, name in (("acme", "Acme Ltd"), ("rival", "Rival Inc")):
        assert client.post("/api/customers/", json={"customer_id": customer_id, "customer_name": name}).is_success
        body = {"customer_id": customer_id, "plan_id": "pro", "start_date": "2026-01-01T00:00:00Z"}
        assert client.post("/api/subscriptions/", json=body).status_code == 201
    event = {"event_name": "call", "customer_id": "acme", "idempotency_id": "e1"}
    batch = [event | {"time_created": "2026-01-01T00:00:00Z"}]
    assert client.post("/api/track/", json={"batch": batch}).status_code == 201
    return tenant


def link(tenant: Tenant, customer_id: str = "acme", **body: object) -> str:
    answer = tenant.client.post(f"/api/customers/{customer_id}/portal_link/", json=body)
    assert answer.status_code == 201, answer.text
    path: str = answer.json()["path"]
    return path


@pytest.mark.parametrize("look", LOOKS)
def test_the_portal_opens_as_it_should(visit: Open, sold: Tenant, look: str) -> None:
    check_page(visit(nobody=True, look=look), link(sold), "portal", look)


@pytest.mark.parametrize("look", LOOKS)
def test_its_settings_open_as_they_should(visit: Open, look: str) -> None:
    check_page(visit(look=look), "settings/portal/", "settings-portal", look)


def test_a_customer_sees_its_plan_usage_and_invoices(visit: Open, sold: Tenant) -> None:
    page = visit(nobody=True).open(link(sold))
    expect(page.get_by_text("Acme Ltd")).to_be_visible()
    expect(page.get_by_text("Pro", exact=True).first).to_be_visible()
    expect(page.get_by_text("$0.50").first).to_be_visible()
    expect(page.get_by_role("cell", name="$49.00")).to_be_visible()
    assert "Rival" not in page.content()


def test_its_invoice_comes_as_pdf_and_those_of_others_do_not(server: ServerProcess, sold: Tenant) -> None:
    own, others = (
        sold.client.get("/api/invoices/", params={"customer_id": customer}).json()[0]["invoice_id"]
        for customer in ("acme", "rival")
    )
    path = f"{server.url}{link(sold)}invoices/"
    assert httpx.get(f"{path}{own}.pdf").content.startswith(b"%PDF-")
    assert httpx.get(f"{path}{others}.pdf").status_code == 404


@pytest.mark.parametrize("text", ["x.y", "ü", "eyJ.", "a" * 3_000])
def test_what_was_never_a_link_opens_nothing(server: ServerProcess, text: str) -> None:
    assert httpx.get(f"{server.url}/portal/{text}/").status_code == 404


def test_a_link_that_was_made_into_that_of_another_opens_nothing(server: ServerProcess, sold: Tenant) -> None:
    signature = link(sold).split(".")[1]
    said = link(sold, "rival").split(".")[0]
    assert httpx.get(f"{server.url}{said}.{signature}").status_code == 404


def test_a_link_opens_no_other_page(server: ServerProcess, sold: Tenant) -> None:
    token = link(sold).split("/")[2]
    for path in ("/", f"/o/{sold.organization_id[-8:]}/customers/acme/"):
        answer = httpx.get(server.url + path, cookies={"lotus_session": token})
        assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in")
    assert httpx.get(f"{server.url}/api/customers/", headers={"X-API-KEY": token}).status_code == 401


def test_links_end_when_the_settings_end_them(visit: Open, server: ServerProcess, sold: Tenant) -> None:
    path = link(sold)
    page = visit().open("settings/portal/")
    page.get_by_role("textbox", name="Colour").fill("#0f766e")
    page.get_by_label("Who may embed it").fill("https://app.example.com\nhttp://localhost:3000")
    page.get_by_label("End all links").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("opens anything any more")).to_be_visible()
    assert httpx.get(server.url + path).status_code == 404
    policy = httpx.get(server.url + link(sold)).headers["content-security-policy"]
    assert policy.endswith("frame-ancestors https://app.example.com http://localhost:3000")
    assert "#0f766e" in httpx.get(f"{server.url}{link(sold)}colors.css").text


def test_a_link_is_made_from_the_customers_page_and_copied(visit: Open, sold: Tenant) -> None:
    page = visit().open("customers/acme/")
    page.get_by_role("link", name="Portal link").click()
    page.get_by_role("button", name="Make the link").click()
    address = page.get_by_label("Link", exact=True).input_value()
    assert httpx.get(address).status_code == 200


def test_a_colour_that_would_leave_its_rule_is_refused(tenant: Tenant) -> None:
    answer = tenant.client.patch("/api/portal/", json={"color": "#000000; } * { display: none"})
    assert (answer.status_code, answer.json()["validation_errors"][0]["field"]) == (400, "color")


@pytest.mark.parametrize("hours", [0, -1, 8_761, "x"])
def test_a_link_opens_for_an_hour_to_a_year(sold: Tenant, hours: object) -> None:
    answer = sold.client.post("/api/customers/acme/portal_link/", json={"hours": hours})
    assert answer.status_code == 400


def test_who_may_only_look_makes_no_link_and_changes_no_settings(pages: Callable[..., Pages], sold: Tenant) -> None:
    viewer = pages(role=Role.VIEWER)
    assert viewer.get("customers/acme/portal-link").status_code == 403
    assert viewer.post("customers/acme/portal-link", {"hours": "24"}).status_code == 403
    assert viewer.post("settings/portal/", {"color": "#000000"}).status_code == 403


@pytest.mark.parametrize("path", ["settings/portal/", "customers/acme/portal-link"])
def test_another_organization_is_not_there(
    pages: Callable[..., Pages], sold: Tenant, other_organization: Organization, path: str
) -> None:
    assert pages().get(path, other_organization).status_code == 404
