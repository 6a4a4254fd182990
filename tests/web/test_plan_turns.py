"""Plans that turn into others, in the web app: chosen when a plan is made, told on its page, changed later."""

import pytest
from playwright.sync_api import expect

from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, check_page

BASE = {"recurring_charges": [{"name": "Base fee", "amount": 31}]}


@pytest.fixture
def sold(tenant: Tenant) -> Tenant:
    """A trial of 14 days that turns into a paid plan."""
    tenant.plan("paid", plan_name="Paid", **BASE)
    tenant.plan("trial", plan_name="Trial", trial_days=14, transition_to="paid")
    return tenant


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_opens_as_it_should(visit: Open, sold: Tenant, look: str) -> None:
    check_page(visit(look=look), "plans/trial/", "plan-turns", look)


def test_a_plan_that_turns_is_made_in_the_builder(visit: Open, tenant: Tenant) -> None:
    tenant.plan("paid", plan_name="Paid", **BASE)
    page = visit().open("plans/new")
    page.get_by_label("Name", exact=True).first.fill("Trial")
    page.get_by_label("Id", exact=True).fill("trial")
    page.get_by_label("Amount each period").fill("0")
    page.get_by_label("Trial, in days").fill("14")
    page.get_by_label("Subscriptions turn into").select_option("Paid (each month)")
    page.get_by_role("button", name="Create the plan").click()

    turns = page.get_by_role("region", name="Turns")
    expect(turns).to_contain_text("When the trial of 14 days ends, the same subscription goes on with it")
    turns.get_by_role("link", name="Paid").click()
    expect(page.get_by_role("region", name="Turns")).to_contain_text("Trial version 1, after a trial of 14 days")


def test_what_a_version_turns_into_is_changed_with_its_sale(visit: Open, sold: Tenant) -> None:
    page = visit().open("plans/trial/")
    page.get_by_role("link", name="Schedule").click()
    page.get_by_label("Or they turn into another plan").select_option("They stay with this plan")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Version 1 is scheduled.")).to_be_visible()
    assert sold.get("/api/plans/trial/")["versions"][0]["transition_to"] is None

    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_text("on renewal, it turns into the plan paid")).to_be_visible()
    assert sold.get("/api/plans/trial/")["versions"][0]["transition_to"] == "paid"


def test_a_plan_that_is_not_sold_is_told_to_turn_nothing(visit: Open, sold: Tenant) -> None:
    sold.post("/api/plans/paid/archive/", {}, 200)
    page = visit().open("plans/trial/")
    expect(page.get_by_role("note")).to_contain_text("Nothing turns at present: Paid is archived.")
