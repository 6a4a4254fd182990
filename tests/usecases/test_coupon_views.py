"""Coupons with how often they were redeemed, a page at a time."""

from decimal import Decimal

import pytest

from lotus_server.domain.invoicing import DiscountTerms, DiscountType
from lotus_server.kernel.errors import NotFound
from lotus_server.ports.records import Page
from lotus_server.usecases.discounts import (
    CouponDraft,
    DiscountDraft,
    create_coupon,
    get_coupon,
    give_discount,
    view_coupons,
)
from tests.business import EVERYTHING, Business, Json, at

TERMS = DiscountTerms("Half", DiscountType.PERCENTAGE, Decimal(50))


def make(business: Business, coupon_id: str, **more: Json) -> None:
    create_coupon(business.services, business.organization, CouponDraft(TERMS, coupon_id, **more))


def test_coupons_are_listed_newest_first_with_their_uses(business: Business) -> None:
    make(business, "A")
    business.move("2026-01-02")
    make(business, "B")
    give_discount(business.services, business.organization, "acme", DiscountDraft("A"))

    found = view_coupons(business.services, business.organization, EVERYTHING)

    assert [("B", 0), ("A", 1)] == [(each.coupon.coupon_id, each.redeemed) for each in found]
    assert found[1:] == view_coupons(business.services, business.organization, Page(1, "B"))


def test_a_coupon_that_is_used_up_or_over_cannot_be_redeemed(business: Business) -> None:
    make(business, "ONCE", redemptions_max=1)
    make(business, "SOON", redeem_until=at("2026-01-02"))
    give_discount(business.services, business.organization, "acme", DiscountDraft("ONCE"))

    before = get_coupon(business.services, business.organization, "SOON").is_redeemable
    business.move("2026-01-02")

    assert before
    views = view_coupons(business.services, business.organization, EVERYTHING)
    assert [False, False] == [each.is_redeemable for each in views]


def test_a_coupon_that_nobody_made_is_not_there(business: Business) -> None:
    with pytest.raises(NotFound):
        get_coupon(business.services, business.organization, "NONE")
