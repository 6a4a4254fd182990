"""API keys in the web app."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from tests.server_process import ServerProcess
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_opens_as_it_should(visit: Open, look: str) -> None:
    check_page(visit(look=look), "settings/api-keys/", "api-keys", look)


def test_a_key_is_made_shown_once_and_opens_the_api(visit: Open, server: ServerProcess) -> None:
    page = visit().open("settings/api-keys/")
    page.get_by_role("link", name="New key").click()
    page.get_by_label("Name").fill("Billing worker")
    page.get_by_role("button", name="Create").click()
    key = page.get_by_label("API key", exact=True).input_value()
    assert httpx.get(f"{server.url}/api/customers/", headers={"X-API-KEY": key}).status_code == 200
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("cell", name="Billing worker")).to_be_visible()
    assert key not in page.content()


def test_a_key_is_copied(visit: Open) -> None:
    page = visit().open("settings/api-keys/")
    page.get_by_role("link", name="New key").click()
    page.get_by_label("Name").fill("Copied")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.get_by_label("API key", exact=True).input_value()


def test_a_key_without_a_name_is_refused_beside_the_field(visit: Open) -> None:
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("settings/api-keys/new")
    page.get_by_label("Name").fill("   ")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("A key has a name")).to_be_visible()


def test_a_key_is_renamed_and_the_name_taken_back(visit: Open, tenant: Tenant) -> None:
    page = visit().open("settings/api-keys/")
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("Name").fill("Billing worker")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("cell", name="Billing worker")).to_be_visible()
    assert tenant.client.get("/api/customers/").status_code == 200
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("cell", name="First key")).to_be_visible()


def test_a_revoked_key_opens_nothing(visit: Open, tenant: Tenant) -> None:
    page = visit().open("settings/api-keys/")
    page.get_by_role("link", name="Revoke").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("opens nothing any more")).to_be_visible()
    assert tenant.client.get("/api/customers/").status_code == 401


def test_a_key_is_made_without_a_script(visit: Open) -> None:
    page = visit(script=False).open("settings/api-keys/")
    page.get_by_role("link", name="New key").click()
    page.get_by_label("Name").fill("By hand")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_label("API key", exact=True)).to_be_visible()


@pytest.mark.parametrize("path", ["settings/api-keys/", "settings/api-keys/new"])
def test_who_may_not_see_keys_is_refused(pages: Callable[..., Pages], path: str) -> None:
    assert pages(role=Role.VIEWER).get(path).status_code == 403


@pytest.mark.parametrize("path", ["settings/api-keys/", "settings/api-keys/new", "settings/api-keys/key_1/revoke"])
def test_another_organization_is_not_there(
    pages: Callable[..., Pages], other_organization: Organization, path: str
) -> None:
    assert pages().get(path, other_organization).status_code == 404
    assert pages().post(path, {"name": "x"}, other_organization).status_code in {404, 405}
