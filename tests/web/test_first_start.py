"""From the first start to the first invoice, by clicking and typing alone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.server_process import ServerProcess
from tests.web.harness import Visitor, enter

OWNER = {"Your name": "Ada Lovelace", "E-mail": "ada@example.com", "Password": "a quite long pass phrase"}


@pytest.fixture
def new_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that nobody has used, whose first organization is a sandbox at the beginning of 2026."""
    env = {"LOTUS_BOOTSTRAP_TYPE": "sandbox", "LOTUS_BOOTSTRAP_NOW": "2026-01-01T00:00:00Z"}
    with ServerProcess(tmp_path_factory.mktemp("first") / "data", env) as running:
        yield running


@pytest.fixture
def somebody(browser: Browser, new_server: ServerProcess) -> Iterator[Visitor]:
    visitor = enter(browser, new_server.url, None)
    yield visitor
    visitor.leave()


def become_owner(visitor: Visitor, server: ServerProcess) -> Page:
    link = re.search(r"/welcome/\S+", server.output)
    assert link is not None, server.output
    page = visitor.open(link.group())
    for label, text in OWNER.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()
    return page


def go(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_first_invoice_comes_within_one_sitting(somebody: Visitor, new_server: ServerProcess) -> None:
    page = become_owner(somebody, new_server)

    go(page, "Customers")
    page.get_by_role("link", name="New customer").first.click()
    page.get_by_label("Id", exact=True).fill("acme")
    page.get_by_label("Name", exact=True).fill("Acme Ltd")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Acme Ltd", level=1)).to_be_visible()

    go(page, "Metrics")
    page.get_by_role("link", name="API calls").click()
    page.get_by_role("textbox", name="Id").fill("calls")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("counts from the first event on")).to_be_visible()

    go(page, "Plans")
    page.get_by_role("link", name="New plan").first.click()
    page.get_by_label("Name", exact=True).first.fill("Pro")
    page.get_by_label("Id", exact=True).fill("pro")
    page.get_by_label("Name", exact=True).nth(1).fill("Platform fee")
    page.get_by_label("Amount each period").fill("49")
    page.get_by_role("button", name="Add usage").click()
    page.get_by_label("Metric").select_option("API calls")
    page.get_by_role("textbox", name="Unit price").first.fill("0.01")
    page.get_by_role("button", name="Create the plan").click()
    expect(page.get_by_text("Pro is in the price list now.")).to_be_visible()

    go(page, "Subscriptions")
    page.get_by_role("link", name=re.compile("New subscription|Subscribe")).first.click()
    page.get_by_role("combobox", name="Customer").press_sequentially("acm")
    page.get_by_role("option", name="Acme Ltd").click()
    page.get_by_label("Plan", exact=True).select_option("pro")
    page.get_by_role("button", name="Show the first invoices").click()
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_text("$49.00").first).to_be_visible()

    event = {"event_name": "api_call", "customer_id": "acme", "time_created": "2026-01-01T00:00:00Z"}
    new_server.post("/api/track/", {"batch": [event | {"idempotency_id": f"e{n}"} for n in range(100)]})

    go(page, "Settings")
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Clock").click()
    page.get_by_role("button", name="A month").click()
    expect(page.get_by_text("2026-02-01 00:00:00")).to_be_visible(timeout=60_000)

    go(page, "Invoices")
    expect(page.get_by_role("row").filter(has_text="Acme Ltd")).to_have_count(2)
    page.get_by_role("row").filter(has_text="$50.00").get_by_role("link").first.click()
    expect(page.get_by_text("API calls").first).to_be_visible()
    document = page.get_by_role("link", name="PDF", exact=True).get_attribute("href")
    assert page.request.get(new_server.url + str(document)).body().startswith(b"%PDF")
