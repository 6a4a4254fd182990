"""One plan in the web app: its terms, what they cost, its versions, and who has it."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from lotus_server.domain.accounts import Organization, Role
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page

CALLS = {"model": "graduated", "tiers": [{"up_to": 1000, "unit_price": 0}, {"unit_price": "0.002", "flat_fee": 5}]}
PAYMENTS = {"model": "percentage", "rate_percent": "2.9", "fixed_fee": "0.3", "maximum_spend": 500}
CELLS = [{"when": {"region": "eu"}, "price": {"model": "per_unit", "unit_price": 3}}]
STORAGE = {
    "model": "matrix",
    "dimensions": ["region"],
    "cells": CELLS,
    "default": {"model": "per_unit", "unit_price": 2},
}
READ_ONLY = ["", "versions/", "compare", "subscriptions", "price?component=x"]
CHANGES = ["edit", "archive"]


def fill(tenant: Tenant) -> None:
    """A plan with two versions and one subscription of the first."""
    tenant.customer()
    tenant.metric("calls", metric_name="API calls")
    tenant.metric("payments", metric_name="Payments", aggregation_type="sum", property_name="amount")
    tenant.metric("storage", metric_name="Storage", group_by=["region"])
    tenant.feature("sso")
    terms: dict[str, Any] = {
        "recurring_charges": [{"name": "Base fee", "amount": 49}],
        "components": [
            {"metric_id": "calls", "price": CALLS, "limit": 50000},
            {"metric_id": "payments", "price": PAYMENTS},
        ],
        "features": ["sso_id"],
    }
    tenant.plan(
        "pro",
        plan_name="Pro",
        plan_description="For teams that grow.",
        tags=["popular"],
        external_links=[{"source": "stripe", "external_plan_id": "price_1"}],
        **terms,
    )
    tenant.subscribe()
    newer = {
        "recurring_charges": [{"name": "Base fee", "amount": 59}],
        "components": [*terms["components"], {"metric_id": "storage", "price": STORAGE}],
        "commitment": {"amount": 100, "overage_factor": "1.5"},
        "usage_thresholds": [{"amount": 500}, {"amount": 1000, "is_recurring": True}],
        "trial_days": 14,
    }
    tenant.post("/api/plans/pro/versions/", newer)


def _card(page: Page, name: str) -> str:
    return f".card:has(> .card-header:has-text('{name}'))"


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_of_a_plan_open_as_they_should(visit: Open, tenant: Tenant, look: str) -> None:
    fill(tenant)
    visitor = visit(look=look)
    check_page(visitor, "plans/pro/", "plan", look)
    check_page(visitor, "plans/pro/versions/", "plan-versions", look)
    check_page(visitor, "plans/pro/compare", "plan-compare", look)
    check_page(visitor, "plans/pro/subscriptions", "plan-subscriptions", look)


def test_what_a_quantity_costs_is_told_while_it_is_typed(visit: Open, tenant: Tenant) -> None:
    fill(tenant)
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("plans/pro/")
    calls = page.locator(_card(page, "API calls"))
    calls.get_by_role("textbox", name="Quantity").press_sequentially("10000")
    expect(calls.locator("[data-amount]")).to_have_text("$23.00")  # 5 + 9000 x 0.002
    payments = page.locator(_card(page, "Payments"))
    payments.get_by_label("Events").fill("10")
    payments.get_by_label("Amount of each").fill("100")
    expect(payments.locator("[data-amount]")).to_have_text("$32.00")  # 10 x (2.90 + 0.30)
    storage = page.locator(_card(page, "Storage"))
    storage.get_by_label("Group").select_option("every other group")
    storage.get_by_role("textbox", name="Quantity").fill("7")
    expect(storage.locator("[data-amount]")).to_have_text("$14.00")
    storage.get_by_role("textbox", name="Quantity").fill("many")
    expect(storage.get_by_text("must be a number")).to_be_visible()


def test_another_version_is_chosen_and_compared(visit: Open, tenant: Tenant) -> None:
    fill(tenant)
    page = visit().open("plans/pro/")
    expect(page.get_by_text("At least $100.00 a month, recurring charges count")).to_be_visible()
    page.get_by_label("Version").select_option("1")
    expect(page.get_by_text("off sale, still in use").last).to_be_visible()
    assert page.url.endswith("version=1")
    page.get_by_role("link", name="Compare").click()
    fee = page.get_by_role("row", name="Base fee")
    expect(fee).to_contain_text("$49.00")
    expect(fee).to_contain_text("$59.00")
    expect(page.get_by_role("row", name="Storage")).to_contain_text("region = eu")
    expect(page.get_by_role("row", name="API calls")).to_have_count(0)
    page.get_by_role("link", name="Who has it").click()
    expect(page.get_by_role("link", name="Acme Inc.")).to_be_visible()
    page.get_by_label("Version").select_option("2")
    expect(page.get_by_text("Nobody has it")).to_be_visible()


def test_a_plan_is_renamed_tagged_linked_and_archived(visit: Open, tenant: Tenant) -> None:
    fill(tenant)
    page = visit().open("plans/pro/")
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("textbox", name="Name").fill("Professional")
    page.get_by_role("textbox", name="Tags").fill("b2b, popular")
    page.get_by_role("button", name="Add a link").click()
    page.get_by_label("System").last.fill("salesforce")
    page.get_by_label("Its id there").last.fill("SF-1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Professional is changed.")).to_be_visible()
    row = tenant.get("/api/plans/pro/")
    assert [tag["tag_name"] for tag in row["tags"]] == ["b2b", "popular"]
    assert [link["source"] for link in row["external_links"]] == ["stripe", "salesforce"]
    page.get_by_role("link", name="Archive").click()
    expect(page.get_by_text("1 active subscriptions")).to_be_visible()
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("nobody can subscribe to it")).to_be_visible()
    expect(page.get_by_role("link", name="New version")).to_have_count(0)


def test_a_price_is_told_without_a_script(visit: Open, tenant: Tenant) -> None:
    fill(tenant)
    page = visit(script=False).open("plans/pro/")
    calls = page.locator(_card(page, "API calls"))
    calls.get_by_role("textbox", name="Quantity").fill("2000")
    calls.get_by_role("button", name="What does it cost?").click()
    expect(page.locator("[data-amount]")).to_have_text("$7.00")


@pytest.mark.parametrize("path", CHANGES)
def test_who_may_not_change_a_plan_is_refused(pages: Callable[..., Pages], tenant: Tenant, path: str) -> None:
    tenant.plan()
    viewer = pages(role=Role.FINANCE)
    assert viewer.get(f"plans/pro/{path}").status_code == 403
    assert viewer.post(f"plans/pro/{path}", {"plan_name": "x"}).status_code == 403


@pytest.mark.parametrize("path", ["", "versions/", "compare", "subscriptions"])
def test_a_viewer_reads_a_plan(pages: Callable[..., Pages], tenant: Tenant, path: str) -> None:
    tenant.plan()
    assert pages(role=Role.VIEWER).get(f"plans/pro/{path}").status_code == 200


@pytest.mark.parametrize("path", [*READ_ONLY, *CHANGES])
def test_the_plan_of_another_organization_is_not_there(
    pages: Callable[..., Pages], other_organization: Organization, tenant: Tenant, path: str
) -> None:
    tenant.plan()
    assert pages().get(f"plans/pro/{path}", other_organization).status_code == 404
    assert pages().post(f"plans/pro/{path}", {"plan_name": "x"}, other_organization).status_code in {404, 405}


@pytest.mark.parametrize("path", ["?version=7", "?version=x", "compare?before=9", "price?component=nothing"])
def test_what_a_plan_has_not_is_not_there(pages: Callable[..., Pages], tenant: Tenant, path: str) -> None:
    tenant.plan()
    assert pages().get(f"plans/pro/{path}").status_code == 404
