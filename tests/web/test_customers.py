"""The list of customers in the web app, and making one."""

import csv
import io
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from tests.tenants import Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page

NAMES = ["Acme", "Globex", "Initech", "Müller & Söhne", "Umbrella"]


@pytest.fixture
def company(tenant: Tenant) -> Tenant:
    """Five customers, of whom Acme has a subscription and something to pay."""
    charges = [{"name": "fee", "amount": 30, "timing": "in_advance"}]
    body = {"plan_id": "pro", "plan_name": "Pro", "plan_duration": "monthly", "recurring_charges": charges}
    tenant.post("/api/plans/", body)
    for name in NAMES:
        customer_id = name.lower().split()[0]
        tenant.post(
            "/api/customers/", {"customer_id": customer_id, "customer_name": name, "email": f"{customer_id}@a.b"}
        )
    body = {"customer_id": "acme", "billing_plan_id": "pro", "start_date": "2026-01-01"}
    tenant.post("/api/subscriptions/", body)
    return tenant


@pytest.fixture
def crowd(tenant: Tenant) -> Tenant:
    """More customers than a page shows."""
    customers = [{"customer_id": f"c{number:03}", "customer_name": f"Customer {number:03}"} for number in range(60)]
    tenant.post("/api/batch_create_customers/", {"customers": customers})
    return tenant


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("look", LOOKS)
def test_the_list_opens_as_it_should(visit: Open, look: str) -> None:
    check_page(visit(look=look), "customers/", "customers", look)


@pytest.mark.parametrize("look", LOOKS)
def test_the_empty_list_says_what_to_do(visit: Open, look: str) -> None:
    visitor = visit(look=look)
    check_page(visitor, "customers/", "customers-empty", look)
    visitor.sees("No customers yet")


@pytest.mark.usefixtures("company")
def test_a_row_tells_what_a_customer_has_and_owes(visit: Open) -> None:
    row = visit().open("customers/").get_by_role("row", name=re.compile("Acme"))
    expect(row).to_contain_text("Pro v1")
    expect(row).to_contain_text("$30.00")
    expect(row).to_contain_text("renews Feb 1, 2026")


@pytest.mark.usefixtures("company")
def test_searching_narrows_the_list_while_typing_and_stays_in_the_address(visit: Open) -> None:
    page = visit().open("customers/")
    page.keyboard.press("/")
    page.keyboard.type("SÖHN")
    expect(page.get_by_role("link", name="Acme")).to_have_count(0)
    expect(page.get_by_role("link", name="Müller & Söhne")).to_be_visible()
    expect(page).to_have_url(re.compile("search=S%C3%96HN"))
    page.reload()
    expect(page.get_by_label("Search")).to_have_value("SÖHN")
    expect(page.get_by_text("1 customer", exact=True)).to_be_visible()


@pytest.mark.usefixtures("company")
def test_filters_send_themselves_and_can_be_combined(visit: Open) -> None:
    page = visit().open("customers/")
    page.get_by_label("Subscription").select_option("None active")
    expect(page.get_by_role("link", name="Acme")).to_have_count(0)
    page.get_by_label("Outstanding", exact=True).select_option("Owes something")
    expect(page.get_by_text("No customer is like that")).to_be_visible()
    page.get_by_role("link", name="Show all customers").click()
    expect(page.get_by_role("link", name="Acme")).to_be_visible()


@pytest.mark.usefixtures("company")
def test_a_column_is_sorted_by_its_head(visit: Open) -> None:
    page = visit().open("customers/")
    page.get_by_role("columnheader", name="Customer").get_by_role("link").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("Umbrella")
    expect(page.get_by_role("columnheader", name="Customer")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("columnheader", name="Outstanding").get_by_role("link").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("Acme")


@pytest.mark.usefixtures("crowd")
def test_pages_lead_on_and_back(visit: Open) -> None:
    page = visit().open("customers/")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("link", name="Customer 025")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("link", name="Customer 059")).to_be_visible()
    expect(page.get_by_role("link", name="Next")).to_have_count(0)
    page.get_by_role("link", name="Previous").click()
    page.get_by_role("link", name="Previous").click()
    expect(page.get_by_role("link", name="Customer 000")).to_be_visible()
    expect(page.get_by_role("link", name="Previous")).to_have_count(0)


def test_a_customer_is_made_and_shown(visit: Open, tenant: Tenant) -> None:
    page = visit().open("customers/")
    page.get_by_role("link", name="New customer").first.click()
    page.get_by_label("Id").fill("hooli")
    page.get_by_label("Name").fill("Hooli")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Hooli", level=1)).to_be_visible()
    expect(page.get_by_text("Hooli is a customer now.")).to_be_visible()
    assert ["hooli"] == [row["customer_id"] for row in tenant.get("/api/customers/")]


@pytest.mark.usefixtures("company")
def test_what_is_wrong_with_a_new_customer_stands_beside_the_field(visit: Open) -> None:
    visitor = visit()
    visitor.expect_refusal(409, 422)
    page = visitor.open("customers/new")
    page.get_by_label("Id").fill("new")
    page.get_by_label("E-mail").evaluate("input => { input.type = 'text' }")
    page.get_by_label("E-mail").fill("nowhere")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("E-mail").fill("")
    page.get_by_label("Id").fill("acme")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("A customer with this id exists already.")).to_be_visible()


@pytest.mark.usefixtures("company")
def test_the_list_reads_and_filters_without_a_script(visit: Open) -> None:
    page = visit(script=False).open("customers/")
    page.get_by_label("Search").fill("glob")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("link", name="Globex")).to_be_visible()
    expect(page.get_by_role("link", name="Acme")).to_have_count(0)


def test_the_export_has_every_row_that_is_asked_for(pages: Callable[..., Pages], crowd: Tenant) -> None:
    crowd.post("/api/customers/", {"customer_id": "=evil()", "customer_name": "=1+1"})
    answer = pages().get("customers/export.csv?sort=-id")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert "attachment" in answer.headers["content-disposition"]
    assert (61, "c059") == (len(rows), rows[0]["customer_id"])
    assert ("'=evil()", "'=1+1") == (rows[-1]["customer_id"], rows[-1]["customer_name"])


@pytest.mark.parametrize("query", ["sort=age", "cursor=%21%21", "subscribed=maybe", "created_since=soon", "back=bm8"])
def test_a_wrong_address_says_what_is_wrong(pages: Callable[..., Pages], query: str) -> None:
    answer = pages().get(f"customers/?{query}")
    assert 422 == answer.status_code
    assert 'role="alert"' in answer.text


PATHS = ["customers/", "customers/export.csv", "customers/new"]


@pytest.mark.parametrize("path", PATHS)
def test_another_organization_is_not_there(
    pages: Callable[..., Pages], other_organization: Organization, path: str
) -> None:
    assert 404 == pages().get(path, other_organization).status_code
    assert pages().post(path, {"customer_id": "x"}, other_organization).status_code in {404, 405}


def test_who_may_only_read_makes_no_customer(pages: Callable[..., Pages], tenant: Tenant) -> None:
    viewer = pages(role=Role.VIEWER)
    assert (200, 403) == (viewer.get("customers/").status_code, viewer.get("customers/new").status_code)
    assert 403 == viewer.post("customers/new", {"customer_id": "acme"}).status_code
    assert [] == tenant.get("/api/customers/")
