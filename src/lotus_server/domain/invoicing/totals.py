"""From lines to totals: tax on top or within, then credit, then what is left to pay."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from lotus_server.domain.invoicing.discounts import AppliedDiscount, Discount, amounts_after, apply_discounts
from lotus_server.domain.invoicing.invoice import InvoiceLine
from lotus_server.domain.invoicing.taxes import NO_TAX, TaxedAmount, TaxRate, TaxSubtotal, tax_subtotals
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.money import round_to_minor_unit, total
from lotus_server.kernel.quantity import ZERO, add, subtract


class TaxTerms(msgspec.Struct, frozen=True, gc=False):
    """The tax of a customer's invoices: the rate, and whether prices include it."""

    rate: TaxRate = NO_TAX
    is_included: bool = False


class Totals(msgspec.Struct, frozen=True, gc=False):
    """What a set of lines comes to.

    `subtotal` is the sum of the lines, and `gross` that sum less discounts, with tax. `credit_applied` of it is paid
    from the balance, `total` is left to pay. A negative gross is granted as credit (`credit_granted`), and then nothing
    is left to pay.
    """

    subtotal: Decimal
    discounts: tuple[AppliedDiscount, ...]
    taxes: tuple[TaxSubtotal, ...]
    gross: Decimal
    credit_applied: Decimal
    credit_granted: Decimal
    total: Decimal


def total_of(
    lines: tuple[InvoiceLine, ...],
    *,
    balance: Decimal,
    code: str,
    tax: TaxTerms | None = None,
    discounts: Sequence[Discount] = (),
) -> Totals:
    """Return the totals of lines, given the customer's balance in their currency. Credit never exceeds the gross.

    `discounts` are those that apply, in their order.
    """
    unit = currency(code)
    tax = tax or TaxTerms()
    amounts = [line.amount for line in lines]
    subtotal = round_to_minor_unit(total(amounts), unit)
    applied_discounts = apply_discounts(amounts, discounts, unit)
    after = amounts_after(amounts, applied_discounts)
    taxes: tuple[TaxSubtotal, ...] = ()
    if tax.rate != NO_TAX:
        taxes = tax_subtotals([TaxedAmount(amount, tax.rate) for amount in after], unit, is_included=tax.is_included)
    reduced = subtract(subtotal, total(each.amount for each in applied_discounts))
    gross = reduced if tax.is_included else add(reduced, total(each.tax for each in taxes))
    applied = min(max(gross, ZERO), max(balance, ZERO))
    # Not `-gross`: an operator rounds to the 28 digits of the interpreter's own context.
    granted = subtract(ZERO, gross) if gross < 0 else ZERO
    return Totals(subtotal, applied_discounts, taxes, gross, applied, granted, subtract(max(gross, ZERO), applied))
