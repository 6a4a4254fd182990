"""Events in the web app."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page

TIME = "2026-01-01T00:00:00Z"


@pytest.fixture
def sent(tenant: Tenant) -> Tenant:
    """Three events, one of them refused for its content."""
    batch = [
        {"event_name": "call", "customer_id": "acme", "idempotency_id": f"e{number}", "time_created": TIME}
        | {"properties": {"model": "large", "tokens": number}}
        for number in range(1, 4)
    ]
    answer = tenant.client.post("/api/track/", json={"batch": [*batch, {"event_name": "call", "idempotency_id": "x"}]})
    assert answer.status_code == 201, answer.text
    return tenant


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", ["events/", "events/e1/", "events/e1/amend", "refused-events/"])
def test_the_page_opens_as_it_should(visit: Open, sent: Tenant, look: str, path: str) -> None:
    check_page(visit(look=look), path, path.strip("/").replace("/", "-"), look)


def test_a_long_id_does_not_fill_a_phone_with_one_row(visit: Open, tenant: Tenant) -> None:
    event = {"event_name": "call", "customer_id": "acme", "idempotency_id": "demo-" + "x" * 60, "time_created": TIME}
    tenant.post("/api/track/", {"batch": [event | {"properties": {"model": "large"}}]})
    page = visit(look="phone").open("events/")

    box = page.get_by_role("row").nth(1).bounding_box()

    assert box is not None
    assert box["height"] < 200


def test_an_event_is_found_by_its_id_and_shown_with_what_was_sent(visit: Open, sent: Tenant) -> None:
    page = visit().open("events/")
    page.get_by_label("Id", exact=True).fill("e2")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="e2", exact=True).click()
    expect(page.get_by_label("Properties")).to_contain_text('"tokens": 2')


def test_an_event_comes_up_by_itself_in_the_live_tail(visit: Open, sent: Tenant) -> None:
    page = visit().open("events/?live=on")
    late = {"event_name": "call", "customer_id": "late", "idempotency_id": "late-1", "time_created": TIME}
    assert sent.client.post("/api/track/", json={"batch": [late]}).status_code == 201
    expect(page.get_by_role("link", name="late-1")).to_be_visible(timeout=30_000)


def test_an_event_is_amended_and_its_history_says_why(visit: Open, sent: Tenant) -> None:
    page = visit().open("events/e1/")
    page.get_by_role("link", name="Amend").click()
    page.get_by_role("textbox", name="Properties").fill('{"model": "large", "tokens": 0.30}')
    page.get_by_label("Reason").fill("Counted twice")
    page.get_by_role("dialog").get_by_role("button", name="Amend").click()
    expect(page.get_by_text("counts with its new content")).to_be_visible()
    expect(page.get_by_text("Counted twice")).to_be_visible()
    assert sent.client.get("/api/events/e1/").text.count('"tokens":0.30') == 1


def test_broken_json_is_refused_beside_its_field_and_kept(visit: Open, sent: Tenant) -> None:
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("events/e1/amend")
    page.get_by_label("Properties").fill("{tokens: 1")
    page.get_by_label("Reason").fill("Typo")
    page.get_by_role("button", name="Amend").click()
    expect(page.get_by_text("properties is not valid JSON")).to_be_visible()
    expect(page.get_by_label("Properties")).to_have_value("{tokens: 1")


def test_an_event_is_voided_with_a_reason(visit: Open, sent: Tenant) -> None:
    page = visit().open("events/e3/")
    page.get_by_role("link", name="Void").click()
    page.get_by_label("Reason").fill("A test")
    page.get_by_role("dialog").get_by_role("button", name="Void").click()
    expect(page.get_by_text("counts for nothing from now on")).to_be_visible()
    assert sent.client.get("/api/events/e3/").json()["status"] == "voided"


def test_a_refused_event_says_why(visit: Open, sent: Tenant) -> None:
    page = visit().open("refused-events/")
    expect(page.get_by_text("customer_id").first).to_be_visible()


def test_a_wrong_filter_is_told(pages: Callable[..., Pages]) -> None:
    assert "The cursor is not one of ours." in pages().get("events/?cursor=x").text


def test_what_a_customer_sent_cannot_run_in_the_page(visit: Open, tenant: Tenant) -> None:
    bad = "<img src=x onerror=alert(1)>"
    event = {"event_name": bad, "customer_id": "acme", "idempotency_id": "e1", "time_created": TIME}
    assert tenant.client.post("/api/track/", json={"batch": [event | {"properties": {"a": bad}}]}).status_code == 201
    page = visit().open("events/")
    expect(page.get_by_role("link", name=bad)).to_be_visible()


@pytest.mark.parametrize("path", ["events/e1/void", "events/e1/amend"])
def test_a_viewer_may_not_correct(pages: Callable[..., Pages], sent: Tenant, path: str) -> None:
    viewer = pages(role=Role.VIEWER)
    assert viewer.get(path).status_code == 403
    assert viewer.post(path, {"reason": "x", "customer_id": "y"}).status_code == 403


@pytest.mark.parametrize("path", ["events/", "events/e1/", "events/e1/void", "events/e1/amend", "refused-events/"])
def test_another_organization_is_not_there(
    pages: Callable[..., Pages], sent: Tenant, other_organization: Organization, path: str
) -> None:
    assert pages().get(path, other_organization).status_code == 404


def test_the_events_of_others_are_not_there(pages: Callable[..., Pages], sent: Tenant) -> None:
    assert pages().get("events/nobodys/").status_code == 404
