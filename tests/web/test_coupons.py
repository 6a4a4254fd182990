"""Coupons and discounts in the web app."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page


@pytest.fixture
def shop(tenant: Tenant) -> Tenant:
    """A customer with a discount of a coupon for half the price."""
    tenant.customer()
    tenant.post("/api/coupons/", {"coupon_id": "HALF", "name": "Half price", "type": "percentage", "amount": 50})
    tenant.post("/api/customers/acme/discounts/", {"coupon_id": "HALF"})
    return tenant


def end_path(tenant: Tenant) -> str:
    discount = tenant.get("/api/customers/acme/discounts/")[0]
    return f"discounts/acme/{discount['discount_id']}/end"


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    "path",
    [
        "coupons/",
        "coupons/new",
        "coupons/HALF/give",
        "coupons/HALF/archive",
        "discounts/",
        "discounts/?customer_id=acme",
        "discounts/new",
    ],
)
def test_the_pages_open_as_they_should(visit: Open, shop: Tenant, path: str, look: str) -> None:
    check_page(visit(look=look), path, path.replace("/", "-").replace("?", ""), look)


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_that_ends_a_discount_opens_as_it_should(visit: Open, shop: Tenant, look: str) -> None:
    check_page(visit(look=look), end_path(shop), "discount-end", look)


def test_a_coupon_is_made_given_and_takes_its_part_off(visit: Open, tenant: Tenant) -> None:
    tenant.customer()
    page = visit().open("coupons/")
    page.get_by_role("link", name="New coupon").first.click()
    page.get_by_label("Code").fill("START")
    page.get_by_label("Name").fill("Welcome")
    page.get_by_label("An amount").check()
    page.get_by_label("How much").fill("20")
    page.get_by_label("Currency", exact=True).fill("USD")
    page.get_by_label("For how many invoices").fill("2")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("can be given the coupon START")).to_be_visible()
    page.get_by_role("link", name="Give").click()
    page.get_by_label("Customer", exact=True).fill("acme")
    page.get_by_role("button", name="Give").click()
    expect(page.get_by_role("cell", name="$20.00")).to_be_visible()
    body = {"customer_id": "acme", "lines": [{"name": "Work", "amount": 100}], "apply_discounts": True}
    assert tenant.post("/api/invoices/", body)["cost_due"] == 80


def test_what_is_wrong_with_a_coupon_stands_beside_its_fields(visit: Open) -> None:
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("coupons/new")
    page.get_by_label("Name").fill("Too much")
    page.get_by_label("How much").fill("120")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_label("How much")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("A percentage is at most 100.")).to_be_visible()


def test_a_coupon_is_given_once(visit: Open, shop: Tenant) -> None:
    visitor = visit()
    visitor.expect_refusal(409, 400)
    page = visitor.open("coupons/HALF/give")
    page.get_by_label("Customer", exact=True).fill("acme")
    page.get_by_role("button", name="Give").click()
    expect(page.get_by_role("alert")).to_contain_text("was redeemed by this customer")


def test_a_discount_of_its_own_is_given_and_ended_without_a_script(visit: Open, shop: Tenant) -> None:
    page = visit(script=False).open("discounts/?customer_id=acme")
    page.get_by_role("link", name="New discount").click()
    page.get_by_label("Customer", exact=True).fill("acme")
    page.get_by_label("Name").fill("Friend")
    page.get_by_label("How much").fill("5")
    page.get_by_role("button", name="Give").click()
    page.get_by_role("row", name="Friend").get_by_role("link", name="End").click()
    page.get_by_role("button", name="End").click()
    expect(page.get_by_role("row", name="Friend")).to_contain_text("ended")


def test_an_archived_coupon_cannot_be_given(visit: Open, shop: Tenant) -> None:
    page = visit().open("coupons/")
    page.get_by_role("link", name="Archive").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 customer that has its discount keeps it")
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("is archived.")).to_be_visible()
    expect(page.get_by_role("link", name="Give")).to_have_count(0)


def test_who_may_not_give_discounts_is_refused(pages: Callable[..., Pages], shop: Tenant) -> None:
    client = pages(role=Role.DEVELOPER)
    paths = ["coupons/new", "coupons/HALF/give", "coupons/HALF/archive", "discounts/new", end_path(shop)]
    assert [client.get(path).status_code for path in paths] == [403] * len(paths)
    assert [client.post(path, {"customer_id": "acme"}).status_code for path in paths] == [403] * len(paths)
    assert client.get("coupons/").status_code == 200


def test_another_organization_s_coupons_are_not_there(
    pages: Callable[..., Pages], other_organization: Organization, new_tenant: Callable[[], Tenant]
) -> None:
    other = new_tenant()
    other.customer()
    other.post("/api/coupons/", {"coupon_id": "SECRET", "name": "Secret", "type": "percentage", "amount": 50})
    other.post("/api/customers/acme/discounts/", {"coupon_id": "SECRET"})
    client = pages()
    paths = ["coupons/SECRET/give", "coupons/SECRET/archive", end_path(other)]
    assert [client.get(path).status_code for path in paths] == [404] * 3
    assert [client.post(path, {"customer_id": "acme"}).status_code for path in paths] == [404] * 3
    listed = ["coupons/", "coupons/new", "discounts/", "discounts/new"]
    assert [client.get(path, other_organization).status_code for path in listed] == [404] * 4
