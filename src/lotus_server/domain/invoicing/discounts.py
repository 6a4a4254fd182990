"""Discounts: what is taken off a set of lines, how much of it each line bears, and the coupons they come from."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.kernel.currencies import CURRENCIES, Currency, currency
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.identifiers import name_problem
from lotus_server.kernel.money import allocate, round_to_minor_unit, total
from lotus_server.kernel.quantity import ZERO, in_range, share, subtract

_HUNDRED: Final = Decimal(100)
AMOUNT_LIMIT: Final = Decimal(10) ** 15


class DiscountType(StrEnum):
    """Whether a discount is a part of the sum or an amount."""

    PERCENTAGE = "percentage"
    FIXED = "fixed"


class DiscountTerms(msgspec.Struct, frozen=True):
    """What an invoice costs less: `amount` percent of its lines, or so much in major units of `currency`."""

    name: str
    type: DiscountType
    amount: Decimal
    currency: str | None = None

    def add_problems(self, found: Problems) -> None:
        """Add everything that is wrong with the terms."""
        if wrong := name_problem(self.name):
            found.add("name", "invalid", f"name {wrong}.")
        if not in_range(self.amount) or self.amount >= AMOUNT_LIMIT:
            found.add("amount", "out_of_range", "amount must be below 10^15.")
        elif self.amount <= 0:
            found.add("amount", "not_positive", "amount must be greater than 0.")
        elif self.type is DiscountType.PERCENTAGE:
            if self.amount > _HUNDRED:
                found.add("amount", "out_of_range", "A percentage is at most 100.")
        elif self.currency not in CURRENCIES:
            found.add("currency", "unknown_currency", "A fixed discount has the ISO 4217 code of a currency.")
        elif round_to_minor_unit(self.amount, currency(self.currency)) != self.amount:
            found.add("amount", "too_fine", f"An amount in {self.currency} has fewer decimal places.")


class Coupon(msgspec.Struct, frozen=True):
    """A discount that customers can be given by its code.

    It applies to the first `invoices_max` invoices of each customer (null: to all), can be redeemed before
    `redeem_until` (null: always), by `redemptions_max` customers (null: by any number).
    """

    organization_id: str
    coupon_id: str
    terms: DiscountTerms
    created_at: datetime
    invoices_max: int | None = None
    redeem_until: datetime | None = None
    redemptions_max: int | None = None
    archived: bool = False


class Discount(msgspec.Struct, frozen=True):
    """What a customer gets off invoices issued in `[starts_at, ends_at)`, at most `invoices_left` of them.

    Null: there is no such end.
    """

    organization_id: str
    discount_id: str
    customer_id: str
    terms: DiscountTerms
    starts_at: datetime
    ends_at: datetime | None = None
    invoices_left: int | None = None
    coupon_id: str | None = None

    def applies_at(self, issued_at: datetime, code: str) -> bool:
        """Tell whether an invoice of an instant and a currency gets it; a fixed one is for its own currency."""
        return (
            self.starts_at <= issued_at
            and (self.ends_at is None or issued_at < self.ends_at)
            and self.invoices_left != 0
            and (self.terms.type is DiscountType.PERCENTAGE or self.terms.currency == code)
        )


class AppliedDiscount(msgspec.Struct, frozen=True, gc=False):
    """What a discount came to on an invoice, and each line's part of it. The parts sum to the amount."""

    discount_id: str
    name: str
    amount: Decimal
    parts: tuple[Decimal, ...]


def apply_discounts(
    amounts: Sequence[Decimal], discounts: Sequence[Discount], unit: Currency
) -> tuple[AppliedDiscount, ...]:
    """Return what each discount takes off, one after the other, each from what the ones before have left.

    Only lines above zero bear discounts, so together they never take more than those lines come to. Amounts are at the
    minor unit; a discount that takes nothing is left out.
    """
    if not discounts:
        return ()
    left = [max(amount, ZERO) for amount in amounts]
    applied = []
    for discount in discounts:
        whole, terms = total(left), discount.terms
        is_percentage = terms.type is DiscountType.PERCENTAGE
        wanted = share(whole, terms.amount, _HUNDRED) if is_percentage else terms.amount
        amount = min(round_to_minor_unit(wanted, unit), whole)
        if amount:
            parts = allocate(amount, left, unit)
            left = [subtract(line, part) for line, part in zip(left, parts, strict=True)]
            applied.append(AppliedDiscount(discount.discount_id, terms.name, amount, parts))
    return tuple(applied)


def amounts_after(amounts: Sequence[Decimal], applied: Sequence[AppliedDiscount]) -> list[Decimal]:
    """Return what discounts leave of each line."""
    if not applied:
        return list(amounts)
    return [
        subtract(amount, total(discount.parts[index] for discount in applied)) for index, amount in enumerate(amounts)
    ]
