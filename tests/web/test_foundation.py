"""What holds on every page."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Browser, expect

from lotus_server.domain.accounts import Organization, Role
from tests.server_process import ServerProcess
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page, enter


@pytest.mark.parametrize("look", LOOKS)
def test_the_sign_in_page_opens_as_it_should(visit: Open, look: str) -> None:
    check_page(visit(nobody=True, look=look), "/sign-in", "sign-in", look)


@pytest.mark.parametrize("look", LOOKS)
def test_a_page_that_is_not_there_says_so(visit: Open, look: str) -> None:
    visitor = visit(look=look)
    visitor.expect_refusal(404)
    visitor.open("nothing-here/")
    visitor.sees("There is no page at this address.")
    visitor.check_accessibility()


def test_who_is_not_signed_in_is_led_to_the_sign_in_page_and_back(pages: Callable[..., Pages], tenant: Tenant) -> None:
    answer = pages(nobody=True).get(f"/o/{tenant.organization_id[-8:]}/customers/?q=a")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next=%2Fo%2F{tenant.organization_id[-8:]}%2Fcustomers%2F%3Fq%3Da"


def test_the_organization_of_others_is_not_there(pages: Callable[..., Pages], other_organization: Organization) -> None:
    assert pages().get("customers/", other_organization).status_code == 404


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
def test_a_form_with_a_wrong_token_does_nothing(pages: Callable[..., Pages], tenant: Tenant, token: str) -> None:
    answer = pages().post("customers/new", {"customer_id": "acme", "csrf_token:hidden": token})
    assert answer.status_code == 403
    assert tenant.client.get("/api/customers/").json() == []


def test_a_form_from_another_site_does_nothing(server: ServerProcess, pages: Callable[..., Pages]) -> None:
    answer = httpx.post(f"{server.url}/sign-in", data={"email": "a"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_every_page_has_a_strict_policy(pages: Callable[..., Pages]) -> None:
    headers = pages().get("customers/").headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["cache-control"] == "no-store"


def test_assets_are_packed_and_kept_for_ever(server: ServerProcess) -> None:
    page = httpx.get(f"{server.url}/sign-in").text
    url = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = httpx.get(server.url + url)
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.text.lstrip().startswith(("/*", "@"))


@pytest.mark.parametrize("name", ["%2e%2e/app.py", "nothing.css", "vendor%2F..%2F..%2Fapp.py", "vendor/"])
def test_no_other_file_is_served(server: ServerProcess, name: str) -> None:
    assert httpx.get(f"{server.url}/assets/x/{name}").status_code == 404


def test_the_theme_is_chosen_and_stays(visit: Open) -> None:
    page = visit().open("customers/")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_menu_opens_on_a_phone(visit: Open) -> None:
    page = visit(look="phone").open("settings/api-keys/")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Customers").click()
    expect(page.get_by_role("heading", name="Customers", level=1)).to_be_visible()


def test_the_menu_is_open_without_a_script(visit: Open) -> None:
    page = visit(script=False, look="phone").open("settings/api-keys/")
    expect(page.get_by_role("link", name="Customers")).to_be_visible()


def test_the_keyboard_can_skip_to_the_content(visit: Open) -> None:
    page = visit().open("customers/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_a_viewer_sees_no_button_that_would_refuse(visit: Open) -> None:
    page = visit(role=Role.VIEWER).open("customers/")
    expect(page.get_by_role("link", name="New customer")).to_have_count(0)


def test_what_a_window_says_between_two_visitors_is_the_fault_of_neither(
    browser: Browser, server: ServerProcess
) -> None:
    enter(browser, server.url, None).leave()
    visitor = enter(browser, server.url, None)
    visitor.page.evaluate("console.error('there is no icon')")
    visitor.leave()

    assert visitor.complaints == []


def test_what_a_page_complains_about_fails_its_visitor(browser: Browser, server: ServerProcess) -> None:
    visitor = enter(browser, server.url, None)
    visitor.open("/sign-in").evaluate("console.error('something is broken')")

    with pytest.raises(AssertionError, match="something is broken"):
        visitor.leave()
