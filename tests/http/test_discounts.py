"""Coupons, and the discounts that they give."""

from typing import Any

import pytest

from tests.tenants import Json, Tenant

FEES = [{"name": "fee", "amount": "100"}, {"name": "support", "amount": "20"}]
HALF: dict[str, Any] = {"coupon_id": "HALF", "name": "Half price", "type": "percentage", "amount": 50}


@pytest.fixture
def shop(sandbox: Tenant) -> Tenant:
    """A customer who is about to subscribe to a plan of 120 a month, and a coupon for half of it."""
    sandbox.customer()
    sandbox.plan(recurring_charges=FEES)
    sandbox.post("/api/coupons/", HALF)
    return sandbox


def give(tenant: Tenant, status: int = 201, customer_id: str = "acme", **body: Json) -> Json:
    return tenant.post(f"/api/customers/{customer_id}/discounts/", body or {"coupon_id": "HALF"}, status)


def dues(tenant: Tenant) -> list[Json]:
    """What is to be paid on each invoice, oldest first."""
    return [invoice["cost_due"] for invoice in reversed(tenant.invoices())]


def test_a_coupon_takes_its_part_off_every_line(shop: Tenant) -> None:
    give(shop)
    shop.subscribe()

    (invoice,) = shop.invoices()

    assert (invoice["subtotal"], invoice["cost_due"]) == (120, 60)
    assert [(each["name"], each["amount"], each["parts"]) for each in invoice["discounts"]] == [
        ("Half price", 60, [50, 10])
    ]


def test_tax_is_on_what_discounts_leave(shop: Tenant) -> None:
    shop.patch("/api/organization/", {"tax_rate": 10})
    give(shop)
    shop.subscribe()

    assert dues(shop) == [66]


def test_a_discount_for_two_invoices_is_on_two(shop: Tenant) -> None:
    give(shop, name="Start", type="fixed", amount=20, currency="USD", invoices_max=2)
    shop.subscribe()
    shop.move_clock("2026-04-02T00:00:00Z")

    assert dues(shop) == [100, 100, 120, 120]
    assert shop.get("/api/customers/acme/discounts/")[0]["invoices_left"] == 0


def test_an_ended_discount_is_on_no_further_invoice(shop: Tenant) -> None:
    discount = give(shop)
    shop.subscribe()

    ended = shop.post(f"/api/customers/acme/discounts/{discount['discount_id']}/end/", {}, 200)
    shop.move_clock("2026-02-01T00:00:00Z")

    assert ended["ends_at"] is not None
    assert dues(shop) == [60, 120]


def test_the_draft_has_the_discount_of_the_invoice(shop: Tenant) -> None:
    shop.plan("late", recurring_charges=[{"name": "fee", "amount": 100, "timing": "in_arrears", "proration": "full"}])
    give(shop)
    shop.subscribe(plan_id="late", subscription_id="late")

    (draft,) = shop.get("/api/draft_invoice/", customer_id="acme")
    shop.post("/api/cancel_subscription/", {"subscription_id": "late"}, 200)

    assert [draft["cost_due"]] == dues(shop) == [50]


def test_a_draft_uses_no_discount_up(shop: Tenant) -> None:
    give(shop, name="Once", type="percentage", amount=10, invoices_max=1)
    shop.subscribe(start_date="2026-01-01")
    before = shop.get("/api/customers/acme/discounts/")

    shop.get("/api/draft_invoice/", customer_id="acme")

    assert shop.get("/api/customers/acme/discounts/") == before


def test_a_credit_note_over_everything_takes_back_what_was_paid(shop: Tenant) -> None:
    give(shop)
    shop.subscribe()
    (invoice,) = shop.invoices()

    note = shop.post("/api/credit_notes/", {"invoice_id": invoice["invoice_id"], "reason": "Sorry"})

    assert note["total"] == 60


def test_a_fixed_discount_of_another_currency_waits(shop: Tenant) -> None:
    give(shop, name="Euros", type="fixed", amount=20, currency="EUR")
    shop.subscribe()

    assert dues(shop) == [120]


@pytest.mark.parametrize("reason", ["archived", "redeemed before", "used up", "over"])
def test_a_coupon_that_cannot_be_redeemed_says_why(shop: Tenant, reason: str) -> None:
    if reason == "archived":
        shop.post("/api/coupons/HALF/archive/", {}, 200)
    elif reason == "redeemed before":
        give(shop)
    elif reason == "used up":
        shop.post("/api/coupons/", {**HALF, "coupon_id": "ONE", "redemptions_max": 1})
        shop.customer("other")
        give(shop, customer_id="other", coupon_id="ONE")
    else:
        shop.post("/api/coupons/", {**HALF, "coupon_id": "OLD", "redeem_until": "2026-01-01T00:00:00Z"})
    code = {"used up": "ONE", "over": "OLD"}.get(reason, "HALF")

    assert give(shop, 409, coupon_id=code)["title"] == "coupon_not_redeemable"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "type": "percentage", "amount": 101}, "amount"),
        ({"name": "x", "type": "fixed", "amount": 1}, "currency"),
        ({"name": "x", "type": "fixed", "amount": "0.001", "currency": "USD"}, "amount"),
        ({"name": "x", "type": "gift", "amount": 1}, "type"),
        ({"name": "x", "type": "percentage"}, "amount"),
        ({"coupon_id": "HALF", "name": "x", "type": "percentage", "amount": 1}, "coupon_id"),
        ({"name": "x", "type": "percentage", "amount": 1, "ends_at": "2020-01-01"}, "ends_at"),
        ({"name": "x", "type": "percentage", "amount": 1, "invoices_max": 0}, "invoices_max"),
    ],
)
def test_a_wrong_discount_is_refused(shop: Tenant, body: dict[str, Any], field: str) -> None:
    answer = give(shop, 400, **body)

    assert answer["validation_errors"][0]["field"] == field
    assert shop.get("/api/customers/acme/discounts/") == []


def test_a_coupon_exists_once(shop: Tenant) -> None:
    assert shop.post("/api/coupons/", HALF, 409)["title"] == "coupon_exists"


def test_nobody_else_can_give_or_end_a_discount(shop: Tenant, other_tenant: Tenant) -> None:
    discount = give(shop)
    other_tenant.customer()

    assert give(other_tenant, 404, coupon_id="HALF")["title"] == "coupon_not_found"
    path = f"/api/customers/acme/discounts/{discount['discount_id']}/end/"
    assert other_tenant.post(path, {}, 404)["title"] == "discount_not_found"


def test_a_coupon_can_be_redeemed_with_a_subscription(shop: Tenant) -> None:
    shop.subscribe(coupon_id="HALF")

    assert [60] == dues(shop)
    assert ["HALF"] == [each["coupon_id"] for each in shop.get("/api/customers/acme/discounts/")]


def test_nobody_is_subscribed_with_a_coupon_that_cannot_be_redeemed(shop: Tenant) -> None:
    give(shop)
    body = {"customer_id": "acme", "plan_id": "pro", "start_date": "2026-01-01", "coupon_id": "HALF"}

    assert "coupon_not_redeemable" == shop.post("/api/subscriptions/", body, 409)["title"]
    assert [] == shop.get("/api/subscriptions/")
