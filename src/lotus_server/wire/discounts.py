"""Coupons and discounts on the wire."""

from typing import Any

from pydantic import Field

from lotus_server.domain.invoicing import AppliedDiscount, Coupon, Discount, DiscountTerms, DiscountType
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.quantity import ZERO
from lotus_server.usecases.discounts import CouponDraft, DiscountDraft
from lotus_server.wire.fields import instant
from lotus_server.wire.forms import Form, Number, Text, choice, currency_code, read, required

Row = dict[str, Any]
_TYPES = {each.value: each for each in DiscountType}


class TermsForm(Form):
    """What a discount takes off."""

    name: Text = None
    discount_type: Text = Field(None, alias="type", description="percentage or fixed.")
    amount: Number = Field(None, description="Percent, or an amount in the currency.")
    currency: Text = Field(None, description="fixed: the code of the currency.")
    invoices_max: int | None = Field(None, description="To how many invoices of a customer it applies; null: all.")

    def to_terms(self, problems: Problems) -> DiscountTerms:
        """Return the terms; what is missing is added to `problems`."""
        kind = choice(problems, "type", self.discount_type, _TYPES, DiscountType.PERCENTAGE)
        if self.discount_type is None:
            problems.add("type", "required", "type is percentage or fixed.")
        if self.amount is None:
            problems.add("amount", "required", "amount is required.")
        code = currency_code(self.currency) if kind is DiscountType.FIXED else None
        # A missing amount is a problem already: that of this stand-in would only repeat it.
        amount = ZERO + 1 if self.amount is None else self.amount
        return DiscountTerms(required(problems, "name", self.name), kind, amount, code)


class CouponForm(TermsForm):
    """A coupon to be made."""

    coupon_id: Text = Field(None, description="Its code; made when missing.")
    redeem_until: Text = Field(None, description="From then on nobody can redeem it.")
    redemptions_max: int | None = Field(None, description="How many customers can redeem it; null: any number.")


class DiscountForm(TermsForm):
    """A discount to be given to a customer: by `coupon_id`, or by terms of its own."""

    coupon_id: Text = None
    starts_at: Text = None
    ends_at: Text = None


def coupon_draft(payload: object) -> CouponDraft:
    """Return the draft that a body describes, with the problems found in it."""
    problems = Problems()
    form = read(CouponForm, payload, problems)
    return CouponDraft(
        terms=form.to_terms(problems),
        coupon_id=form.coupon_id,
        invoices_max=form.invoices_max,
        redeem_until=instant(problems, "redeem_until", form.redeem_until) if form.redeem_until else None,
        redemptions_max=form.redemptions_max,
        problems=problems.found,
    )


def discount_draft(payload: object) -> DiscountDraft:
    """Return the draft that a body describes, with the problems found in it."""
    problems = Problems()
    form = read(DiscountForm, payload, problems)
    has_terms = any(each is not None for each in (form.name, form.discount_type, form.amount))
    return DiscountDraft(
        coupon_id=form.coupon_id,
        terms=form.to_terms(problems) if has_terms or form.coupon_id is None else None,
        starts_at=instant(problems, "starts_at", form.starts_at) if form.starts_at else None,
        ends_at=instant(problems, "ends_at", form.ends_at) if form.ends_at else None,
        invoices_max=form.invoices_max,
        problems=problems.found,
    )


def coupon_row(coupon: Coupon) -> Row:
    """Return a coupon."""
    return {
        "coupon_id": coupon.coupon_id,
        **_terms_row(coupon.terms),
        "invoices_max": coupon.invoices_max,
        "redeem_until": to_text(coupon.redeem_until) if coupon.redeem_until else None,
        "redemptions_max": coupon.redemptions_max,
        "status": "archived" if coupon.archived else "active",
        "created": to_text(coupon.created_at),
    }


def discount_row(discount: Discount) -> Row:
    """Return a customer's discount."""
    return {
        "discount_id": discount.discount_id,
        "coupon_id": discount.coupon_id,
        **_terms_row(discount.terms),
        "starts_at": to_text(discount.starts_at),
        "ends_at": to_text(discount.ends_at) if discount.ends_at else None,
        "invoices_left": discount.invoices_left,
    }


def applied_row(applied: AppliedDiscount) -> Row:
    """Return what a discount came to on an invoice, and each line's part of it."""
    return {
        "discount_id": applied.discount_id,
        "name": applied.name,
        "amount": applied.amount,
        "parts": list(applied.parts),
    }


def _terms_row(terms: DiscountTerms) -> Row:
    return {"name": terms.name, "type": terms.type.value, "amount": terms.amount, "currency": terms.currency}
