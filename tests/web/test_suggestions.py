"""Fields that suggest while somebody types: by keyboard and by mouse, and as plain text fields without a script."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.tenants import Tenant
from tests.web.harness import Open, Pages


@pytest.fixture
def company(tenant: Tenant) -> Tenant:
    """Two customers, a plan of 31 a month, and events from two regions."""
    tenant.plan("pro", plan_name="Pro", recurring_charges=[{"name": "Base fee", "amount": 31}])
    tenant.customer("acme", customer_name="Acme Inc.")
    tenant.customer("boots-1", customer_name="Boots & Sons", email="boots@example.com")
    batch = [
        {
            "event_name": "calls",
            "customer_id": "acme",
            "idempotency_id": f"e{n}",
            "properties": {"region": region, "n": n},
        }
        for n, region in enumerate(["eu", "eu", "us"])
    ]
    tenant.post("/api/track/", {"batch": [{**each, "time_created": "2026-01-01T00:00:00Z"} for each in batch]})
    return tenant


def suggested(page: Page, **what: Any) -> Locator:  # noqa: ANN401 - what get_by_role takes
    """The suggestions that are shown."""
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option", **what)


def options(page: Page) -> list[str]:
    """What is suggested at this moment."""
    expect(page.locator("[aria-expanded=true]")).to_have_count(1)
    return [each.strip() for each in suggested(page).all_inner_texts()]


def test_a_subscription_is_made_without_knowing_an_id(visit: Open, company: Tenant) -> None:
    visitor = visit()
    page = visitor.open("subscriptions/new")
    field = page.get_by_role("combobox", name="Customer")
    field.press_sequentially("boo")
    expect(suggested(page)).to_have_count(1)
    visitor.check_accessibility()
    visitor.shoot("suggestions-light")
    field.press("ArrowDown")
    expect(suggested(page, selected=True)).to_contain_text("Boots & Sons")
    field.press("Enter")
    expect(field).to_have_value("boots-1")
    expect(suggested(page)).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="Boots & Sons")).to_be_visible()

    page.get_by_label("Plan", exact=True).select_option("pro")
    page.get_by_text("Version, end, trial").click()
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("combobox", name="Property").click()
    assert ["region such as eu, us"] == [" ".join(each.split()) for each in options(page)]
    suggested(page).click()
    page.get_by_role("combobox", name="Value").click()
    assert ["eu", "us"] == options(page)
    suggested(page, name="us").click()
    page.get_by_role("button", name="Show the first invoices").click()
    expect(page.locator("[data-effect]")).to_contain_text("$31.00")
    page.get_by_role("button", name="Subscribe").click()

    expect(page.get_by_text("Boots & Sons is subscribed to Pro.")).to_be_visible()
    (made,) = company.get("/api/subscriptions/", customer_id="boots-1")
    assert [{"property_name": "region", "value": "us"}] == made["subscription_filters"]


def test_escape_leaves_what_was_typed(visit: Open, company: Tenant) -> None:
    page = visit().open("subscriptions/new")
    field = page.get_by_role("combobox", name="Customer")
    field.press_sequentially("acm")
    expect(suggested(page)).to_have_count(1)

    field.press("Escape")

    expect(field).to_have_attribute("aria-expanded", "false")
    expect(field).to_have_value("acm")


def test_what_nobody_is_called_is_told(visit: Open, company: Tenant) -> None:
    page = visit().open("subscriptions/new")
    page.get_by_role("combobox", name="Customer").press_sequentially("zzz")

    expect(page.get_by_text("No customer is like that.")).to_be_visible()


def test_choosing_in_a_filter_filters(visit: Open, company: Tenant) -> None:
    company.subscribe("acme")
    company.subscribe("boots-1")
    page = visit().open("subscriptions/")
    page.get_by_role("combobox", name="Customer").press_sequentially("boots")
    suggested(page).click()

    expect(page.get_by_role("link", name="Acme Inc.")).to_have_count(0)
    assert "customer_id=boots-1" in page.url


def test_without_a_script_it_is_a_text_field(visit: Open, company: Tenant) -> None:
    page = visit(script=False).open("subscriptions/new")
    page.get_by_role("textbox", name="Customer").fill("acme")
    page.get_by_label("Plan", exact=True).select_option("pro")
    page.get_by_role("button", name="Show the first invoices").click()
    expect(page.locator("[data-effect]")).to_contain_text("$31.00")


def test_many_plans_are_suggested_instead_of_listed(visit: Open, company: Tenant) -> None:
    for number in range(25):
        company.plan(f"plan-{number}", plan_name=f"Plan {number}")
    page = visit().open("subscriptions/new")
    page.get_by_role("combobox", name="Plan", exact=True).press_sequentially("pro")

    expect(suggested(page)).to_contain_text("$31.00 / month")


@pytest.mark.parametrize("kind", ["customers", "plans", "properties", "values"])
def test_strange_texts_find_nothing_and_break_nothing(pages: Callable[..., Pages], company: Tenant, kind: str) -> None:
    for text in ("%", "_", "\x00", "'", "x" * 3000, "<b>"):
        answer = pages().get(f"suggest/{kind}?q={text.replace('%', '%25').replace(chr(0), '%00')}")
        assert answer.status_code == 200
        assert "<b>" not in answer.text
