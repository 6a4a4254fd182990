"""Previews, the next invoice, retries, and what a list of subscriptions is asked for, over HTTP."""

from decimal import Decimal
from typing import Any

import pytest

from tests.tenants import Tenant

SUB = "/api/subscriptions/sub/"
PREVIEW = f"{SUB}preview/"


@pytest.fixture
def subscribed(sandbox: Tenant) -> Tenant:
    sandbox.plan("pro", recurring_charges=[{"name": "fee", "amount": 10}])
    sandbox.plan("big", recurring_charges=[{"name": "fee", "amount": 20}])
    sandbox.customer()
    sandbox.subscribe(subscription_id="sub", billing_plan_id="pro")
    return sandbox


@pytest.mark.parametrize(
    ("body", "totals"),
    [
        ({"action": "cancel", "flat_fee_behavior": "refund"}, [0]),
        ({"action": "switch_plan", "switch_plan_id": "big"}, [0, 10]),
        ({"action": "quantities", "charge": "fee", "quantity": 3, "invoice_now": True}, [20]),
        ({"action": "update", "auto_renew": False}, []),
    ],
)
def test_a_preview_is_a_list_of_invoices_without_numbers(
    subscribed: Tenant, body: dict[str, Any], totals: list[int]
) -> None:
    rows = subscribed.post(PREVIEW, body, 200)

    assert [Decimal(each) for each in totals] == [row["amount"] for row in rows]
    assert all(row["invoice_number"] is None and row["invoice_id"] is None for row in rows)
    assert len(subscribed.invoices()) == 1


def test_an_action_that_nobody_knows_is_refused(subscribed: Tenant) -> None:
    answer = subscribed.post(PREVIEW, {"action": "explode"}, 400)

    assert [("action", "invalid_choice")] == [(each["field"], each["code"]) for each in answer["validation_errors"]]


def test_the_next_invoice_is_shown_before_it_is_issued(subscribed: Tenant) -> None:
    (row,) = subscribed.get(f"{SUB}next_invoice/")

    assert (Decimal(10), None) == (row["amount"], row["invoice_number"])
    assert len(subscribed.invoices()) == 1


def test_an_unknown_status_is_refused_instead_of_an_empty_list(subscribed: Tenant) -> None:
    answer = subscribed.get("/api/subscriptions/", 400, status="asleep")

    assert ["invalid_choice"] == [each["code"] for each in answer["validation_errors"]]


def test_parked_subscriptions_can_be_asked_for_and_tried_again(subscribed: Tenant) -> None:
    assert [] == subscribed.get("/api/subscriptions/", status="parked")

    shown = subscribed.post(f"{SUB}retry/", {}, 200)

    assert (None, None) == (shown["parked_cause"], shown["next_try"])


def test_the_time_zone_of_a_customer_is_set_checked_and_cleared(subscribed: Tenant) -> None:
    path = "/api/customers/acme/"

    set_to = subscribed.patch(path, {"timezone": "Europe/Berlin"})["timezone"]
    refused = subscribed.patch(path, {"timezone": "Mars/Olympus"}, 400)
    cleared = subscribed.patch(path, {"timezone": None})["timezone"]

    assert ("Europe/Berlin", "UTC") == (set_to, cleared)
    assert ["unknown_timezone"] == [each["code"] for each in refused["validation_errors"]]
