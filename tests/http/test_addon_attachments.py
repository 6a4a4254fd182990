"""Add-ons of subscriptions over HTTP."""

from decimal import Decimal

import pytest

from tests.tenants import Tenant

ATTACH = "/api/subscriptions/sub/addons/attach/"
CANCEL = "/api/subscriptions/sub/addons/support/cancel/"


@pytest.fixture
def subscribed(sandbox: Tenant) -> Tenant:
    sandbox.plan("pro", recurring_charges=[{"name": "fee", "amount": 10}])
    addon = {"addon_id": "support", "addon_name": "Support", "billing_frequency": "recurring"}
    sandbox.post("/api/addons/", {**addon, "recurring_charges": [{"name": "support", "amount": 31}]})
    sandbox.customer()
    sandbox.subscribe(subscription_id="sub")
    return sandbox


def test_an_attached_addon_is_shown_with_its_subscription(subscribed: Tenant) -> None:
    attached = subscribed.post(ATTACH, {"addon_id": "support", "quantity": 2, "metadata": {"why": "asked"}})

    (shown,) = subscribed.get("/api/subscriptions/sub/")["addons"]
    assert {key: attached[key] for key in shown} == shown
    assert {"addon_name": "Support", "addon_id": "support", "addon_type": "flat", "billing_frequency": "recurring"} == (
        shown["addon"]
    )
    assert ("sub", {"why": "asked"}) == (attached["parent"]["subscription_id"], attached["metadata"])
    assert Decimal(62) == subscribed.invoices()[0]["amount"]


def test_an_addon_is_no_subscription_of_its_own_in_lists(subscribed: Tenant) -> None:
    subscribed.post(ATTACH, {"addon_id": "support"})

    assert ["sub"] == [row["subscription_id"] for row in subscribed.get("/api/subscriptions/")]


def test_an_addon_can_be_cancelled(subscribed: Tenant) -> None:
    subscribed.post(ATTACH, {"addon_id": "support"})

    cancelled = subscribed.post(CANCEL, {"flat_fee_behavior": "refund"}, 200)

    assert ("ended", True) == (cancelled["status"], cancelled["fully_billed"])
    assert Decimal(31) == subscribed.get("/api/customers/acme/")["balance"]


@pytest.mark.parametrize(
    "body", [{}, {"addon_id": "support", "addon_version_id": "v"}, {"addon_id": "x", "quantity": -1}]
)
def test_what_attaches_nothing_is_refused(subscribed: Tenant, body: dict[str, object]) -> None:
    subscribed.post(ATTACH, body, 400)


def test_unknown_addons_and_subscriptions_of_others_are_not_found(subscribed: Tenant, other_tenant: Tenant) -> None:
    subscribed.post(ATTACH, {"addon_id": "pro"}, 404)
    subscribed.post(CANCEL, {}, 404)
    other_tenant.post(ATTACH, {"addon_id": "support"}, 404)
