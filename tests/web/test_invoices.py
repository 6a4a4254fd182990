"""Invoices in the web app."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from lotus_server.domain.accounts import Organization, Role
from tests.tenants import Json, Tenant
from tests.web.harness import LOOKS, Open, Pages, check_page

TIERS = {"model": "graduated", "tiers": [{"up_to": 2, "unit_amount": "0"}, {"up_to": None, "unit_amount": "0.335"}]}


@pytest.fixture
def shop(tenant: Tenant) -> Tenant:
    """One customer with an invoice for usage, an unpaid one-off invoice of 100 and one of 50 that is overdue."""
    tenant.customer()
    tenant.patch("/api/organization/", {"tax_rate": 10})
    issue(tenant, "Setup", "50", due_in_days=1)
    tenant.move_clock("2026-01-05T00:00:00Z")
    issue(tenant, "Training", "100")
    return tenant


def issue(tenant: Tenant, name: str, amount: str, **more: Json) -> Json:
    body = {"customer_id": "acme", "lines": [{"name": name, "amount": amount}], **more}
    return tenant.post("/api/invoices/", body)


def page_of(tenant: Tenant, place: int = 0) -> str:
    """The path of an invoice's page, the newest being 0."""
    return f"invoices/{tenant.invoices()[-1 - place]['invoice_id']}/"


def newest(tenant: Tenant) -> Json:
    return tenant.get("/api/invoices/", limit=1)[0]


@pytest.mark.parametrize("look", LOOKS)
def test_the_list_opens_as_it_should(visit: Open, shop: Tenant, look: str) -> None:
    check_page(visit(look=look), "invoices/", "invoices", look)


@pytest.mark.parametrize("look", LOOKS)
def test_an_invoice_opens_as_it_should(visit: Open, shop: Tenant, look: str) -> None:
    check_page(visit(look=look), f"invoices/{newest(shop)['invoice_id']}/", "invoice", look)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("action", ["paid", "uncollectible", "void", "credit-note"])
def test_the_page_of_an_action_opens_as_it_should(visit: Open, shop: Tenant, action: str, look: str) -> None:
    check_page(visit(look=look), f"invoices/{newest(shop)['invoice_id']}/{action}", f"invoice-{action}", look)


@pytest.mark.parametrize("look", LOOKS)
def test_the_form_of_a_one_off_invoice_opens_as_it_should(visit: Open, look: str) -> None:
    check_page(visit(look=look), "invoices/new", "invoice-new", look)


def test_an_empty_list_says_what_to_do_next(visit: Open) -> None:
    page = visit().open("invoices/")
    expect(page.get_by_text("No invoices yet")).to_be_visible()


def test_the_tabs_show_the_invoices_of_a_state_with_their_sum(visit: Open, shop: Tenant) -> None:
    page = visit().open("invoices/")
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("navigation", name="States").get_by_role("link", name="Past due 1").click()
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("navigation", name="States")).to_contain_text("$55.00")
    assert "payment_status=past_due" in page.url


def test_filters_stand_in_the_address_and_in_the_file(visit: Open, shop: Tenant) -> None:
    page = visit().open("invoices/")
    page.get_by_text("Plan, currency, amount, order").click()
    page.get_by_label("Amount from").fill("100")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row")).to_have_count(2)
    assert "amount_min=100" in page.url
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    row = download.value.path().read_text().splitlines()[1]
    assert row.endswith(",unpaid,2026-01-05T00:00:00Z,2026-02-04T00:00:00Z,USD,110.00,110.00")


def test_a_wrong_filter_is_named_beside_the_field(visit: Open, shop: Tenant) -> None:
    page = visit().open("invoices/?amount_min=much")
    expect(page.get_by_label("Amount from")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("amount_min must be a number")).to_be_visible()


def test_the_list_reads_without_a_script(visit: Open, shop: Tenant) -> None:
    page = visit(script=False).open("invoices/")
    page.get_by_role("row").nth(1).get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Invoice", level=1)).to_be_visible()
    page.get_by_text("Training", exact=True).first.click()
    expect(page.get_by_text("Calculation")).to_be_visible()


def test_a_line_explains_itself_down_to_its_events(visit: Open, tenant: Tenant) -> None:
    tenant.customer()
    tenant.metric()
    tenant.plan(components=[{"metric_id": "calls", "price": TIERS}])
    tenant.subscribe()
    tenant.use(5, time_created="2026-01-01T00:00:00Z")
    tenant.move_clock("2026-02-01T00:00:00Z")
    page = visit().open(f"invoices/{newest(tenant)['invoice_id']}/")
    page.get_by_text("name of calls").first.click()
    expect(page.get_by_text("5 events were counted")).to_be_visible()
    expect(page.get_by_role("cell", name="tier 2")).to_be_visible()
    page.get_by_role("link", name="Its events").click()
    expect(page.get_by_role("dialog")).to_contain_text("event_5")


def test_a_correction_leads_to_the_line_that_it_corrects(visit: Open, tenant: Tenant) -> None:
    tenant.customer()
    tenant.metric()
    tenant.plan(components=[{"metric_id": "calls", "price": {"model": "per_unit", "unit_price": 2}}])
    tenant.subscribe()
    tenant.use(5, time_created="2026-01-01T00:00:00Z")
    tenant.move_clock("2026-02-01T00:00:00Z")
    corrected = newest(tenant)
    tenant.use(1, time_created="2026-01-20T00:00:00Z")
    tenant.move_clock("2026-03-01T00:00:00Z")
    page = visit().open(f"invoices/{newest(tenant)['invoice_id']}/")
    page.locator("summary").filter(has_text="correction").click()
    page.get_by_role("link", name=f"line 1 of invoice {corrected['invoice_number']}").click()
    page.wait_for_url("**#line-0")
    expect(page.get_by_role("heading", name=f"Invoice {corrected['invoice_number']}")).to_be_visible()


def test_what_people_did_stands_in_the_history(visit: Open, shop: Tenant) -> None:
    page = visit().open(f"invoices/{newest(shop)['invoice_id']}/")
    page.get_by_role("link", name="Mark as paid").click()
    page.get_by_role("button", name="Mark as paid").click()
    expect(page.get_by_role("listitem").filter(has_text="Set payment status")).to_contain_text("@example.com")


def test_an_invoice_of_a_thousand_lines_comes_in_parts(visit: Open, tenant: Tenant) -> None:
    tenant.customer()
    lines = [{"name": f"Item {number}", "amount": "1"} for number in range(1, 1_001)]
    made = tenant.post("/api/invoices/", {"customer_id": "acme", "lines": lines})
    page = visit().open(f"invoices/{made['invoice_id']}/?from=100")
    expect(page.get_by_text("Lines 101 to 200 of 1,000")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Item 201", exact=True).first).to_be_visible()
    assert len(page.content()) < 500_000


def test_an_invoice_is_marked_as_paid_and_as_unpaid_again(visit: Open, shop: Tenant) -> None:
    page = visit().open(f"invoices/{newest(shop)['invoice_id']}/")
    page.get_by_role("link", name="Mark as paid").click()
    expect(page.get_by_role("dialog")).to_contain_text("owes $110.00 less")
    page.get_by_role("button", name="Mark as paid").click()
    expect(page.get_by_text("is marked as paid.")).to_be_visible()
    assert newest(shop)["payment_status"] == "paid"
    page.get_by_role("link", name="Mark as unpaid").click()
    page.get_by_role("button", name="Mark as unpaid").click()
    expect(page.get_by_text("is unpaid again.")).to_be_visible()
    assert newest(shop)["payment_status"] == "unpaid"


def test_an_invoice_is_uncollectible_without_a_script(visit: Open, shop: Tenant) -> None:
    page = visit(script=False).open(f"invoices/{newest(shop)['invoice_id']}/")
    page.get_by_role("link", name="Uncollectible").click()
    page.get_by_role("button", name="Mark as uncollectible").click()
    assert newest(shop)["payment_status"] == "uncollectible"


def test_voiding_names_what_follows(visit: Open, shop: Tenant) -> None:
    page = visit().open(f"invoices/{newest(shop)['invoice_id']}/")
    page.get_by_role("link", name="Void").click()
    expect(page.get_by_role("dialog")).to_contain_text("not billed again")
    page.get_by_role("button", name="Void").click()
    expect(page.get_by_text("is void.")).to_be_visible()
    assert newest(shop)["payment_status"] == "voided"


def test_what_cannot_be_voided_says_why(visit: Open, shop: Tenant) -> None:
    invoice_id = newest(shop)["invoice_id"]
    visitor = visit()
    visitor.expect_refusal(409)
    page = visitor.open(f"invoices/{invoice_id}/void")
    shop.patch(f"/api/invoices/{invoice_id}/", {"payment_status": "paid"})
    page.get_by_role("button", name="Void").click()
    expect(page.get_by_role("alert")).to_contain_text("issue a credit note")


def test_a_credit_note_over_a_part_of_a_line_is_previewed_and_issued(visit: Open, shop: Tenant) -> None:
    page = visit().open(f"invoices/{newest(shop)['invoice_id']}/")
    page.get_by_role("link", name="Credit note").click()
    page.get_by_label("Reason").fill("Half a day was cancelled")
    page.get_by_label("Parts of lines").check()
    page.get_by_label("Training").fill("40")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("status").first).to_contain_text("$44.00")
    page.get_by_role("button", name="Issue credit note").click()
    expect(page.get_by_text(re.compile("Credit note CN-.* is issued"))).to_be_visible()
    assert newest(shop)["cost_due"] == 66


def test_too_much_credit_is_refused_beside_the_line(visit: Open, shop: Tenant) -> None:
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open(f"invoices/{newest(shop)['invoice_id']}/credit-note")
    page.get_by_label("Reason").fill("Too much")
    page.get_by_label("Parts of lines").check()
    page.get_by_label("Training").fill("140")
    page.get_by_role("button", name="Issue credit note").click()
    expect(page.get_by_label("Training")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("100 is left to be credited")).to_be_visible()


def test_a_paid_invoice_is_refunded_to_the_balance(visit: Open, shop: Tenant) -> None:
    invoice_id = newest(shop)["invoice_id"]
    shop.patch(f"/api/invoices/{invoice_id}/", {"payment_status": "paid"})
    page = visit().open(f"invoices/{invoice_id}/credit-note")
    page.get_by_label("Reason").fill("Refund")
    page.get_by_role("button", name="Issue credit note").click()
    expect(page.get_by_text("is issued")).to_be_visible()
    assert [each["amount"] for each in shop.get("/api/credits/", customer_id="acme")] == [110]


def test_a_one_off_invoice_is_previewed_and_issued(visit: Open, shop: Tenant) -> None:
    page = visit().open("invoices/")
    page.get_by_role("link", name="New invoice").click()
    page.get_by_label("Customer", exact=True).fill("acme")
    page.get_by_label("Name").first.fill("Audit")
    page.get_by_label("Quantity").first.fill("2")
    page.get_by_label("Unit price").first.fill("10.5")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("status").last).to_contain_text("$23.10")
    assert len(shop.invoices()) == 2
    page.get_by_role("button", name="Issue invoice").click()
    expect(page.get_by_text(re.compile("Invoice .* is issued"))).to_be_visible()
    assert newest(shop)["cost_due"] == Decimal("23.1")


def test_what_is_wrong_with_a_one_off_invoice_stands_beside_its_fields(visit: Open, shop: Tenant) -> None:
    visitor = visit()
    visitor.expect_refusal(422)
    page = visitor.open("invoices/new")
    page.get_by_label("Customer", exact=True).fill("acme")
    page.get_by_label("Name").first.fill("Audit")
    page.get_by_label("or amount").first.fill("0.001")
    page.get_by_role("button", name="Issue invoice").click()
    expect(page.get_by_label("or amount").first).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Name").first).to_have_value("Audit")


def test_documents_are_served(pages: Callable[..., Pages], shop: Tenant) -> None:
    path = f"invoices/{newest(shop)['invoice_id']}"
    assert pages().get(f"{path}/pdf").content.startswith(b"%PDF")
    assert pages().get(f"{path}/xml?format=nothing").status_code == 404


def test_a_viewer_reads_and_sees_no_actions(visit: Open, shop: Tenant) -> None:
    page = visit(role=Role.VIEWER).open(f"invoices/{newest(shop)['invoice_id']}/")
    for name in ("Mark as paid", "Void", "Credit note", "Uncollectible"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)


@pytest.fixture
def patient(tenant: Tenant) -> Tenant:
    """Three customers whose invoices for January wait for a grace of two days."""
    tenant.patch("/api/organization/", {"invoice_grace_hours": 48})
    tenant.plan(recurring_charges=[{"name": "fee", "amount": "10"}])
    for name in ("acme", "beta", "gamma"):
        tenant.customer(name)
        tenant.subscribe(name)
    tenant.move_clock("2026-02-01T12:00:00Z")
    return tenant


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", ["drafts/", "drafts/finalize", "drafts/progress"])
def test_the_pages_of_drafts_open_as_they_should(visit: Open, patient: Tenant, path: str, look: str) -> None:
    check_page(visit(look=look), f"invoices/{path}", f"invoices-{path.replace('/', '-')}", look)


def test_a_draft_is_looked_at_and_issued(visit: Open, patient: Tenant) -> None:
    page = visit().open("invoices/")
    page.get_by_role("link", name="Draft 3").click()
    expect(page.get_by_role("link", name="Paid 0")).to_be_visible()
    expect(page.get_by_role("link", name="Draft 3")).to_have_attribute("aria-current", "page")
    page.get_by_role("row").nth(1).get_by_role("link").first.click()
    expect(page.get_by_text("waits for events that come late")).to_be_visible()
    page.get_by_role("link", name="Issue now").click()
    page.get_by_role("button", name="Issue now").click()
    expect(page.get_by_text(re.compile("Invoice .* is issued"))).to_be_visible()
    assert len(patient.invoices()) == 4


@pytest.mark.parametrize("script", [True, False])
def test_all_drafts_are_issued_with_a_progress_bar(visit: Open, patient: Tenant, *, script: bool) -> None:
    page = visit(script=script).open("invoices/drafts/")
    page.get_by_role("link", name="Issue all").click()
    page.get_by_role("button", name="Issue all").click()
    if not script:
        page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("3 of 3").first).to_be_visible()
    expect(page.get_by_text("Nothing waits any more")).to_be_visible()
    assert len(patient.invoices()) == 6


def test_who_may_not_issue_drafts_is_refused(pages: Callable[..., Pages], patient: Tenant) -> None:
    client = pages(role=Role.DEVELOPER)
    paths = ["invoices/drafts/finalize", "invoices/drafts/progress", "invoices/draft_x/finalize"]
    assert [client.get(path).status_code for path in paths] == [403] * 3
    assert [client.post(path, {}).status_code for path in paths] == [403] * 3
    assert client.get("invoices/drafts/").status_code == 200
    assert len(patient.invoices()) == 3


ACTIONS = ["paid", "unpaid", "uncollectible", "void", "credit-note"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEVELOPER])
def test_who_may_not_change_invoices_is_refused(pages: Callable[..., Pages], shop: Tenant, role: Role) -> None:
    client, invoice_id = pages(role=role), newest(shop)["invoice_id"]
    paths = [*(f"invoices/{invoice_id}/{each}" for each in ACTIONS), "invoices/new"]
    assert [client.get(path).status_code for path in paths] == [403] * len(paths)
    assert [client.post(path, {"reason": "x"}).status_code for path in paths] == [403] * len(paths)
    assert newest(shop)["payment_status"] == "unpaid"


def test_another_organization_s_invoices_are_not_there(
    pages: Callable[..., Pages], shop: Tenant, other_organization: Organization, new_tenant: Callable[[], Tenant]
) -> None:
    other = new_tenant()
    other.customer()
    foreign = issue(other, "Secret", "1")["invoice_id"]
    client = pages()
    reading = ["", "pdf", "xml", "lines/0/events", "finalize"]
    paths = [f"invoices/{foreign}/{each}" for each in (*reading, *ACTIONS)]
    assert [client.get(path).status_code for path in paths] == [404] * len(paths)
    assert [client.post(f"invoices/{foreign}/{each}", {"reason": "x"}).status_code for each in ACTIONS] == [404] * 5
    listed = ["", "sums", "csv", "new", "drafts/", "drafts/finalize", "drafts/progress"]
    answers = [client.get(f"invoices/{path}", other_organization).status_code for path in listed]
    assert answers == [404] * len(listed)
