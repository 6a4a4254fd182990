"""Why an invoice, or a draft, is that much."""

from decimal import Decimal

import pytest

from tests.server_process import ServerProcess, run_lotus
from tests.tenants import Json, Tenant

COMPONENT = {"metric_id": "bytes", "price": {"model": "per_unit", "unit_price": "0.0213"}}


@pytest.fixture
def billed(sandbox: Tenant) -> Tenant:
    """A sandbox in which `acme` has used 121 bytes in two events, and a third event has none."""
    sandbox.metric("bytes", aggregation_type="sum", property_name="size", event_name="call")
    sandbox.plan("pro", components=[COMPONENT])
    sandbox.customer()
    sandbox.subscribe()
    at = {"time_created": "2026-01-01T00:00:00Z"}
    sizes: list[Json] = [{"size": 100}, {"size": "21"}, {"size": "many"}]
    sandbox.track(*(sandbox.event("call", properties=size, **at) for size in sizes))
    return sandbox


def explanation_of_invoice(tenant: Tenant) -> Json:
    tenant.move_clock("2026-02-01T00:00:00Z")
    (invoice,) = tenant.invoices()
    return tenant.get(f"/api/invoices/{invoice['invoice_id']}/explain/")


def test_an_invoice_says_what_was_measured_and_how_it_was_priced_and_rounded(billed: Tenant) -> None:
    (line,) = explanation_of_invoice(billed)["lines"]

    explanation = line["explanation"]
    assert ("the sum of size", 2, 1) == tuple(explanation["measured"][key] for key in ("text", "counted", "skipped"))
    assert [Decimal("2.5773")] == [step["amount"] for step in explanation["steps"]]
    assert (Decimal("2.5773"), Decimal("2.58"), 2) == tuple(
        explanation["rounding"][key] for key in ("exact_amount", "amount", "decimal_places")
    )
    assert "= 2.58 USD" == explanation["text"][-1]


def test_the_listing_of_a_line_lists_its_events(billed: Tenant) -> None:
    events = explanation_of_invoice(billed)["lines"][0]["explanation"]["events"]

    assert ("acme", "call", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z") == tuple(
        events[key] for key in ("customer_id", "event_name", "start", "end")
    )
    assert events["path"].startswith("/api/events/?customer_id=acme&event_name=call&start=2026-01-01T00:00:00Z")


def test_an_invoice_explains_itself_as_text(billed: Tenant) -> None:
    billed.move_clock("2026-02-01T00:00:00Z")
    (invoice,) = billed.invoices()
    path = f"/api/invoices/{invoice['invoice_id']}/explain/"

    asked = billed.client.get(path, params={"format": "text"})
    accepted = billed.client.get(path, headers={"accept": "text/plain"})

    assert asked.text == accepted.text
    assert "121 units x 0.0213 = 2.5773" in asked.text
    assert asked.text.endswith("= 2.58 USD\n")


def test_a_draft_explains_its_lines_when_it_is_asked_to(billed: Tenant) -> None:
    (plain,) = billed.drafts()
    (explained,) = billed.get("/api/draft_invoice/", customer_id="acme", explain="true")

    assert "explanation" not in plain["lines"][0]
    assert "= 2.58 USD" == explained["lines"][0]["explanation"]["text"][-1]


def test_the_invoice_of_another_organization_explains_nothing(billed: Tenant, other_tenant: Tenant) -> None:
    billed.move_clock("2026-02-01T00:00:00Z")
    (invoice,) = billed.invoices()

    other_tenant.get(f"/api/invoices/{invoice['invoice_id']}/explain/", 404)


@pytest.mark.parametrize("is_draft", [True, False])
def test_the_command_explains_invoices_and_drafts(billed: Tenant, server: ServerProcess, is_draft: bool) -> None:
    arguments = ["--customer", "acme"]
    if not is_draft:
        billed.move_clock("2026-02-01T00:00:00Z")
        arguments = [billed.invoices()[0]["invoice_id"]]

    done = run_lotus("explain", *arguments, "--organization", billed.organization_id, "--data", str(server.data))

    assert (0, True) == (done.returncode, "121 units x 0.0213 = 2.5773" in done.stdout)
    assert done.stdout.rstrip().endswith("= 2.58 USD")


def test_the_command_wants_an_invoice_or_a_customer(server: ServerProcess) -> None:
    done = run_lotus("explain", "--data", str(server.data))

    assert (1, True) == (done.returncode, "--customer" in done.stderr)


def test_the_text_leads_from_the_lines_to_what_is_due(billed: Tenant) -> None:
    billed.patch("/api/organization/", {"tax_rate": 10})
    discount = {"name": "Half price", "type": "percentage", "amount": 50}
    billed.post("/api/customers/acme/discounts/", discount)
    billed.post("/api/credits/", {"customer_id": "acme", "amount": "0.20"})
    billed.move_clock("2026-02-01T00:00:00Z")
    (invoice,) = billed.invoices()
    path = f"/api/invoices/{invoice['invoice_id']}/"
    billed.post("/api/credit_notes/", {"invoice_id": invoice["invoice_id"], "reason": "x", "lines": [
        {"line": 0, "amount": "0.20"}]})  # fmt: skip

    text = billed.client.get(f"{path}explain/", params={"format": "text"}).text

    assert text.splitlines()[-6:] == [
        "The lines sum to 2.58 USD.",
        "Half price takes 1.29 USD off.",
        "Tax of 10 % on 1.29 USD adds 0.13 USD.",
        "0.20 USD is paid from credit.",
        "0.22 USD is taken off by credit notes.",
        "= 1.00 USD",
    ]


def test_a_charge_for_several_says_what_one_costs(sandbox: Tenant) -> None:
    sandbox.plan("pro", recurring_charges=[{"name": "seat", "amount": 31, "quantity": 3}])
    sandbox.customer()
    sandbox.subscribe(subscription_id="s")
    sandbox.move_clock("2026-01-11T00:00:00Z")
    sandbox.post("/api/subscriptions/s/cancel/", {"flat_fee_behavior": "charge_prorated"}, 200)

    (invoice,) = [each for each in sandbox.invoices() if each["issue_date"].startswith("2026-01-01")]
    (line,) = sandbox.get(f"/api/invoices/{invoice['invoice_id']}/explain/")["lines"]

    assert "seat: 3 x 31 for a whole period = 93" in line["explanation"]["text"]
