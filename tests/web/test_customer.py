"""The pages of one customer in the web app."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from tests.tenants import Json, Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page

TABS = ["", "subscriptions/", "invoices/", "credits/", "events/", "access/", "settings/"]
ACTIONS = ["credits/new", "credits/schedules/new", "credits/wallet"]


def track(tenant: Tenant, *events: Json) -> None:
    """Events of the customer happen, one a call."""
    batch = [
        {"customer_id": "acme", "event_name": "call", "time_created": "2025-12-31T12:00:00Z", **event}
        for event in events
    ]
    tenant.post("/api/track/", {"batch": batch})


@pytest.fixture
def company(tenant: Tenant) -> Tenant:
    """Acme, which pays 30 in advance and 0.50 for each call beyond 2, at most 10 of them, and has made three."""
    tenant.post(
        "/api/metrics/",
        {
            "metric_id": "calls",
            "metric_name": "Calls",
            "event_name": "call",
            "metric_type": "counter",
            "aggregation_type": "count",
        },
    )
    tenant.post("/api/features/", {"feature_id": "sso", "feature_name": "Single sign-on"})
    tenant.post("/api/features/", {"feature_id": "audit", "feature_name": "Audit log"})
    price = {"model": "per_unit", "unit_price": "0.5", "free_units": 2}
    body = {
        "plan_id": "pro",
        "plan_name": "Pro",
        "plan_duration": "monthly",
        "recurring_charges": [{"name": "fee", "amount": 30, "timing": "in_advance"}],
        "components": [{"metric_id": "calls", "price": price, "limit": 10}],
        "features": ["sso"],
    }
    tenant.post("/api/plans/", body)
    tenant.post("/api/customers/", {"customer_id": "acme", "customer_name": "Acme", "email": "pay@acme.example"})
    body = {"customer_id": "acme", "billing_plan_id": "pro", "start_date": "2025-12-15", "subscription_id": "sub_acme"}
    tenant.post("/api/subscriptions/", body)
    track(
        tenant, *({"idempotency_id": f"call {number}", "properties": {"region": r}} for number, r in enumerate("aab"))
    )
    return tenant


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("tab", TABS)
def test_each_tab_opens_as_it_should(visit: Open, company: Tenant, tab: str, look: str) -> None:
    company.post("/api/credits/", {"customer_id": "acme", "amount": 20, "description": "Welcome", "amount_paid": 5})
    check_page(visit(look=look), f"customers/acme/{tab}", f"customer-{tab.rstrip('/') or 'overview'}", look)


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_of_a_new_customer_says_what_to_do(visit: Open, tenant: Tenant, tab: str) -> None:
    tenant.post("/api/customers/", {"customer_id": "a/b c%", "customer_name": ""})
    visitor = visit()
    page = visitor.open(f"customers/a%2Fb%20c%25/{tab}")
    expect(page.get_by_role("heading", name="a/b c%", level=1)).to_be_visible()
    visitor.check_accessibility()
    expect(page.get_by_role("navigation", name="Customer").locator("[aria-current]")).to_have_count(1)


def test_what_is_due_updates_itself_while_the_customer_uses_more(visit: Open, company: Tenant) -> None:
    page = visit().open("customers/acme/")
    due = page.locator("#due [data-due='USD']")
    expect(due).to_have_text("$0.50")
    track(company, *({"idempotency_id": f"more {number}"} for number in range(4)))
    expect(due).to_have_text("$2.50", timeout=15_000)
    expect(page.locator("#due").get_by_role("row", name=re.compile("Calls"))).to_contain_text("7")


@pytest.mark.usefixtures("company")
def test_usage_is_drawn_and_told_by_group(visit: Open) -> None:
    page = visit().open("customers/acme/")
    page.get_by_label("By property").fill("region")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("As a table").click()
    expect(page.get_by_role("columnheader", name="a", exact=True)).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Together"))).to_have_text(re.compile(r"Together\s*2\s*1"))
    page.get_by_label("Time").select_option("A year")
    expect(page).to_have_url(re.compile("range=1y"))
    page.wait_for_selector("#usage figure[data-drawn]")


def test_the_timeline_tells_what_is_paused(visit: Open, company: Tenant) -> None:
    company.post("/api/subscriptions/sub_acme/pause/", {}, 200)
    page = visit().open("customers/acme/subscriptions/")
    expect(page.get_by_role("row", name=re.compile("Pro"))).to_contain_text("paused")


def test_the_timeline_has_a_bar_for_each_subscription(visit: Open, company: Tenant) -> None:
    company.post("/api/cancel_subscription/", {"subscription_id": "sub_acme"}, 200)
    page = visit().open("customers/acme/subscriptions/")
    expect(page.get_by_role("img", name="Pro, ended")).to_be_visible()
    expect(page.get_by_role("link", name="Pro")).to_have_attribute("href", re.compile("subscriptions/sub_acme/$"))


@pytest.mark.usefixtures("company")
def test_access_is_tried_for_so_many_more(visit: Open) -> None:
    page = visit().open("customers/acme/access/")
    page.get_by_label("Metric").select_option("Calls")
    page.get_by_label("How many more").fill("7")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("heading", name="Allowed", exact=True)).to_be_visible()
    expect(page.get_by_text("allowed, for money")).to_be_visible()
    page.get_by_label("How many more").fill("8")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("heading", name="Refused", exact=True)).to_be_visible()
    expect(page.get_by_text("8 more would go beyond the total limit of Calls.")).to_be_visible()


@pytest.mark.usefixtures("company")
def test_access_is_tried_for_a_feature(visit: Open) -> None:
    page = visit().open("customers/acme/access/?feature_id=audit")
    expect(page.get_by_role("heading", name="Refused", exact=True)).to_be_visible()
    page.get_by_label("Feature").select_option("Single sign-on")
    page.get_by_role("button", name="Ask for the feature").click()
    expect(page.get_by_role("heading", name="Allowed", exact=True)).to_be_visible()


def test_events_are_listed_and_filtered_by_name(visit: Open, company: Tenant) -> None:
    track(company, {"idempotency_id": "other", "event_name": "upload"})
    page = visit().open("customers/acme/events/")
    expect(page.get_by_role("link", name="call")).to_have_count(3)
    page.get_by_label("Event name").fill("upload")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("link", name="call")).to_have_count(0)
    expect(page.get_by_role("link", name="upload")).to_have_attribute("href", re.compile("events/other/$"))


def test_settings_are_changed_and_kept(visit: Open, company: Tenant) -> None:
    page = visit().open("customers/acme/settings/")
    page.get_by_label("Name").fill("Acme GmbH")
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_label("Tax rate in percent").fill("19")
    page.get_by_label("City").first.fill("Berlin")
    page.get_by_label("Properties").fill('{"crm": "A-1", "seats": 1.50}')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Kept.")).to_be_visible()
    expect(page.get_by_role("heading", name="Acme GmbH", level=1)).to_be_visible()
    row = company.get("/api/customers/acme/")
    assert ("Acme GmbH", "Europe/Berlin", 19) == (row["customer_name"], row["timezone"], row["tax_rate"])
    assert ("Berlin", None) == (row["address"]["city"], row["billing_address"])
    assert ("pay@acme.example", {"crm": "A-1", "seats": Decimal("1.50")}) == (row["email"], row["properties"])
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Properties")).to_have_value(re.compile('"crm": "A-1"'))
    assert row == company.get("/api/customers/acme/")


def test_what_is_wrong_with_settings_stands_beside_the_field(visit: Open, company: Tenant) -> None:
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("customers/acme/settings/")
    page.get_by_label("Tax rate in percent").fill("a lot")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Tax rate in percent")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Tax rate in percent")).to_have_value("a lot")
    assert company.get("/api/customers/acme/")["tax_rate"] is None


def test_credit_is_given_changed_and_taken_back(visit: Open, company: Tenant) -> None:
    page = visit().open("customers/acme/credits/")
    page.get_by_role("link", name="Give credit").first.click()
    page.get_by_label("Amount").fill("25.5")
    page.get_by_label("What for").fill("An apology")
    page.get_by_role("button", name="Give").click()
    row = page.get_by_role("row", name=re.compile("An apology"))
    expect(row).to_contain_text("$25.50")
    row.get_by_text("Ledger").click()
    expect(row).to_contain_text("+$25.50")
    row.get_by_role("link", name="Change").click()
    page.get_by_label("Expires").fill("2026-06-30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name=re.compile("An apology"))).to_contain_text("Jun 30, 2026")
    page.get_by_role("link", name="Void").click()
    expect(page.get_by_role("dialog")).to_contain_text("$25.50")
    page.get_by_role("button", name="Void").click()
    expect(page.get_by_role("row", name=re.compile("An apology"))).to_contain_text("voided")
    assert 0 == company.get("/api/customers/acme/")["balance"]


@pytest.mark.usefixtures("company")
def test_credit_without_an_amount_is_refused_in_the_dialog(visit: Open) -> None:
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("customers/acme/credits/")
    page.get_by_role("link", name="Give credit").first.click()
    page.get_by_label("Amount").fill("-3")
    page.get_by_role("button", name="Give").click()
    expect(page.get_by_label("Amount")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.usefixtures("company")
def test_credit_is_given_again_and_again_until_that_is_cancelled(visit: Open) -> None:
    page = visit().open("customers/acme/credits/")
    page.get_by_role("link", name="New schedule").click()
    page.get_by_label("Amount each time").fill("5")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("row", name=re.compile("\\$5.00 monthly"))).to_contain_text("Feb 1, 2026")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel the schedule").click()
    expect(page.get_by_role("row", name=re.compile("\\$5.00 monthly"))).to_contain_text("cancelled")


@pytest.mark.usefixtures("company")
def test_a_wallet_wants_to_be_topped_up_and_is(visit: Open) -> None:
    page = visit().open("customers/acme/credits/")
    page.get_by_role("link", name="Top-ups").click()
    page.get_by_label("Below USD").fill("10")
    page.get_by_label("More is wanted").fill("50")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Below $10.00, $50.00 more are wanted.")).to_be_visible()
    page.get_by_role("link", name="It was paid").click()
    page.get_by_role("button", name=re.compile(r"^\$[\d.]+ was paid$")).click()
    expect(page.get_by_text("$50.00 is credit now.")).to_be_visible()
    expect(page.locator("section", has_text="Prepaid credit").locator(".h1")).to_have_text("$50.00")


@pytest.mark.usefixtures("company")
def test_the_pages_read_without_a_script(visit: Open) -> None:
    page = visit(script=False).open("customers/acme/")
    expect(page.locator("#due [data-due='USD']")).to_have_text("$0.50")
    page.get_by_role("link", name="Credits").click()
    page.get_by_role("link", name="Give credit").first.click()
    page.get_by_label("Amount").fill("7")
    page.get_by_role("button", name="Give").click()
    expect(page.get_by_text("The credit is given.")).to_be_visible()


@pytest.mark.parametrize("path", [*TABS, *ACTIONS, "due"])
def test_a_customer_that_does_not_exist_is_not_there(pages: Callable[..., Pages], path: str) -> None:
    assert 404 == pages().get(f"customers/nobody/{path}").status_code


@pytest.mark.parametrize("path", [*TABS, *ACTIONS, "due"])
def test_another_organization_is_not_there(
    pages: Callable[..., Pages], other_organization: Organization, path: str
) -> None:
    assert 404 == pages().get(f"customers/acme/{path}", other_organization).status_code


WRITES = [
    "settings/",
    "credits/new",
    "credits/credit_1/change",
    "credits/credit_1/void",
    "credits/schedules/new",
    "credits/schedules/s/cancel",
    "credits/wallet",
    "credits/wallet/remove",
    "credits/top-ups/t/settle",
    "credits/top-ups/t/cancel",
]


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("path", WRITES)
def test_who_may_only_read_changes_nothing(pages: Callable[..., Pages], path: str) -> None:
    form = {"amount": "5", "customer_name": "X"}
    assert 403 == pages(role=Role.VIEWER).post(f"customers/acme/{path}", form).status_code


@pytest.mark.parametrize("path", WRITES)
def test_nobody_writes_in_another_organization(
    pages: Callable[..., Pages], other_organization: Organization, path: str
) -> None:
    assert 404 == pages().post(f"customers/acme/{path}", {"amount": "5"}, other_organization).status_code


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("path", ACTIONS)
def test_who_may_not_give_credit_gets_no_form(pages: Callable[..., Pages], path: str) -> None:
    assert 403 == pages(role=Role.DEVELOPER).get(f"customers/acme/{path}").status_code


def test_credit_of_another_customer_is_not_there(pages: Callable[..., Pages], company: Tenant) -> None:
    company.post("/api/customers/", {"customer_id": "globex"})
    credit_id = company.post("/api/credits/", {"customer_id": "globex", "amount": 5})["credit_id"]
    assert 404 == pages().get(f"customers/acme/credits/{credit_id}/void").status_code
    assert 404 == pages().post(f"customers/acme/credits/{credit_id}/void", {}).status_code
