"""Discounts: what is taken off a set of lines, and how much of it each line bears."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.kernel.currencies import Currency
from lotus_server.kernel.money import allocate, round_to_minor_unit, total
from lotus_server.kernel.quantity import ZERO, share, subtract

_HUNDRED: Final = Decimal(100)


class DiscountType(StrEnum):
    """Whether a discount is a part of the sum or an amount."""

    PERCENTAGE = "percentage"
    FIXED = "fixed"


class Discount(msgspec.Struct, frozen=True):
    """What an invoice costs less: `amount` percent of its lines, or so much in major units of `currency`.

    It applies to invoices issued in `[starts_at, ends_at)`, at most `invoices_left` of them (null: no such end), and a
    fixed one only to those in its currency.
    """

    name: str
    type: DiscountType
    amount: Decimal
    currency: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    invoices_left: int | None = None

    def applies_at(self, issued_at: datetime, code: str) -> bool:
        """Tell whether an invoice of an instant and a currency gets it."""
        return (
            (self.starts_at is None or self.starts_at <= issued_at)
            and (self.ends_at is None or issued_at < self.ends_at)
            and self.invoices_left != 0
            and (self.type is DiscountType.PERCENTAGE or self.currency == code)
        )


class AppliedDiscount(msgspec.Struct, frozen=True):
    """What a discount came to on an invoice, and each line's part of it. The parts sum to the amount."""

    discount: Discount
    amount: Decimal
    parts: tuple[Decimal, ...]


def apply_discounts(
    amounts: Sequence[Decimal], discounts: Sequence[Discount], unit: Currency
) -> tuple[AppliedDiscount, ...]:
    """Return what each discount takes off, one after the other, each from what the ones before have left.

    Only lines above zero bear discounts, so together they never take more than those lines come to. Amounts are at the
    minor unit.
    """
    left = [max(amount, ZERO) for amount in amounts]
    applied = []
    for discount in discounts:
        whole = total(left)
        wanted = (
            share(whole, discount.amount, _HUNDRED) if discount.type is DiscountType.PERCENTAGE else discount.amount
        )
        amount = min(round_to_minor_unit(wanted, unit), whole)
        parts = allocate(amount, left, unit) if left else ()
        left = [subtract(line, part) for line, part in zip(left, parts, strict=True)]
        applied.append(AppliedDiscount(discount, amount, parts))
    return tuple(applied)
