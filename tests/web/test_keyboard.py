"""Journeys with the keyboard alone: the mouse is never touched."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.tenants import Tenant
from tests.web.harness import Open

TABS_MAX = 80


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the focus is there, as often as a person would put up with."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"{target} is not reached in {TABS_MAX} steps")


def test_a_customer_is_made(visit: Open) -> None:
    page = visit().open("customers/")
    tab_to(page, page.get_by_role("link", name="New customer").first)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Id", exact=True)).to_be_focused()
    page.keyboard.type("acme")
    page.keyboard.press("Tab")
    page.keyboard.type("Acme Ltd")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Acme Ltd", level=1)).to_be_visible()


def test_a_dialog_is_left_with_escape_and_the_focus_comes_back(visit: Open) -> None:
    page = visit().open("settings/api-keys/")
    link = page.get_by_role("link", name="New key")
    tab_to(page, link)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(link).to_be_focused()


def test_a_key_is_revoked(visit: Open, tenant: Tenant) -> None:
    page = visit().open("settings/api-keys/")
    tab_to(page, page.get_by_role("link", name="Revoke"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Revoke")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Revoke"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("opens nothing any more")).to_be_visible()
    assert tenant.client.get("/api/customers/").status_code == 401


def test_an_event_is_found_from_the_search(visit: Open, tenant: Tenant) -> None:
    batch = [
        {"event_name": "call", "customer_id": "acme", "idempotency_id": f"e{n}", "time_created": "2026-01-01T00:00:00Z"}
        for n in range(3)
    ]
    assert tenant.client.post("/api/track/", json={"batch": batch}).status_code == 201
    page = visit().open("events/")
    page.keyboard.press("/")
    page.keyboard.type("e1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    tab_to(page, page.get_by_role("link", name="e1", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="call", level=1)).to_be_visible()
