"""Undo in the web app: a toast offers it, with and without a script, by keyboard, and for those who listen."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lotus_server.domain.accounts import Organization, Role
from tests.tenants import Tenant
from tests.web.harness import Open, Pages

UNDONE = "Undone: it is as it was before."


@pytest.fixture
def feature(tenant: Tenant) -> str:
    """The id of a feature."""
    made = tenant.client.post("/api/features/", json={"feature_name": "Single sign-on", "feature_id": "sso"})
    assert made.status_code == 201, made.text
    return "sso"


def archive(page: Page) -> None:
    page.get_by_role("link", name=re.compile("Archive")).first.click()
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("Single sign-on is archived.")).to_be_visible()


def is_archived(tenant: Tenant) -> bool:
    return not tenant.client.get("/api/features/").json()


@pytest.mark.parametrize("script", [True, False])
def test_what_was_archived_is_offered_again(visit: Open, tenant: Tenant, feature: str, *, script: bool) -> None:
    page = visit(script=script).open("features/")
    archive(page)
    assert is_archived(tenant)

    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_text(UNDONE)).to_be_visible()
    assert re.search("/features/$", page.url)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert not is_archived(tenant)


def test_undo_is_two_steps_away_by_keyboard_and_one_with_its_shortcut(
    visit: Open, tenant: Tenant, feature: str
) -> None:
    page = visit().open("features/")
    archive(page)
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(undo).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(UNDONE)).to_be_visible()
    archive(page)
    expect(undo).to_be_visible()

    page.keyboard.press("Control+z")

    expect(page.get_by_text(UNDONE)).to_be_visible()
    assert not is_archived(tenant)


def test_what_was_done_is_read_aloud_with_its_undo(visit: Open, feature: str) -> None:
    visitor = visit()
    page = visitor.open("features/")
    archive(page)

    status = page.locator("#toasts[aria-live=polite]").get_by_role("status")
    expect(status).to_contain_text("Single sign-on is archived.")
    expect(status.get_by_role("button", name="Undo")).to_have_attribute("aria-keyshortcuts", "Control+Z Meta+Z")
    visitor.check_accessibility()
    visitor.shoot("undo-toast")


def test_an_undo_too_late_is_refused_in_words(visit: Open, tenant: Tenant, member_changes: Callable[[], None]) -> None:
    page = visit().open("customers/acme/settings/")
    page.get_by_label("Name").first.fill("Acme & Sons")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    member_changes()

    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_role("alert")).to_contain_text("has been changed once more since then")
    assert tenant.client.get("/api/customers/acme/").json()["customer_name"] == "Third"


@pytest.fixture
def member_changes(tenant: Tenant) -> Callable[[], None]:
    """Make a customer; the function changes its name."""
    assert tenant.client.post("/api/customers/", json={"customer_id": "acme", "customer_name": "Acme"}).is_success

    def change() -> None:
        assert tenant.client.patch("/api/customers/acme/", json={"customer_name": "Third"}).is_success

    return change


def test_a_toast_goes_by_itself_and_can_be_closed(visit: Open, feature: str) -> None:
    page = visit().open("features/")
    page.clock.install()
    archive(page)
    page.clock.run_for(19_000)
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.clock.run_for(2_000)
    expect(page.locator("[data-toast]")).to_have_count(0)

    page.goto(page.url)
    assert page.locator("[data-toast]").count() == 0


def test_an_undo_leads_nowhere_else(pages: Callable[..., Pages], organization: Organization) -> None:
    for back in ("https://example.com/", "//example.com", "/o/00000000/", "/sign-in"):
        answer = pages().post("undo", {"entries": "audit_1", "back": back})
        assert answer.status_code == 404


def test_the_log_shows_the_undo(visit: Open, feature: str) -> None:
    page = visit().open("features/")
    archive(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(UNDONE)).to_be_visible()

    page.goto(page.url.replace("features/", "settings/audit/"))

    rows = page.get_by_role("row")
    expect(rows.nth(1)).to_contain_text("undo")
    expect(rows.nth(2)).to_contain_text("archive feature")


def test_who_may_not_do_it_does_not_undo_it(pages: Callable[..., Pages], tenant: Tenant, feature: str) -> None:
    assert pages(role=Role.VIEWER).post("undo", {"entries": "audit_1"}).status_code == 404
