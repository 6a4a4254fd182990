"""Plans and versions are built in the web app."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from lotus_server.domain.accounts import Organization, Role
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page
from tests.web.test_plan import fill

ROUTES = ["plans/new", "plans/pro/versions/new"]


def _usage(page: Page, number: int) -> Locator:
    return page.locator("#components > [data-row]").nth(number)


@pytest.mark.parametrize("look", LOOKS)
def test_the_builder_opens_as_it_should(visit: Open, tenant: Tenant, look: str) -> None:
    fill(tenant)
    visitor = visit(look=look)
    check_page(visitor, "plans/new", "plan-new", look)
    page = visitor.open("plans/pro/versions/new")
    page.wait_for_selector("figure[data-chart][data-drawn]")
    check_page(visitor, "plans/pro/versions/new", "plan-version-new", look)


def test_a_plan_is_built_from_nothing_and_its_price_is_told_while_it_is_typed(visit: Open, tenant: Tenant) -> None:
    tenant.metric("calls", metric_name="API calls")
    tenant.feature("seats")
    page = visit().open("plans/")
    page.get_by_role("link", name="New plan").first.click()
    page.locator("#plan_name").fill("Pro")
    page.locator("#plan_id").fill("pro")
    page.get_by_label("Amount each period").fill("49")
    page.get_by_role("button", name="Add usage").click()
    row = _usage(page, 0)
    row.get_by_label("Metric").select_option("API calls")
    row.get_by_label("Price model").first.select_option("graduated")
    row.get_by_label("Up to").first.fill("1000")
    row.get_by_role("textbox", name="Unit price").nth(1).fill("0.01")
    row.get_by_label("What does it cost?").press_sequentially("3500")
    expect(row.locator("[data-amount]")).to_have_text("$25.00")
    row.get_by_role("button", name="Add a tier").click()
    row.get_by_label("Up to").nth(1).fill("500")
    expect(row.get_by_text("A tier ends above 1000, where it begins.").first).to_be_visible()
    row.get_by_label("Up to").nth(1).fill("2000")
    row.get_by_role("textbox", name="Unit price").nth(2).fill("0.002")
    expect(row.locator("[data-amount]")).to_have_text("$13.00")  # 1000 x 0.01 + 1500 x 0.002
    page.get_by_role("button", name="Add a feature").click()
    page.get_by_label("Feature", exact=True).select_option("seats")
    page.get_by_role("textbox", name="Value").fill("25")
    page.get_by_role("button", name="Create the plan").click()
    expect(page.get_by_text("Pro is in the price list now.")).to_be_visible()
    made: dict[str, Any] = tenant.get("/api/plans/pro/")["display_version"]
    assert [Decimal(49)] == [charge["amount"] for charge in made["recurring_charges"]]
    tiers = made["components"][0]["price"]["tiers"]
    assert [(1000, 0), (2000, Decimal("0.01")), (None, Decimal("0.002"))] == [
        (tier["up_to"], tier["unit_price"]) for tier in tiers
    ]
    assert [25] == [feature["value"] for feature in made["features"]]


def test_everything_wrong_is_told_beside_its_field_and_nothing_is_lost(visit: Open, tenant: Tenant) -> None:
    tenant.metric("calls", metric_name="API calls")
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("plans/new")
    page.locator("#plan_name").fill("Pro")
    page.get_by_label("Trial, in days").fill("many")
    page.get_by_role("button", name="Add usage").click()
    page.get_by_role("button", name="Add usage").click()
    page.get_by_role("button", name="Remove this usage").first.click()
    row = _usage(page, 0)
    row.get_by_label("Price model").first.select_option("package")
    row.get_by_label("Units in a package").first.fill("0")
    page.get_by_role("button", name="Create the plan").click()
    row = _usage(page, 0)
    expect(page.get_by_label("Amount each period")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Trial, in days")).to_have_value("many")
    expect(page.get_by_text("trial_days must be a whole number.")).to_be_visible()
    expect(row.get_by_label("Metric")).to_have_attribute("aria-invalid", "true")
    expect(row.get_by_label("Units in a package").first).to_have_value("0")
    expect(row.get_by_text("package_size must be greater than 0.").first).to_be_visible()
    assert tenant.get("/api/plans/") == []


def test_the_next_version_begins_with_the_terms_of_the_last(visit: Open, tenant: Tenant) -> None:
    fill(tenant)
    before = tenant.get("/api/plans/pro/")["versions"][1]
    page = visit().open("plans/pro/versions/new")
    page.get_by_label("Amount each period").fill("79")
    page.get_by_label("Only for these customers").fill("acme")
    page.get_by_role("button", name="Create the version").click()
    expect(page.get_by_text("Version 3 of Pro is made.")).to_be_visible()
    after = tenant.get("/api/plans/pro/")["versions"][2]
    assert ["acme"] == [customer["customer_id"] for customer in after["target_customers"]]
    assert [79] == [charge["amount"] for charge in after["recurring_charges"]]
    for key in ("trial_days", "commitment", "proration_unit", "billing_cycle", "features", "usage_thresholds"):
        assert before[key] == after[key]
    prices = [[component["price"] for component in version["components"]] for version in (before, after)]
    assert prices[0] == prices[1]


def test_a_matrix_is_built_of_groups_that_have_prices_of_any_model(visit: Open, tenant: Tenant) -> None:
    tenant.metric("storage", metric_name="Storage", group_by=["region"])
    page = visit().open("plans/new")
    page.locator("#plan_name").fill("Matrix")
    page.locator("#plan_id").fill("matrix")
    page.get_by_role("button", name="Remove this charge").click()
    page.get_by_role("button", name="Add usage").click()
    row = _usage(page, 0)
    row.get_by_label("Metric").select_option("Storage")
    row.get_by_label("Price model").select_option("matrix")
    row.get_by_label("Dimensions").fill("region")
    for group in ("eu", "us"):
        row.get_by_role("button", name="Add a group").click()
        row.get_by_role("textbox", name="Group", exact=True).last.fill(f"region = {group}")
    row.get_by_label("Price model").nth(1).select_option("volume")
    row.get_by_role("textbox", name="Up to").first.fill("10")
    row.get_by_role("textbox", name="Unit price").nth(0).fill("5")
    row.get_by_role("textbox", name="Unit price").nth(1).fill("4")
    row.get_by_role("button", name="Add a tier").click()
    expect(row.get_by_role("textbox", name="Up to")).to_have_count(3)
    row.get_by_role("button", name="Remove this tier").last.click()
    row.get_by_label("Price model").nth(2).select_option("per_unit")
    row.get_by_role("textbox", name="Unit price").last.fill("7")
    row.get_by_role("button", name="Charge every other group").click()
    expect(row.get_by_role("button", name="Charge every other group")).to_be_hidden()
    row.get_by_role("textbox", name="Unit price").last.fill("9")
    row.get_by_label("What does it cost?").fill("20")
    expect(row.locator("[data-amount]")).to_have_text("$80.00")
    row.get_by_label("Group, counted from 0").fill("2")
    expect(row.locator("[data-amount]")).to_have_text("$180.00")
    page.get_by_role("button", name="Create the plan").click()
    expect(page.get_by_text("Matrix is in the price list now.")).to_be_visible()
    price = tenant.get("/api/plans/matrix/")["display_version"]["components"][0]["price"]
    assert [{"region": "eu"}, {"region": "us"}] == [cell["when"] for cell in price["cells"]]
    assert ["volume", "per_unit", "per_unit"] == [
        each["model"] for each in (*(cell["price"] for cell in price["cells"]), price["default"])
    ]


def test_what_is_typed_for_a_metric_without_a_price_is_not_a_problem_yet(pages: Callable[..., Pages]) -> None:
    form = {"component": "components[4]", "components[4].price.model": "per_unit"}
    answer = pages().post("plans/price-preview", form)
    assert answer.status_code == 200
    assert "when the price is complete" in answer.text


def test_a_problem_names_the_field_as_the_browser_has_it(pages: Callable[..., Pages]) -> None:
    form = {
        "component": "components[4]",
        "components[2].price.model": "per_unit",
        "components[4].price.model": "volume",
        "components[4].price.tiers[1].up_to": "10",
        "components[4].price.tiers[3].up_to": "5",
        "components[4].price.tiers[5].up_to": "",
        "components[4].price.tiers[5].unit_price": "1",
    }
    answer = pages().post("plans/price-preview", form)
    assert 'data-problem-of="components[4].price.tiers[3].up_to"' in answer.text


@pytest.mark.parametrize("component", ["", "components[9]", "nothing", "components[x]"])
def test_a_preview_of_nothing_is_empty(pages: Callable[..., Pages], component: str) -> None:
    assert pages().post("plans/price-preview", {"component": component}).status_code == 200


@pytest.mark.parametrize("path", [*ROUTES, "plans/price-preview"])
def test_who_may_not_change_the_catalog_is_refused(pages: Callable[..., Pages], tenant: Tenant, path: str) -> None:
    tenant.plan()
    finance = pages(role=Role.FINANCE)
    assert finance.post(path, {"plan_name": "x"}).status_code == 403
    assert path == "plans/price-preview" or finance.get(path).status_code == 403


@pytest.mark.parametrize("path", [*ROUTES, "plans/price-preview"])
def test_the_builder_of_another_organization_is_not_there(
    pages: Callable[..., Pages], other_organization: Organization, tenant: Tenant, path: str
) -> None:
    tenant.plan()
    assert pages().get(path, other_organization).status_code in {404, 405}
    assert pages().post(path, {"plan_name": "x"}, other_organization).status_code == 404
