"""Plans, pricing units and features as people look through them and make them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page

ROUTES = ["features/new", "features/sso_id/archive", "pricing-units/new"]
LISTS = ["features/", "plans/", "plans/?view=table", "pricing-units/"]


def _fill(tenant: Tenant) -> None:
    tenant.customer()
    tenant.metric("calls", metric_name="API calls")
    tenant.metric("storage", metric_name="Storage")
    tenant.feature("sso")
    tenant.post("/api/features/", {"feature_id": "seats", "feature_name": "Seats", "feature_description": "People."})
    calls = {"metric_id": "calls", "price": {"model": "per_unit", "unit_price": "0.002", "free_units": 1000}}
    tiers = [{"up_to": 100, "unit_price": 2}, {"unit_price": 1}]
    storage = {"metric_id": "storage", "price": {"model": "graduated", "tiers": tiers}}
    fee = [{"name": "Base fee", "amount": 49}]
    tenant.plan("starter", plan_name="Starter", components=[calls])
    tenant.plan(
        "pro",
        plan_name="Pro",
        recurring_charges=fee,
        components=[calls, storage],
        features=["sso_id", {"feature_id": "seats", "value": 25}],
        tags=["popular", "self-service"],
    )
    tenant.plan(
        "yearly", plan_name="Enterprise", plan_duration="yearly", recurring_charges=[{"name": "Fee", "amount": 12000}]
    )
    tenant.plan("acme", plan_name="Acme only", recurring_charges=fee, target_customer_ids=["acme"])
    tenant.plan("old", plan_name="Old plan")
    tenant.post("/api/plans/old/archive/", status=200)
    tenant.subscribe()


@pytest.mark.parametrize("look", LOOKS)
def test_the_lists_open_as_they_should(visit: Open, tenant: Tenant, look: str) -> None:
    _fill(tenant)
    tenant.post("/api/pricing_units/", {"code": "credits", "name": "Credits", "symbol": "C"})
    visitor = visit(look=look)
    check_page(visitor, "plans/", "plans", look)
    check_page(visitor, "plans/?view=table&archived=true", "plans-table", look)
    check_page(visitor, "features/", "features", look)
    check_page(visitor, "pricing-units/", "pricing-units", look)


def test_empty_lists_say_what_to_do_next(visit: Open) -> None:
    visitor = visit()
    for path, sentence in (
        ("plans/", "No plans yet"),
        ("features/", "No features yet"),
        ("pricing-units/", "No pricing units yet"),
    ):
        check_page(visitor, path, f"{path.strip('/')}-empty", "light")
        visitor.sees(sentence)


def test_plans_are_searched_and_filtered_by_what_stands_in_the_address(visit: Open, tenant: Tenant) -> None:
    _fill(tenant)
    page = visit().open("plans/")
    expect(page.get_by_role("heading", name="For some customers only")).to_be_visible()
    expect(page.get_by_text("Old plan")).to_have_count(0)
    page.get_by_label("Billing period").select_option("yearly")
    expect(page.get_by_role("link", name="Pro", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="Enterprise")).to_be_visible()
    page.get_by_role("link", name="Table", exact=True).click()
    expect(page.get_by_role("row", name="Enterprise")).to_be_visible()
    assert "duration=yearly" in page.url
    page.get_by_role("searchbox", name="Search plans").fill("nothing is called so")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="All plans").click()
    expect(page.get_by_text("1 active subscription", exact=True)).to_be_visible()


def test_a_feature_is_made_and_archived(visit: Open) -> None:
    visitor = visit()
    visitor.expect_refusal(409)
    page = visitor.open("features/")
    page.get_by_role("link", name="New feature").first.click()
    page.get_by_label("Name").fill("Single sign-on")
    page.get_by_label("Id").fill("sso")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("Single sign-on is a feature now.")).to_be_visible()
    page.get_by_role("link", name="New feature").click()
    page.get_by_label("Name").fill("Single sign-on")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("A feature with this name exists already.")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Archive").click()
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("Single sign-on is archived.")).to_be_visible()
    page.get_by_label("Archived ones too").check()
    expect(page.get_by_role("cell", name="Single sign-on archived")).to_be_visible()


def test_a_pricing_unit_is_made_and_what_is_wrong_stands_beside_its_field(visit: Open) -> None:
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("pricing-units/new")
    page.get_by_label("Name").fill("Dollars")
    page.get_by_label("Code").fill("usd")
    page.get_by_label("Symbol").fill("$$")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("USD is a currency.")).to_be_visible()
    page.get_by_label("Code").fill("credits")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("Prices can be in Dollars now.")).to_be_visible()


@pytest.mark.parametrize("path", ROUTES)
def test_who_may_not_change_the_catalog_is_refused(pages: Callable[..., Pages], tenant: Tenant, path: str) -> None:
    tenant.feature("sso")
    finance = pages(role=Role.FINANCE)
    assert finance.get(path).status_code == 403
    assert finance.post(path, {"feature_name": "x"}).status_code == 403


@pytest.mark.parametrize("path", [*ROUTES, *LISTS])
def test_another_organization_is_not_there(
    pages: Callable[..., Pages], other_organization: Organization, path: str
) -> None:
    assert pages().get(path, other_organization).status_code == 404
    assert pages().post(path, {"feature_name": "x"}, other_organization).status_code in {404, 405}


@pytest.mark.parametrize("path", LISTS)
def test_a_viewer_reads_the_lists_and_sees_nothing_to_change_them_by(pages: Callable[..., Pages], path: str) -> None:
    answer = pages(role=Role.VIEWER).get(path)
    assert answer.status_code == 200
    assert "/new" not in answer.text
