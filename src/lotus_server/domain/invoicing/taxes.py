"""Tax: which rate a line has, and what the lines of one rate come to, as EN 16931 (BG-23) asks for it.

The tax of a rate is computed once, on the sum of its lines, and rounded once. Prices may include it: then the sum with
tax is what was agreed, and the part without tax is taken out of it.
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.kernel.currencies import Currency
from lotus_server.kernel.money import round_to_minor_unit, total
from lotus_server.kernel.quantity import EXACT, ONE, ZERO, add, multiply, share, subtract

_HUNDRED: Final = Decimal(100)


class TaxCategory(StrEnum):
    """Why a line has the tax it has, by the codes of UNTDID 5305 that EN 16931 uses."""

    STANDARD = "S"
    ZERO_RATED = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    OUT_OF_SCOPE = "O"


class TaxRate(msgspec.Struct, frozen=True, order=True, gc=False):
    """A percentage and its category. Only the standard category has a percentage above zero."""

    category: TaxCategory
    percent: Decimal


class TaxedAmount(msgspec.Struct, frozen=True, gc=False):
    """What a line comes to after discounts, rounded, and its rate. The amount includes the tax if prices do."""

    amount: Decimal
    rate: TaxRate


class TaxSubtotal(msgspec.Struct, frozen=True, gc=False):
    """All lines of one rate: what is taxed, without the tax, and the tax on it."""

    rate: TaxRate
    base: Decimal
    tax: Decimal


NO_TAX: Final = TaxRate(TaxCategory.OUT_OF_SCOPE, ZERO)


def standard_rate(percent: Decimal) -> TaxRate:
    """Return the rate of a percentage; zero per cent is a category of its own."""
    return TaxRate(TaxCategory.STANDARD if percent else TaxCategory.ZERO_RATED, percent)


def tax_subtotals(lines: Sequence[TaxedAmount], unit: Currency, *, is_included: bool) -> tuple[TaxSubtotal, ...]:
    """Return what each rate comes to, in the order of category and percentage.

    Base and tax are at the minor unit. If the amounts include tax, base + tax is exactly their sum.
    """
    amounts: dict[TaxRate, list[Decimal]] = {}
    for line in lines:
        amounts.setdefault(line.rate, []).append(line.amount)
    return tuple(_subtotal(rate, total(amounts[rate]), unit, is_included=is_included) for rate in sorted(amounts))


def _subtotal(rate: TaxRate, amount: Decimal, unit: Currency, *, is_included: bool) -> TaxSubtotal:
    if is_included:
        base = round_to_minor_unit(without_tax(amount, rate), unit)
        return TaxSubtotal(rate, base, subtract(amount, base))
    return TaxSubtotal(rate, amount, round_to_minor_unit(share(amount, rate.percent, _HUNDRED), unit))


def without_tax(amount: Decimal, rate: TaxRate) -> Decimal:
    """Return the part of an amount that is not its included tax, not rounded."""
    return share(amount, _HUNDRED, add(_HUNDRED, rate.percent))


def net_amounts(lines: Sequence[TaxedAmount], unit: Currency, *, is_included: bool) -> tuple[Decimal, ...]:
    """Return each line without tax, at the minor unit; the lines of one rate sum to its base.

    Where the rounded lines miss the base, those that were rounded furthest the other way move by one minor unit each,
    the earlier first among equals.
    """
    if not is_included:
        return tuple(line.amount for line in lines)
    exact = [without_tax(line.amount, line.rate) for line in lines]
    nets = [round_to_minor_unit(amount, unit) for amount in exact]
    step = ONE.scaleb(-unit.exponent)
    for subtotal in tax_subtotals(lines, unit, is_included=True):
        members = [index for index, line in enumerate(lines) if line.rate == subtotal.rate]
        missing = subtract(subtotal.base, total(nets[index] for index in members))
        added = {index: subtract(nets[index], exact[index]) for index in members}
        for index in _least_moved_first(added, missing)[: int(missing.copy_abs().scaleb(unit.exponent, context=EXACT))]:
            nets[index] = add(nets[index], step.copy_sign(missing))
    return tuple(nets)


def _least_moved_first(added: dict[int, Decimal], missing: Decimal) -> list[int]:
    """Return places by how little rounding has added to them in the direction of what is missing."""
    direction = ONE.copy_sign(missing)
    return sorted(added, key=lambda index: (multiply(added[index], direction), index))
