"""Seats and prepaid units over HTTP."""

from decimal import Decimal

import pytest

from tests.tenants import Json, Tenant

SEATS = {"name": "seats", "amount": 31}
PREPAID = {"metric_id": "calls", "price": {"model": "per_unit", "unit_price": 1}, "prepaid_charge": {}}


@pytest.fixture
def seated(sandbox: Tenant) -> Tenant:
    """A sandbox whose `acme` has one seat since the beginning of 2026, and it is 11 January."""
    sandbox.metric()
    sandbox.plan("pro", recurring_charges=[SEATS])
    sandbox.customer()
    sandbox.subscribe(subscription_id="sub")
    sandbox.move_clock("2026-01-11T00:00:00Z")
    return sandbox


def test_a_change_of_seats_is_shown_on_the_subscription_and_on_the_draft(seated: Tenant) -> None:
    changed = seated.post("/api/subscriptions/sub/quantities/", {"charge": "seats", "quantity": "3"}, 200)

    (row,) = changed["quantities"]
    assert (Decimal(3), [{"quantity": Decimal(3), "effective_at": "2026-01-11T00:00:00Z"}]) == (
        row["quantity"],
        row["changes"],
    )
    assert Decimal(42) == seated.drafts()[0]["cost_due"]


def test_a_change_of_seats_can_be_invoiced_at_once(seated: Tenant) -> None:
    order = {"charge": "seats", "quantity": 3, "invoice_now": True}

    seated.post("/api/subscriptions/sub/quantities/", order, 200)
    seated.post("/api/subscriptions/sub/quantities/", order, 200)

    assert [Decimal(42), Decimal(31)] == [invoice["amount"] for invoice in seated.invoices()]


@pytest.mark.parametrize(
    ("order", "status", "code"),
    [
        ({"charge": "seats", "quantity": -1}, 400, "negative"),
        ({"charge": "seats"}, 400, "required"),
        ({"quantity": 2}, 400, "required"),
        ({"charge": "desks", "quantity": 2}, 404, "charge_not_found"),
    ],
)
def test_what_is_no_quantity_of_a_charge_is_refused(seated: Tenant, order: Json, status: int, code: str) -> None:
    assert code == seated.post("/api/subscriptions/sub/quantities/", order, status)["title"]


def test_another_organization_cannot_change_a_quantity(seated: Tenant, other_tenant: Tenant) -> None:
    other_tenant.post("/api/subscriptions/sub/quantities/", {"charge": "seats", "quantity": 2}, 404)


def test_prepaid_units_are_given_with_the_subscription_and_changed_later(seated: Tenant) -> None:
    seated.plan("units", components=[PREPAID])
    units = [{"metric_id": "calls", "units": 31}]
    made = seated.subscribe(
        plan_id="units",
        start_date="2026-01-11",
        subscription_id="prepaid",
        component_fixed_charges_initial_units=units,
    )
    path = "/api/subscriptions/prepaid/components/calls/change_prepaid_units/"

    changed = seated.post(path, {"units": 62, "subscription_id": "prepaid", "metric_id": "calls"}, 200)

    assert [Decimal(31)] == [each["units"] for each in made["prepaid_units"]]
    assert [Decimal(62)] == [each["units"] for each in changed["prepaid_units"]]
    assert [Decimal(31), Decimal(31)] == [invoice["amount"] for invoice in seated.invoices()[:2]]


def test_a_subscription_needs_to_know_how_many_units_are_prepaid(seated: Tenant) -> None:
    seated.plan("units", components=[PREPAID])
    body = {"customer_id": "acme", "plan_id": "units", "start_date": "2026-01-11"}

    refused = seated.post("/api/subscriptions/", body, 400)

    assert "prepayment_cant_determine_units" == refused["title"]


def test_usage_below_the_prepaid_units_is_free_access(seated: Tenant) -> None:
    seated.plan("units", components=[PREPAID])
    units = [{"metric_id": "calls", "units": 2}]
    seated.subscribe(plan_id="units", start_date="2026-01-11", component_fixed_charges_initial_units=units)

    seated.use(1)
    before = seated.access(event_name="calls", event_limit_type="free")["access"]
    seated.use(1)
    after = seated.access(event_name="calls", event_limit_type="free")["access"]

    assert (True, False) == (before, after)
