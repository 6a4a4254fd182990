"""Versions are scheduled, and earlier ones replaced, in the web app."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from lotus_server.http.web.pages import plan_sale
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page

ROUTES = ["plans/pro/versions/1/schedule", "plans/pro/versions/1/replace"]
CUSTOMERS = plan_sale.SWITCHED_AT_ONCE + 2


def _fill(tenant: Tenant, customers: int = 2) -> None:
    """So many subscriptions of a plan for 31 a month, half of whose January is over."""
    tenant.plan("pro", plan_name="Pro", recurring_charges=[{"name": "Base fee", "amount": 31}])
    for number in range(customers):
        tenant.customer(f"customer-{number:03}")
        tenant.subscribe(f"customer-{number:03}")
    tenant.move_clock("2026-01-16T12:00:00Z")


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_open_as_they_should(visit: Open, tenant: Tenant, look: str) -> None:
    _fill(tenant)
    tenant.post("/api/plans/pro/versions/", {"recurring_charges": [{"name": "Base fee", "amount": 62}]})
    visitor = visit(look=look)
    check_page(visitor, "plans/pro/versions/2/replace", "plan-replace", look)
    check_page(visitor, "plans/pro/versions/2/schedule", "plan-schedule", look)


def test_subscriptions_are_switched_after_a_look_at_what_it_comes_to(visit: Open, tenant: Tenant) -> None:
    _fill(tenant, CUSTOMERS)
    page = visit().open("plans/pro/")
    page.get_by_role("link", name="New version").click()
    page.get_by_label("Amount each period").fill("62")
    page.get_by_label("Get this one now").check()
    page.get_by_role("button", name="Create the version").click()
    expect(
        page.get_by_role("heading", name=f"Switch {CUSTOMERS} active subscriptions to version 2 now?")
    ).to_be_visible()
    first = page.get_by_role("row").nth(1)
    expect(first).to_contain_text("-$15.50")
    expect(first).to_contain_text("$31.00")
    assert tenant.get("/api/plans/pro/")["versions"][1]["active_subscriptions"] == 0
    page.get_by_role("button", name="Switch them now").click()
    expect(page.get_by_role("heading", name=f"{CUSTOMERS} subscriptions have version 2 now")).to_be_visible(
        timeout=30_000
    )
    assert tenant.get("/api/plans/pro/")["versions"][1]["active_subscriptions"] == CUSTOMERS
    page.get_by_role("link", name="Who has it").last.click()
    expect(page.get_by_text(f"{CUSTOMERS} found")).to_be_visible()


def test_subscriptions_are_switched_without_a_script(visit: Open, tenant: Tenant) -> None:
    _fill(tenant, CUSTOMERS)
    tenant.post("/api/plans/pro/versions/", {"recurring_charges": [{"name": "Base fee", "amount": 62}]})
    page = visit(script=False).open("plans/pro/versions/2/replace")
    page.get_by_role("button", name="Switch them now").click()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name=f"{CUSTOMERS} subscriptions have version 2 now")).to_be_visible()


def test_a_version_is_scheduled(visit: Open, tenant: Tenant) -> None:
    tenant.plan("pro", plan_name="Pro")
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("plans/pro/")
    page.get_by_role("link", name="Schedule").click()
    page.get_by_label("On sale from").fill("2026-05-01T00:00")
    page.get_by_label("Until").fill("2026-04-01T00:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("active_to must lie after active_from.")).to_be_visible()
    page.get_by_label("Until").fill("2026-06-01T00:00")
    page.get_by_label("Customers see").fill("Pro for all")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Version 1 is scheduled.")).to_be_visible()
    version = tenant.get("/api/plans/pro/")["versions"][0]
    assert ("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z", "Pro for all") == (
        version["active_from"],
        version["active_to"],
        version["localized_name"],
    )


def test_there_may_be_nothing_to_replace(visit: Open, tenant: Tenant) -> None:
    tenant.plan()
    visitor = visit()
    visitor.open("plans/pro/versions/1/replace")
    visitor.sees("There is nothing to replace")


@pytest.mark.parametrize("path", ROUTES)
def test_who_may_not_change_the_catalog_is_refused(pages: Callable[..., Pages], tenant: Tenant, path: str) -> None:
    tenant.plan()
    finance = pages(role=Role.FINANCE)
    assert finance.get(path).status_code == 403
    assert finance.post(path, {}).status_code == 403


@pytest.mark.parametrize("path", ROUTES)
def test_the_versions_of_another_organization_are_not_there(
    pages: Callable[..., Pages], other_organization: Organization, tenant: Tenant, path: str
) -> None:
    tenant.plan()
    assert pages().get(path, other_organization).status_code == 404
    assert pages().post(path, {}, other_organization).status_code == 404


@pytest.mark.parametrize("path", ["plans/pro/versions/7/replace", "plans/pro/versions/x/schedule"])
def test_a_version_that_is_not_there_is_not_found(pages: Callable[..., Pages], tenant: Tenant, path: str) -> None:
    tenant.plan()
    assert pages().get(path).status_code == 404
