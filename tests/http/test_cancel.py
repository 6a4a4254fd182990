"""`POST /api/cancel_subscription/`: all combinations of its two switches."""

from decimal import Decimal

import pytest

from tests.tenants import Tenant


@pytest.fixture
def subscribed(sandbox: Tenant) -> Tenant:
    """Ten calls at 0.10, and half of the 31.00 in arrears, are due at noon of 16 January."""
    sandbox.metric()
    sandbox.customer()
    sandbox.plan(
        components=[{"metric_id": "calls", "price": {"model": "per_unit", "unit_price": "0.10"}}],
        recurring_charges=[{"name": "Fee", "amount": "31", "timing": "in_arrears"}],
    )
    sandbox.subscribe(subscription_id="mine")
    sandbox.use(10)
    sandbox.move_clock("2026-01-16T12:00:00Z")
    return sandbox


ENDS_WITH_A_BILL = [{}, {"bill_now": True}, {"bill_now": True, "revoke_access": True}, {"revoke_access": True}]
ENDS_WITHOUT_A_BILL = [{"bill_now": False, "revoke_access": True}]
RUNS_OUT = [{"bill_now": False}, {"bill_now": False, "revoke_access": False}]


@pytest.mark.parametrize("how", ENDS_WITH_A_BILL)
def test_billing_now_ends_the_subscription_with_one_invoice(subscribed: Tenant, how: dict[str, bool]) -> None:
    reply = subscribed.cancel("mine", **how)

    (invoice,) = subscribed.invoices()
    assert (reply["status"], reply["invoice_id"]) == ("success", invoice["invoice_id"])
    assert invoice["cost_due"] == Decimal("16.50")
    assert subscribed.get("/api/subscriptions/mine/")["status"] == "ended"


@pytest.mark.parametrize("how", ENDS_WITHOUT_A_BILL)
def test_revoking_without_billing_ends_the_subscription_without_any_invoice(
    subscribed: Tenant, how: dict[str, bool]
) -> None:
    reply = subscribed.cancel("mine", **how)
    subscribed.move_clock("2026-06-01")

    assert "invoice_id" not in reply
    assert subscribed.invoices() == []
    assert subscribed.get("/api/subscriptions/mine/")["status"] == "ended"


@pytest.mark.parametrize("how", RUNS_OUT)
def test_neither_lets_the_subscription_run_out(subscribed: Tenant, how: dict[str, bool]) -> None:
    reply = subscribed.cancel("mine", **how)

    row = subscribed.get("/api/subscriptions/mine/")
    assert reply["status"] == "success"
    assert (row["status"], row["auto_renew"]) == ("active", False)
    assert subscribed.invoices() == []


@pytest.mark.parametrize("how", RUNS_OUT)
def test_what_ran_out_is_billed_at_its_end_and_not_renewed(subscribed: Tenant, how: dict[str, bool]) -> None:
    subscribed.cancel("mine", **how)

    subscribed.move_clock("2026-06-01")

    (invoice,) = subscribed.invoices()
    assert invoice["cost_due"] == Decimal("32.00")
    assert subscribed.get("/api/subscriptions/mine/")["status"] == "ended"


def test_billing_now_while_keeping_access_is_refused_and_changes_nothing(subscribed: Tenant) -> None:
    before = subscribed.get("/api/subscriptions/mine/")

    problem = subscribed.cancel("mine", 400, bill_now=True, revoke_access=False)

    assert [each["field"] for each in problem["validation_errors"]] == ["revoke_access"]
    assert subscribed.get("/api/subscriptions/mine/") == before
    assert subscribed.invoices() == []


def test_keeping_access_alone_is_refused_because_billing_now_is_the_default(subscribed: Tenant) -> None:
    assert subscribed.cancel("mine", 400, revoke_access=False)["title"] == "bill_now_needs_revoke"


def test_a_second_cancellation_is_refused_without_a_second_invoice(subscribed: Tenant) -> None:
    subscribed.cancel("mine")

    problem = subscribed.cancel("mine", 400)

    assert problem["title"] == "invalid_state"
    assert len(subscribed.invoices()) == 1


def test_an_unknown_subscription_is_not_found(tenant: Tenant) -> None:
    assert tenant.cancel("nothing", 404)["title"] == "subscription_not_found"


def test_the_subscription_has_to_be_named(tenant: Tenant) -> None:
    problem = tenant.post("/api/cancel_subscription/", {}, 400)

    assert [each["field"] for each in problem["validation_errors"]] == ["subscription_id"]


def test_access_ends_with_the_subscription_at_once(subscribed: Tenant) -> None:
    before = subscribed.access(event_name="calls")

    subscribed.cancel("mine")

    assert (before["access"], subscribed.access(event_name="calls")["access"]) == (True, False)


def test_access_goes_on_while_a_subscription_runs_out(subscribed: Tenant) -> None:
    subscribed.cancel("mine", bill_now=False)

    during = subscribed.access(event_name="calls")["access"]
    subscribed.move_clock("2026-02-01")

    assert (during, subscribed.access(event_name="calls")["access"]) == (True, False)
