"""Settings in the web app."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from tests.pictures import png
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", ["settings/", "settings/invoices/", "settings/clock/"])
def test_the_page_opens_as_it_should(visit: Open, look: str, path: str) -> None:
    check_page(visit(look=look), path, path.strip("/").replace("/", "-"), look)


def test_an_organization_is_renamed(visit: Open, tenant: Tenant) -> None:
    page = visit().open("settings/")
    page.get_by_label("Name").fill("Nelumbo Inc.")
    page.get_by_label("Refuse events of unknown customers").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings were saved.")).to_be_visible()
    row = tenant.client.get("/api/organization/").json()
    assert (row["organization_name"], row["rejects_unknown_customers"]) == ("Nelumbo Inc.", True)


def test_the_example_follows_what_is_typed_and_is_kept_on_saving(visit: Open, tenant: Tenant) -> None:
    page = visit().open("settings/invoices/")
    picture = page.get_by_role("img", name="An example of an invoice")
    expect(picture).to_be_visible(timeout=30_000)
    before = picture.get_attribute("src")
    page.get_by_label("Legal name").fill("Nelumbo GmbH")
    page.get_by_label("Tax in percent").fill("19")
    page.get_by_label("Locale").fill("de_DE")
    page.wait_for_function(
        "before => document.querySelector('#specimen img')?.getAttribute('src') !== before", arg=before
    )
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("follow these settings")).to_be_visible()
    row = tenant.client.get("/api/organization/").json()
    assert (row["legal_name"], row["tax_rate"], row["locale"], row["address"]) == ("Nelumbo GmbH", 19, "de_DE", None)


def test_everything_that_is_wrong_stands_beside_its_field(visit: Open) -> None:
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("settings/invoices/")
    page.get_by_label("Tax in percent").fill("190")
    page.get_by_label("Time zone").fill("Mars/Base")
    page.get_by_label("Due after days").fill("soon")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Due after days")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Time zone")).to_have_value("Mars/Base")


def test_a_logo_is_put_on_documents_and_taken_off(visit: Open, tenant: Tenant) -> None:
    page = visit().open("settings/invoices/")
    page.get_by_label("Picture").set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": png(8, 8)})
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("Documents show the new logo.")).to_be_visible()
    assert tenant.client.get("/api/organization/logo/").headers["content-type"] == "image/png"
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("instead of a logo")).to_be_visible()
    assert tenant.client.get("/api/organization/logo/").status_code == 404


def test_what_is_no_picture_is_refused(visit: Open) -> None:
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("settings/invoices/")
    page.get_by_label("Picture").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": b"not a picture"}
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_a_year_runs_while_its_progress_is_seen_and_survives_a_reload(visit: Open, tenant: Tenant) -> None:
    plan = {"plan_name": "Pro", "plan_id": "pro", "plan_duration": "monthly"}
    fee = {"name": "Fee", "amount": 10, "charge_timing": "in_advance"}
    assert tenant.client.post("/api/plans/", json={**plan, "recurring_charges": [fee]}).status_code == 201
    assert tenant.client.post("/api/customers/", json={"customer_id": "acme"}).status_code == 201
    body = {"customer_id": "acme", "plan_id": "pro", "start_date": "2026-01-01T00:00:00Z"}
    assert tenant.client.post("/api/subscriptions/", json=body).status_code == 201
    page = visit().open("settings/clock/")
    page.get_by_role("button", name="Run a year").click()
    page.reload()
    expect(page.get_by_text("2027-01-01 00:00:00")).to_be_visible(timeout=120_000)
    expect(page.get_by_role("button", name="Run a year")).to_be_visible()
    assert len(tenant.client.get("/api/invoices/").json()) == 13


def test_a_clock_that_runs_is_stopped(visit: Open, tenant: Tenant) -> None:
    page = visit().open("settings/clock/")
    page.get_by_label("Or to an instant").fill("2090-01-01T00:00:00Z")
    page.get_by_role("button", name="Move there").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("The clock stands still.")).to_be_visible()


def test_a_clock_does_not_run_backwards(visit: Open) -> None:
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("settings/clock/")
    page.get_by_label("Or to an instant").fill("2025-01-01T00:00:00Z")
    page.get_by_role("button", name="Move there").click()
    expect(page.get_by_text("only moves forward")).to_be_visible()


def test_an_example_is_a_pdf(pages: Callable[..., Pages]) -> None:
    answer = pages().get("settings/invoices/specimen.pdf")
    assert answer.content.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("settings/", {"organization_name": "x"}),
        ("settings/invoices/", {"legal_name": "x"}),
        ("settings/logo", {"action": "remove"}),
        ("settings/clock/run", {"by": "day"}),
        ("settings/clock/stop", {}),
    ],
)
def test_a_viewer_changes_nothing(pages: Callable[..., Pages], path: str, form: dict[str, str]) -> None:
    assert pages(role=Role.VIEWER).post(path, form).status_code == 403


@pytest.mark.parametrize("path", ["", "invoices/", "clock/", "invoices/specimen.pdf"])
def test_another_organization_is_not_there(
    pages: Callable[..., Pages], other_organization: Organization, path: str
) -> None:
    assert pages().get(f"settings/{path}", other_organization).status_code == 404
    assert pages().post("settings/clock/run", {"by": "day"}, other_organization).status_code == 404
