"""Credit notes: taking back an invoice or parts of it, tax included, to the minor unit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from lotus_server.domain.invoicing.discounts import AppliedDiscount, amounts_after
from lotus_server.domain.invoicing.invoice import Invoice
from lotus_server.domain.invoicing.taxes import NO_TAX, TaxedAmount, TaxRate, TaxSubtotal, net_amounts
from lotus_server.kernel.currencies import Currency, currency
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.money import round_to_minor_unit, total
from lotus_server.kernel.quantity import ZERO, add, plain, share, subtract


class CreditedLine(msgspec.Struct, frozen=True):
    """How much of a line (without tax, at the minor unit) is taken back; `line` is its place on the invoice."""

    line: int
    amount: Decimal


class CreditNoteAmounts(msgspec.Struct, frozen=True):
    """What a credit note comes to: `net` and the tax of each rate are rounded, and `total` is their sum."""

    lines: tuple[CreditedLine, ...]
    net: Decimal
    taxes: tuple[TaxSubtotal, ...]
    total: Decimal


class CreditNote(msgspec.Struct, frozen=True):
    """An issued credit note: it takes back a part of an invoice or all of it.

    Of its total, `reduced_due` was taken off what the invoice still had to be paid, and `credited` went to the
    customer's balance; together they are the total. `names` are those of the credited lines, in their order.
    """

    organization_id: str
    credit_note_id: str
    credit_note_number: str
    invoice_id: str
    customer_id: str
    currency: str
    issued_at: datetime
    reason: str
    amounts: CreditNoteAmounts
    names: tuple[str, ...]
    reduced_due: Decimal
    credited: Decimal


def nets_of(invoice: Invoice) -> tuple[TaxedAmount, ...]:
    """Return the lines of an invoice after discounts and without tax, with their rate."""
    rate = invoice.taxes[0].rate if invoice.taxes else NO_TAX
    amounts = [line.amount for line in invoice.lines]
    nets = net_line_amounts(
        amounts, invoice.discounts, rate, currency(invoice.currency), is_included=invoice.prices_include_tax
    )
    return tuple(TaxedAmount(net, rate) for net in nets)


def net_line_amounts(
    amounts: Sequence[Decimal],
    discounts: Sequence[AppliedDiscount],
    rate: TaxRate,
    unit: Currency,
    *,
    is_included: bool,
) -> tuple[Decimal, ...]:
    """Return what of each line is left after discounts and without the tax that prices may include."""
    lines = [TaxedAmount(amount, rate) for amount in amounts_after(amounts, discounts)]
    return net_amounts(lines, unit, is_included=is_included)


def credit_note_amounts(
    nets: Sequence[TaxedAmount],
    taxes: Sequence[TaxSubtotal],
    earlier: Sequence[CreditNoteAmounts],
    wanted: Sequence[CreditedLine],
    unit: Currency,
) -> CreditNoteAmounts:
    """Return what taking back parts of lines comes to.

    `nets` are the invoice's lines without tax and after discounts, `taxes` its tax, `earlier` the credit notes it has.
    The tax of a rate is what is due on everything credited of it, less what earlier notes credited: so notes that
    together take back the whole invoice take back exactly its tax. Raises Invalid for lines that do not exist, and for
    amounts that are not positive, finer than the minor unit, or more than what is left of a line.
    """
    _refuse_what_is_not_there(nets, earlier, wanted, unit)
    lines = tuple(line for line in wanted if line.amount)
    subtotals = tuple(
        _credited(subtotal, nets, earlier, lines, unit)
        for subtotal in taxes
        if any(nets[line.line].rate == subtotal.rate for line in lines)
    )
    net = total(line.amount for line in lines)
    return CreditNoteAmounts(lines, net, subtotals, add(net, total(subtotal.tax for subtotal in subtotals)))


def what_is_left(nets: Sequence[TaxedAmount], earlier: Sequence[CreditNoteAmounts]) -> tuple[CreditedLine, ...]:
    """Return the lines that can still be taken back, whole: what a full credit note credits."""
    credited = _credited_by_line(earlier)
    left = [(index, subtract(line.amount, credited.get(index, ZERO))) for index, line in enumerate(nets)]
    return tuple(CreditedLine(index, amount) for index, amount in left if amount)


def _credited(
    subtotal: TaxSubtotal,
    nets: Sequence[TaxedAmount],
    earlier: Sequence[CreditNoteAmounts],
    lines: Sequence[CreditedLine],
    unit: Currency,
) -> TaxSubtotal:
    rate = subtotal.rate
    base = total(line.amount for line in lines if nets[line.line].rate == rate)
    base_before, tax_before = _of_rate(earlier, rate)
    credited = add(base_before, base)
    # The last part takes what is left, which the rate alone could miss by a minor unit where prices include tax.
    due = subtotal.tax if credited == subtotal.base else round_to_minor_unit(_tax_on(credited, rate), unit)
    return TaxSubtotal(rate, base, subtract(due, tax_before))


def _tax_on(base: Decimal, rate: TaxRate) -> Decimal:
    return share(base, rate.percent, Decimal(100))


def _of_rate(notes: Sequence[CreditNoteAmounts], rate: TaxRate) -> tuple[Decimal, Decimal]:
    found = [subtotal for note in notes for subtotal in note.taxes if subtotal.rate == rate]
    return total(subtotal.base for subtotal in found), total(subtotal.tax for subtotal in found)


def _credited_by_line(notes: Sequence[CreditNoteAmounts]) -> Mapping[int, Decimal]:
    credited: dict[int, Decimal] = {}
    for note in notes:
        for line in note.lines:
            credited[line.line] = add(credited.get(line.line, ZERO), line.amount)
    return credited


def _refuse_what_is_not_there(
    nets: Sequence[TaxedAmount], earlier: Sequence[CreditNoteAmounts], wanted: Sequence[CreditedLine], unit: Currency
) -> None:
    problems = Problems()
    left = {line.line: line.amount for line in what_is_left(nets, earlier)}
    for place, line in enumerate(wanted):
        field = f"lines[{place}]"
        if not 0 <= line.line < len(nets):
            problems.add(f"{field}.line", "invalid", f"The invoice has no line {line.line}.")
            continue
        if line.amount != round_to_minor_unit(line.amount, unit):
            problems.add(f"{field}.amount", "too_fine", f"An amount in {unit.code} has {unit.exponent} decimal places.")
        rest = left.get(line.line, ZERO)
        # A line below zero is itself a credit: what is taken back of it lies between it and zero.
        low, high = min(rest, ZERO), max(rest, ZERO)
        if not low <= line.amount <= high or not line.amount:
            detail = f"Of line {line.line}, {plain(rest)} is left to be credited."
            problems.add(f"{field}.amount", "more_than_is_left", detail)
        left[line.line] = subtract(rest, line.amount)
    problems.raise_if_any()
