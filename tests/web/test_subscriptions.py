"""Subscriptions in the web app: looking, making, and changing with what it comes to before it is done."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lotus_server.domain.accounts import Organization, Role
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page

SUB = "sub_acme"
ONE = f"subscriptions/{SUB}/"
LIST = "subscriptions/"
ACTIONS = ("cancel", "renewal", "end", "pause", "resume", "switch", "quantity", "units/bytes", "add-ons/attach")
PATHS = (LIST, f"{LIST}export.csv", f"{LIST}new", ONE, *(ONE + action for action in ACTIONS))


def sell(tenant: Tenant) -> None:
    """Plans with a charge of 31 a month, so that each day of January costs 1, prepaid units; an add-on; and Acme."""
    tenant.metric("bytes")
    unit_price = {"model": "per_unit", "unit_price": "0.01"}
    prepaid = {"metric_id": "bytes", "price": unit_price, "prepaid_charge": {"units": 100}}
    for plan_id, amount in (("pro", 31), ("max", 62)):
        charge = {"name": "seats", "amount": amount}
        tenant.plan(plan_id, plan_name=plan_id.title(), recurring_charges=[charge], components=[prepaid])
    addon = {"addon_id": "support", "addon_name": "Support", "addon_type": "flat", "billing_frequency": "recurring"}
    tenant.post("/api/addons/", {**addon, "recurring_charges": [{"name": "support", "amount": "15.50"}]})
    tenant.customer()


def subscribe(tenant: Tenant) -> None:
    sell(tenant)
    tenant.subscribe(subscription_id=SUB)
    tenant.move_clock("2026-01-11T00:00:00Z")


def seen(page: Page) -> str:
    """What the page says that the change comes to."""
    page.get_by_role("button", name="Show what it comes to").click()
    return page.locator("[data-effect]").inner_text()


@pytest.mark.parametrize("look", LOOKS)
def test_one_subscription_opens_as_it_should(visit: Open, tenant: Tenant, look: str) -> None:
    subscribe(tenant)
    tenant.post(f"/api/{ONE}pause/", {"paused_until": "2026-01-20"}, 200)
    tenant.post(f"/api/{ONE}addons/attach/", {"addon_id": "support"})

    check_page(visit(look=look), ONE, "subscription", look)


@pytest.mark.parametrize("look", LOOKS)
def test_what_a_change_comes_to_opens_as_it_should(visit: Open, tenant: Tenant, look: str) -> None:
    subscribe(tenant)
    visitor = visit(look=look)
    page = visitor.open(ONE)
    page.get_by_role("link", name="Cancel").click()
    seen(page)

    expect(page.get_by_role("heading", name="What it comes to")).to_be_in_viewport()
    visitor.check_accessibility()
    visitor.shoot(f"subscription-effect-{look}")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("action", [*ACTIONS, "../new"])
def test_a_form_opens_as_it_should(visit: Open, tenant: Tenant, look: str, action: str) -> None:
    subscribe(tenant)
    path = "subscriptions/new" if action == "../new" else ONE + action

    check_page(visit(look=look), path, f"subscription-{action.rsplit('/', maxsplit=1)[-1]}", look)


@pytest.mark.parametrize("look", LOOKS)
def test_the_list_opens_as_it_should(visit: Open, tenant: Tenant, look: str) -> None:
    subscribe(tenant)

    check_page(visit(look=look), "subscriptions/", "subscriptions", look)


def test_an_empty_list_says_what_to_do(visit: Open) -> None:
    visit().open("subscriptions/").get_by_role("link", name="New subscription").last.click()


def test_the_list_shows_what_is_filtered_for(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    tenant.customer("boots", customer_name="Boots")
    tenant.subscribe("boots", "max", "2026-02-01")
    page = visit().open("subscriptions/")

    page.get_by_label("Status").select_option("Not started")

    expect(page.get_by_role("link", name="Boots")).to_be_visible()
    expect(page.get_by_role("link", name="Acme Inc.")).to_have_count(0)
    assert "status=not_started" in page.url


def test_the_list_shows_what_is_paused_or_on_trial(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    tenant.customer("boots", customer_name="Boots")
    tenant.subscribe("boots", "max", "2026-01-11", trial_end="2026-01-20")
    tenant.post(f"/api/{ONE}pause/", {"paused_until": "2026-01-20"}, 200)
    page = visit().open("subscriptions/")

    page.get_by_label("Status").select_option("Paused")
    expect(page.get_by_role("link", name="Boots")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="Acme Inc.")).to_contain_text("paused")
    page.get_by_label("Status").select_option("On trial")

    expect(page.get_by_role("link", name="Acme Inc.")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="Boots")).to_contain_text("trial")
    assert ["boots"] == [each["customer"]["customer_id"] for each in tenant.get("/api/subscriptions/", status="trial")]


def test_the_list_is_sorted_by_what_happens_next(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    tenant.customer("boots", customer_name="Boots")
    tenant.subscribe("boots", "max", "2026-01-11")
    page = visit().open("subscriptions/")
    page.get_by_role("link", name="Next", exact=True).click()

    expect(page.locator("tbody tr").first).to_contain_text("Acme Inc.")
    page.get_by_role("link", name="Next", exact=True).click()
    expect(page.locator("tbody tr").first).to_contain_text("Boots")


def test_the_list_is_a_table_for_spreadsheets_too(pages: Callable[..., Pages], tenant: Tenant) -> None:
    subscribe(tenant)

    rows = pages().get("subscriptions/export.csv?status=active").text.splitlines()

    started, renews = "2026-01-01T00:00:00Z", "renews,2026-02-01T00:00:00Z"
    assert [f"{SUB},acme,Acme Inc.,pro,1,active,{started},,{renews}"] == rows[1:]


def test_a_filter_that_is_none_is_refused_in_words(pages: Callable[..., Pages]) -> None:
    answer = pages().get("subscriptions/?status=sleeping")

    assert (422, True) == (answer.status_code, "is no status" in answer.text)


def test_somebody_is_subscribed_after_the_first_invoice_was_seen(visit: Open, tenant: Tenant) -> None:
    sell(tenant)
    page = visit().open("subscriptions/new?customer_id=acme")
    page.get_by_label("Plan").select_option("Pro")
    page.get_by_role("button", name="Show the first invoices").click()

    expect(page.locator("[data-effect]")).to_contain_text("$32.00")
    assert tenant.get("/api/subscriptions/") == []
    page.get_by_role("button", name="Subscribe").click()

    expect(page.get_by_text("Acme Inc. is subscribed to Pro.")).to_be_visible()
    assert ["32"] == [str(invoice["cost_due"]) for invoice in tenant.get("/api/invoices/")]


def test_seats_and_filters_are_rows_of_the_form(visit: Open, tenant: Tenant) -> None:
    sell(tenant)
    page = visit().open("subscriptions/new?customer_id=acme&plan_id=pro")
    page.get_by_text("Version, end, trial").click()
    page.get_by_role("button", name="Quantity").click()
    page.get_by_label("Charge", exact=True).fill("seats")
    page.get_by_label("Quantity", exact=True).fill("3")
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Property").fill("region")
    page.get_by_label("Value").fill("eu")
    page.get_by_role("button", name="Show the first invoices").click()
    expect(page.locator("[data-effect]")).to_contain_text("$94.00")
    page.get_by_role("button", name="Subscribe").click()

    expect(page.get_by_text("region = eu")).to_be_visible()


def test_a_coupon_is_redeemed_with_the_subscription(visit: Open, tenant: Tenant) -> None:
    sell(tenant)
    tenant.post("/api/coupons/", {"coupon_id": "HALF", "name": "Half price", "type": "percentage", "amount": 50})
    page = visit().open("subscriptions/new?customer_id=acme&plan_id=pro")
    page.get_by_label("Coupon").select_option("Half price")
    page.get_by_role("button", name="Show the first invoices").click()

    expect(page.locator("[data-effect]")).to_contain_text("$16.00")
    page.get_by_role("button", name="Subscribe").click()

    expect(page.get_by_role("cell", name="$16.00")).to_be_visible()


def test_a_subscription_is_cancelled_with_the_keyboard_alone(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    page = visit().open(ONE)
    page.get_by_role("link", name="Cancel").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Cancel now")).to_be_visible()
    page.get_by_label("Each by its own rule").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("[data-effect]")).to_contain_text("-$21.68")
    page.get_by_role("button", name="Cancel the subscription").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("The subscription has ended.")).to_be_visible()


def test_what_is_wrong_stands_beside_the_field(visit: Open, tenant: Tenant) -> None:
    sell(tenant)
    visitor = visit()
    visitor.expect_refusal(422, 404)
    page = visitor.open("subscriptions/new?customer_id=acme&plan_id=pro")
    page.get_by_text("Version, end, trial").click()
    page.get_by_label("Last day").fill("2025-12-01")
    page.get_by_role("button", name="Show the first invoices").click()

    expect(page.get_by_label("Last day")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Customer")).to_have_value("acme")


def test_cancelling_shows_what_comes_back_before_it_is_done(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    page = visit().open(ONE)
    page.get_by_role("link", name="Cancel").click()
    page.get_by_label("Not at all").check()

    assert "-$32.00" in seen(page).replace("\u2212", "-")
    assert "active" == tenant.get(f"/api/{ONE}")["status"]
    page.get_by_role("button", name="Cancel the subscription").click()

    expect(page.get_by_text("The subscription has ended.")).to_be_visible()
    assert "ended" == tenant.get(f"/api/{ONE}")["status"]


def test_what_is_changed_after_it_was_seen_is_shown_again(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    page = visit().open(ONE + "cancel")
    seen(page)
    page.get_by_label("Not at all").check()
    page.get_by_role("button", name="Cancel the subscription").click()

    expect(page.locator("[data-effect]")).to_contain_text("32.00")
    assert "active" == tenant.get(f"/api/{ONE}")["status"]


def test_a_subscription_is_paused_and_resumed(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    page = visit().open(ONE)
    page.get_by_role("link", name="Pause").click()
    page.get_by_label("Now").check()
    assert "$21.68" in seen(page)  # 21 of 31 days of 31, and of the 1 that the prepaid units cost
    page.get_by_role("button", name="Pause the subscription").click()
    expect(page.get_by_text("paused", exact=True).first).to_be_visible()

    page.get_by_role("link", name="Resume").click()
    seen(page)
    page.get_by_role("button", name="Resume").click()

    expect(page.get_by_role("link", name="Pause")).to_be_visible()
    assert not tenant.get(f"/api/{ONE}")["is_paused"]


def test_a_switch_leads_to_the_new_subscription(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    page = visit().open(ONE)
    page.get_by_role("link", name="Switch plan").click()
    page.get_by_label("To", exact=True).select_option("Max")
    assert "unused" in seen(page)
    page.get_by_role("button", name="Switch the plan").click()

    expect(page.get_by_role("heading", name="Max for Acme Inc.")).to_be_visible()


def test_prepaid_units_that_the_new_plan_does_not_have_are_asked_for(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    tenant.metric("rows")
    prepaid = {"metric_id": "rows", "price": {"model": "per_unit", "unit_price": "0.10"}, "prepaid_charge": {}}
    tenant.plan("rows", plan_name="Rows", components=[prepaid])
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open(ONE + "switch")
    page.get_by_label("To", exact=True).select_option("Rows")
    page.get_by_role("button", name="Show what it comes to").click()
    expect(page.get_by_role("alert")).to_contain_text("Say how many units of the metric 'rows'")

    page.get_by_label("Metric", exact=True).fill("rows")
    page.get_by_label("Units", exact=True).fill("50")

    assert "$3.39" in seen(page)  # 21 of the 31 days of 50 units


def test_seats_change_with_their_price_in_sight(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    page = visit().open(ONE)
    page.get_by_title("Change the quantity of seats").click()
    page.get_by_label("Quantity from now on").fill("3")
    page.get_by_label("Invoice the difference now").check()
    assert "$42.00" in seen(page)
    page.get_by_role("button", name="Change the quantity").click()

    expect(page.get_by_text(re.compile(r"3 . \$31\.00"))).to_be_visible()


def test_prepaid_units_change(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    page = visit().open(ONE)
    page.get_by_title("Change the prepaid units").click()
    page.get_by_label("Units from now on").fill("410")
    assert "$2.10" in seen(page)
    page.get_by_role("button", name="Change the units").click()

    expect(page.get_by_text("410 units prepaid")).to_be_visible()


def test_another_end_shows_what_comes_back_before_it_is_set(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    page = visit().open(ONE)
    page.get_by_role("link", name="End date").click()
    page.get_by_label("Last day").fill("2026-01-15")
    page.get_by_label("Is invoiced now").check()
    # 16 of the 31 days of 31, and of the 1 that the prepaid units cost.
    assert "-$16.52" in seen(page).replace("\u2212", "-")
    page.get_by_role("button", name="Set the end date").click()

    expect(page.get_by_text("The end is changed.")).to_be_visible()
    assert "2026-01-15T23:59:59.999999Z" == tenant.get(f"/api/{ONE}")["end_date"]


def test_an_add_on_is_attached_and_ended(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    page = visit().open(ONE)
    page.get_by_role("link", name="Attach").click()
    page.get_by_label("Add-on").select_option("Support")
    assert "$10.50" in seen(page)
    page.get_by_role("button", name="Attach it").click()
    expect(page.get_by_text("The add-on is attached.")).to_be_visible()

    page.get_by_role("link", name="End", exact=True).click()
    seen(page)
    page.get_by_role("button", name="End the add-on").click()

    expect(page.get_by_text("The add-on has ended.")).to_be_visible()


def test_the_renewal_is_turned_off_without_a_script(visit: Open, tenant: Tenant) -> None:
    subscribe(tenant)
    page = visit(script=False).open(ONE)
    page.get_by_role("link", name="Renewal").click()
    page.get_by_label("ends").check()
    assert "No invoice follows" not in seen(page)
    page.get_by_role("button", name="Change the renewal").click()

    expect(page.get_by_text("The renewal is changed.")).to_be_visible()
    assert tenant.get(f"/api/{ONE}")["auto_renew"] is False


@pytest.mark.parametrize("action", [*ACTIONS, "retry"])
def test_a_viewer_changes_nothing(pages: Callable[..., Pages], tenant: Tenant, action: str) -> None:
    subscribe(tenant)
    path = ONE + action
    if action != "retry":
        assert 403 == pages(role=Role.VIEWER).get(path).status_code
    form = {"units": "1", "quantity": "1", "charge": "seats", "switch_plan_id": "max", "addon_id": "support"}

    assert 403 == pages(role=Role.VIEWER).post(path, form).status_code


def test_a_viewer_subscribes_nobody(pages: Callable[..., Pages], tenant: Tenant) -> None:
    sell(tenant)
    form = {"customer_id": "acme", "plan_id": "pro", "start_date": "2026-01-01"}

    assert 403 == pages(role=Role.VIEWER).get("subscriptions/new").status_code
    assert 403 == pages(role=Role.VIEWER).post("subscriptions/new", form).status_code


@pytest.mark.parametrize(
    "path",
    ["subscriptions/", "subscriptions/export.csv", ONE, "subscriptions/new", *(ONE + action for action in ACTIONS)],
)
def test_another_organization_is_not_there(
    pages: Callable[..., Pages], tenant: Tenant, other_organization: Organization, path: str
) -> None:
    subscribe(tenant)

    assert 404 == pages().get(path, other_organization).status_code
    assert pages().post(path, {}, other_organization).status_code in {404, 405}


@pytest.mark.parametrize("action", ["", *ACTIONS])
def test_the_subscription_of_another_organization_is_not_there(
    pages: Callable[..., Pages], tenant: Tenant, action: str
) -> None:
    del tenant

    assert 404 == pages().get(ONE + action).status_code
