"""Add-ons in the web app."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page

CHANGES = ["add-ons/new", "add-ons/support/archive"]
READ_ONLY = ["add-ons/", "add-ons/support/"]


def _fill(tenant: Tenant) -> None:
    tenant.customer()
    tenant.metric("calls", metric_name="API calls")
    tenant.plan("pro", plan_name="Pro")
    sub = tenant.subscribe()
    price = {"model": "package", "package_size": 1000, "package_price": 5}
    tenant.post(
        "/api/addons/",
        {
            "addon_id": "support",
            "addon_name": "Priority support",
            "addon_description": "Answers within an hour.",
            "billing_frequency": "recurring",
            "recurring_charges": [{"name": "Support", "amount": 99}],
            "components": [{"metric_id": "calls", "price": price}],
        },
    )
    tenant.post(f"/api/subscriptions/{sub['subscription_id']}/addons/attach/", {"addon_id": "support"})


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_open_as_they_should(visit: Open, tenant: Tenant, look: str) -> None:
    _fill(tenant)
    visitor = visit(look=look)
    check_page(visitor, "add-ons/", "addons", look)
    check_page(visitor, "add-ons/support/", "addon", look)
    check_page(visitor, "add-ons/new", "addon-new", look)


def test_an_add_on_is_built_and_archived(visit: Open, tenant: Tenant) -> None:
    tenant.metric("calls", metric_name="API calls")
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("add-ons/")
    visitor.sees("No add-ons yet")
    page.get_by_role("link", name="New add-on").first.click()
    page.locator("#addon_name").fill("Setup")
    page.locator("#addon_id").fill("setup")
    page.get_by_label("Amount each period").fill("-5")
    page.get_by_role("button", name="Create the add-on").click()
    expect(page.get_by_text("amount must not be negative.")).to_be_visible()
    page.get_by_label("Amount each period").fill("500")
    page.get_by_role("button", name="Create the add-on").click()
    expect(page.get_by_text("Setup can be attached to subscriptions now.")).to_be_visible()
    expect(page.get_by_text("Once: it ends with the period")).to_be_visible()
    expect(page.get_by_text("Nobody has it")).to_be_visible()
    page.get_by_role("link", name="Archive").click()
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("Setup is archived.")).to_be_visible()
    assert tenant.get("/api/addons/") == []


def test_who_has_an_add_on_and_what_its_usage_costs_is_told(visit: Open, tenant: Tenant) -> None:
    _fill(tenant)
    page = visit().open("add-ons/support/")
    expect(page.get_by_role("row", name="Acme Inc.")).to_contain_text("active")
    page.get_by_role("textbox", name="Quantity").fill("2500")
    expect(page.locator("[data-amount]")).to_have_text("$15.00")


@pytest.mark.parametrize("path", CHANGES)
def test_who_may_not_change_the_catalog_is_refused(pages: Callable[..., Pages], tenant: Tenant, path: str) -> None:
    _fill(tenant)
    finance = pages(role=Role.FINANCE)
    assert finance.get(path).status_code == 403
    assert finance.post(path, {"addon_name": "x"}).status_code == 403


@pytest.mark.parametrize("path", READ_ONLY)
def test_a_viewer_reads_add_ons(pages: Callable[..., Pages], tenant: Tenant, path: str) -> None:
    _fill(tenant)
    assert pages(role=Role.VIEWER).get(path).status_code == 200


@pytest.mark.parametrize("path", [*CHANGES, *READ_ONLY, "add-ons/support/price"])
def test_the_add_ons_of_another_organization_are_not_there(
    pages: Callable[..., Pages], other_organization: Organization, tenant: Tenant, path: str
) -> None:
    _fill(tenant)
    assert pages().get(path, other_organization).status_code == 404
    assert pages().post(path, {"addon_name": "x"}, other_organization).status_code in {404, 405}


@pytest.mark.parametrize("path", ["add-ons/pro/", "add-ons/nothing/", "add-ons/support/price?component=x"])
def test_what_is_no_add_on_is_not_there(pages: Callable[..., Pages], tenant: Tenant, path: str) -> None:
    _fill(tenant)
    assert pages().get(path).status_code == 404
