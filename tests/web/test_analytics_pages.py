"""Home, quick start and analytics in the web app."""

import csv
import io
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from lotus_server.http.web.formats import NOTHING
from tests.server_process import ServerProcess
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page

PATHS = (
    "",
    "pulse",
    "quick-start/",
    "analytics/",
    "analytics/recurring",
    "analytics/usage",
    "analytics/margin",
    "analytics/files/revenue",
)
LOOKED_AT = {
    "": "home",
    "quick-start/": "quick-start",
    "analytics/?by=plan": "analytics-revenue",
    "analytics/recurring": "analytics-recurring",
    "analytics/usage": "analytics-usage",
    "analytics/margin": "analytics-margin",
}


@pytest.fixture
def sold(tenant: Tenant) -> Tenant:
    """Two customers who pay 31 for January in advance, with usage and costs; it is 2 February."""
    tenant.metric("calls", group_by=["model"])
    tenant.metric("spent", aggregation_type="sum", property_name="usd", is_cost_metric=True)
    tenant.plan(
        "pro",
        recurring_charges=[{"name": "Fee", "amount": 31}],
        components=[{"metric_id": "calls", "price": {"model": "per_unit", "unit_price": 0.5}}],
    )
    for customer_id in ("acme", "zeta"):
        tenant.customer(customer_id)
        tenant.subscribe(customer_id, "pro")
    tenant.move_clock("2026-01-10T00:00:00Z")
    tenant.use(3, "calls", properties={"model": "small"}, time_created="2026-01-05T00:00:00Z")
    tenant.use(4, "calls", "zeta", properties={"model": "large"}, time_created="2026-01-06T00:00:00Z")
    tenant.track(tenant.event("spent", properties={"usd": 1.25}, time_created="2026-01-07T00:00:00Z"))
    tenant.move_clock("2026-02-02T00:00:00Z")
    return tenant


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", LOOKED_AT)
def test_pages_open_as_they_should(visit: Open, sold: Tenant, path: str, look: str) -> None:
    check_page(visit(look=look), path, LOOKED_AT[path], look)


@pytest.mark.parametrize("path", LOOKED_AT)
def test_pages_of_an_empty_organization_open(visit: Open, path: str) -> None:
    check_page(visit(), path, f"{LOOKED_AT[path]}-empty", "light")


def test_home_tells_what_there_is(visit: Open, sold: Tenant) -> None:
    page = visit().open()
    expect(page.get_by_role("link", name="$127.50")).to_be_visible()  # 2 x 31 twice, and 7 calls
    visit_card = page.get_by_text("unpaid invoices")
    expect(visit_card).to_be_visible()
    page.get_by_role("link", name="90 days").click()
    expect(page.get_by_role("link", name="90 days")).to_have_attribute("aria-current", "true")


def test_events_are_seen_as_they_come_in(visit: Open, tenant: Tenant) -> None:
    page = visit().open()
    expect(page.locator("[data-count]")).to_have_text("0")
    tenant.customer("acme")
    tenant.use(5, "calls")
    expect(page.locator("[data-count]")).to_have_text("5")
    expect(page.locator("[data-rate]")).not_to_have_text(NOTHING)


def test_steps_are_ticked_off_when_they_are_done(visit: Open, tenant: Tenant) -> None:
    page = visit().open("quick-start/")
    expect(page.locator("[data-step][data-done]")).to_have_count(1)
    tenant.customer("acme")
    tenant.use(1, "calls")
    expect(page.locator("[data-step][data-done]")).to_have_count(3)


def test_a_key_is_made_and_stands_in_the_code(visit: Open, server: ServerProcess) -> None:
    page = visit().open("quick-start/")
    page.get_by_role("button", name="Make a key").click()
    key = page.get_by_label("API key", exact=True).input_value()
    assert httpx.get(f"{server.url}/api/customers/", headers={"X-API-KEY": key}).status_code == 200
    for language in ("curl", "Node.js", "Python"):
        expect(page.get_by_label(language, exact=True)).to_contain_text(key)
        expect(page.get_by_label(language, exact=True)).to_contain_text(server.url.removeprefix("http://"))
    page.locator("[data-copy]").first.click()
    assert key in page.evaluate("navigator.clipboard.readText()")


def test_revenue_is_asked_for_by_clicking(visit: Open, sold: Tenant) -> None:
    page = visit().open("analytics/")
    page.get_by_role("link", name="Last month").click()
    page.get_by_label("By", exact=True).select_option("customer")
    expect(page.get_by_role("link", name="Acme Inc.").first).to_be_visible()
    assert "start=2026-01-01" in page.url
    assert "by=customer" in page.url


def test_a_wrong_day_is_told_beside_its_field(visit: Open, sold: Tenant) -> None:
    visitor = visit()
    page = visitor.open("analytics/?start=2026-02-01&end=2026-01-01")
    expect(page.get_by_text("end must lie after start.")).to_be_visible()
    expect(page.get_by_label("To", exact=True)).to_have_attribute("aria-invalid", "true")


def test_pages_read_without_a_script(visit: Open, sold: Tenant) -> None:
    page = visit(script=False).open("analytics/recurring?start=2026-01-01&end=2026-01-31")
    expect(page.get_by_role("cell", name="$62.00").first).to_be_visible()


def _table(answer: httpx.Response) -> list[list[str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.text)))


JANUARY = "?start=2026-01-01&end=2026-01-31"


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (f"revenue{JANUARY}&step=month", ["USD", "2026-01-01", "2026-01-31", "62"]),
        (f"revenue-parts{JANUARY}&by=plan", ["USD", "pro", "name of pro", "62", "0", "62"]),
        (
            f"recurring-revenue{JANUARY}",
            ["USD", "2026-01-01", "2026-01-31", "0.00", "62.00", "0.00", "0.00", "0.00", "0.00", "62.00", "2"],
        ),
        (f"recurring-revenue-plans{JANUARY}", ["USD", "pro", "name of pro", "0.00", "62.00"]),
        (f"usage-days{JANUARY}&metric_id=calls", ["2026-01-05", "3"]),
        (f"usage-groups{JANUARY}&metric_id=calls", ["large", "4"]),
        (f"usage-customers{JANUARY}&metric_id=calls", ["zeta", "Acme Inc.", "4"]),
        (f"margin-customers{JANUARY}", ["acme", "Acme Inc.", "USD", "31", "1.25", "29.75", "96.0"]),
        (f"margin-costs{JANUARY}", ["spent", "name of spent", "USD", "1.25"]),
    ],
)
def test_each_table_is_a_file(pages: Callable[..., Pages], sold: Tenant, table: str, row: list[str]) -> None:
    found = _table(pages().get(f"analytics/files/{table}"))

    assert row == found[1]


def test_a_name_that_is_a_formula_stays_a_text(pages: Callable[..., Pages], tenant: Tenant) -> None:
    tenant.plan("pro", recurring_charges=[{"name": "Fee", "amount": 31}])
    tenant.customer("acme", customer_name="=1+1")
    tenant.subscribe()

    found = _table(pages().get("analytics/files/revenue-parts?by=customer"))

    assert "'=1+1" == found[1][2]


def test_an_unknown_table_is_not_there(pages: Callable[..., Pages]) -> None:
    assert pages().get("analytics/files/nothing").status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_a_viewer_sees_every_number(pages: Callable[..., Pages], path: str) -> None:
    assert pages(role=Role.VIEWER).get(path).status_code == 200


def test_who_may_not_make_keys_is_refused(pages: Callable[..., Pages]) -> None:
    viewer = pages(role=Role.VIEWER)

    assert "Make a key" not in viewer.get("quick-start/").text
    assert 403 == viewer.post("quick-start/key", {}).status_code


@pytest.mark.parametrize("path", PATHS)
def test_another_organization_is_not_there(
    pages: Callable[..., Pages], other_organization: Organization, path: str
) -> None:
    assert 404 == pages().get(path, other_organization).status_code
    assert 404 == pages().post("quick-start/key", {}, other_organization).status_code


@pytest.mark.parametrize("path", PATHS)
def test_nobody_is_led_to_the_sign_in(pages: Callable[..., Pages], organization: Organization, path: str) -> None:
    stranger = pages(nobody=True)

    answer = stranger.get(f"/o/{organization.organization_id[-8:]}/{path}")

    assert (303, True) == (answer.status_code, answer.headers["location"].startswith("/sign-in"))
