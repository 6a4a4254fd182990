"""Metrics in the web app."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page


@pytest.fixture
def sold(tenant: Tenant) -> Tenant:
    """A customer with three calls of two models, and a metric of them."""
    assert tenant.client.post("/api/customers/", json={"customer_id": "acme"}).status_code == 201
    batch = [
        {"event_name": "call", "customer_id": "acme", "idempotency_id": f"e{number}"}
        | {"time_created": "2026-01-01T00:00:00Z", "properties": {"model": model, "tokens": number}}
        for number, model in ((1, "small"), (2, "large"), (4, "large"))
    ]
    assert tenant.client.post("/api/track/", json={"batch": batch}).status_code == 201
    metric = {"metric_id": "tokens", "metric_name": "Tokens", "event_name": "call", "property_name": "tokens"}
    answer = tenant.client.post("/api/metrics/", json={**metric, "aggregation_type": "sum", "group_by": ["model"]})
    assert answer.status_code == 201, answer.text
    return tenant


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", ["metrics/", "metrics/new", "metrics/tokens/", "metrics/tokens/version"])
def test_the_page_opens_as_it_should(visit: Open, sold: Tenant, look: str, path: str) -> None:
    check_page(visit(look=look), path, path.strip("/").replace("/", "-"), look)


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_without_metrics_opens_as_it_should(visit: Open, look: str) -> None:
    check_page(visit(look=look), "metrics/", "metrics-empty", look)


def test_a_metric_is_defined_while_its_figure_on_real_events_is_seen(visit: Open, sold: Tenant) -> None:
    page = visit().open("metrics/new")
    page.get_by_label("Name", exact=True).fill("Large tokens")
    page.get_by_role("textbox", name="Id").fill("large-tokens")
    page.get_by_role("textbox", name="Events").fill("call")
    page.get_by_label("Aggregation").select_option("sum")
    page.get_by_label("Property", exact=True).fill("tokens")
    page.get_by_role("button", name="Condition").click()
    row = page.locator("#filters [data-row]")
    row.get_by_label("Property").fill("model")
    row.get_by_label("Value").fill("large")
    expect(page.locator("#preview .h1")).to_have_text("6")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("Sum of tokens of the events call where model is large").first).to_be_visible()
    made = sold.client.get("/api/metrics/large-tokens/").json()
    assert made["filters"] == [{"property": "model", "operator": "eq", "value": "large"}]


def test_everything_that_is_wrong_stands_beside_its_field(visit: Open, sold: Tenant) -> None:
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("metrics/new?template=tokens")
    page.get_by_role("textbox", name="Id").fill("a b\tc")
    page.get_by_label("Property", exact=True).fill("")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_label("Property", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Group by")).to_have_value("model")


def test_a_further_version_stands_in_the_history(visit: Open, sold: Tenant) -> None:
    page = visit().open("metrics/tokens/")
    page.get_by_role("link", name="New version").click()
    page.get_by_label("Aggregation").select_option("max")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Version 2 is there.")).to_be_visible()
    expect(page.get_by_text("Sum of tokens of the events call, by model")).to_be_visible()


def test_a_metric_is_archived_after_a_question(visit: Open, sold: Tenant) -> None:
    page = visit().open("metrics/tokens/")
    page.get_by_role("link", name="Archive").click()
    page.get_by_role("dialog").get_by_role("button", name="Archive").click()
    expect(page.get_by_text("Tokens is archived.")).to_be_visible()
    assert sold.client.get("/api/metrics/tokens/").json()["status"] == "archived"


def test_usage_by_day_can_be_read_without_a_script(pages: Callable[..., Pages], sold: Tenant) -> None:
    text = pages().get("metrics/tokens/?customer=acme").text
    assert "2026-01-01" in text
    assert "<td>large</td>" in text


def test_a_metric_that_divides_keeps_its_divisor_when_it_is_changed(pages: Callable[..., Pages], sold: Tenant) -> None:
    ratio = {"metric_id": "ratio", "metric_name": "Ratio", "metric_type": "ratio", "event_name": "call"}
    made = sold.client.post(
        "/api/metrics/",
        json={**ratio, "aggregation_type": "count", "denominator_metric_id": "tokens", "group_by": ["model"]},
    )
    assert made.status_code == 201, made.text
    page = pages().get("metrics/ratio/change").text
    shown = page.split('name="denominator:json" value="')[1].split('"')[0].replace("&#34;", '"')
    form = {"metric_name": "Renamed", "metric_type": "ratio", "event_name": "call", "group_by:list": "model"}
    answer = pages().post("metrics/ratio/change", {**form, "aggregation_type": "count", "denominator:json": shown})
    assert answer.status_code == 303, answer.text
    after = sold.client.get("/api/metrics/ratio/").json()
    assert after["metric_name"] == "Renamed"
    assert after["denominator"] == made.json()["denominator"]


@pytest.mark.parametrize("path", ["metrics/new", "metrics/tokens/change", "metrics/tokens/archive"])
def test_a_viewer_may_not_define(pages: Callable[..., Pages], sold: Tenant, path: str) -> None:
    viewer = pages(role=Role.VIEWER)
    assert viewer.get(path).status_code == 403
    assert viewer.post(path, {"metric_name": "x", "event_name": "e"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["", "new", "tokens/", "tokens/change", "tokens/version", "tokens/archive"],
)
def test_another_organization_is_not_there(
    pages: Callable[..., Pages], sold: Tenant, other_organization: Organization, path: str
) -> None:
    assert pages().get(f"metrics/{path}", other_organization).status_code == 404
