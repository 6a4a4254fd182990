"""Price adjustments: a line of its own brings what a subscription's lines on an invoice come to where it should be."""

from collections.abc import Iterable
from decimal import Decimal

from lotus_server.domain.catalog import AdjustmentKind, PriceAdjustment
from lotus_server.domain.invoicing.draft import advance_lines
from lotus_server.domain.invoicing.invoice import BillingType, InvoiceLine, LineKind
from lotus_server.domain.invoicing.lines import line_of
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.rating import Rated, Step
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ONE, ZERO, add, multiply, plain, share, subtract

DEFAULT_NAME = "Price adjustment"
_HUNDREDTH = Decimal("0.01")


def adjusted(terms: Terms, lines: tuple[InvoiceLine, ...], *, opened: Period) -> tuple[InvoiceLine, ...]:
    """Return a version's lines on one invoice, and the line of its price adjustment, if that changes anything.

    What is charged and what is given back are adjusted apart. `percentage` adds so many percent to either. `fixed`
    adds its amount to what is charged, and never takes more off than that; `price_override` takes its place. Money
    given back for one of these was only charged in part: it is given back in the proportion in which the adjustment
    changes the charges in advance of `opened`, the period that they were invoiced for.
    """
    return _with(terms, lines, opened=opened, is_period=True)


def adjusted_change(terms: Terms, lines: tuple[InvoiceLine, ...], *, opened: Period) -> tuple[InvoiceLine, ...]:
    """Return the lines of an invoice for a change within a period, and the line of the price adjustment.

    The fixed amount, or the one that takes the place of others, is on the invoices of periods and not on this one too.
    """
    return _with(terms, lines, opened=opened, is_period=False)


def adjusted_usage(terms: Terms, lines: tuple[InvoiceLine, ...]) -> tuple[InvoiceLine, ...]:
    """Return the lines of usage that is invoiced within a period, and the line of a percentage, if there is one.

    An amount that is added is on the invoice at the end of the period.
    """
    adjustment = terms.version.price_adjustment
    if adjustment is None or adjustment.kind is not AdjustmentKind.PERCENTAGE:
        return lines
    return _with(terms, lines, opened=terms.subscription.open_period, is_period=False)


def adjustment_base(adjustment: PriceAdjustment, amounts: Iterable[Decimal]) -> Decimal:
    """Return what of amounts a price adjustment looks at: all of them, or those that are charged and not given back."""
    is_percentage = adjustment.kind is AdjustmentKind.PERCENTAGE
    return total(amount for amount in amounts if is_percentage or amount > 0)


def adjustment_of(adjustment: PriceAdjustment, base: Decimal) -> Decimal:
    """Return by how much an adjustment changes an invoice with such a base, exact."""
    if adjustment.kind is AdjustmentKind.PERCENTAGE:
        return multiply(base, multiply(adjustment.amount, _HUNDREDTH))
    return _change(adjustment, base)


def _with(terms: Terms, lines: tuple[InvoiceLine, ...], *, opened: Period, is_period: bool) -> tuple[InvoiceLine, ...]:
    adjustment = terms.version.price_adjustment
    if adjustment is None or not lines:
        return lines
    if adjustment.kind is AdjustmentKind.PERCENTAGE:
        steps = _percentage(adjustment, lines)
    else:
        steps = (*(_charged(adjustment, lines) if is_period else ()), *_given_back(terms, adjustment, lines, opened))
    rated = Rated(total(step.amount for step in steps if step.amount is not None), steps)
    in_advance = all(line.billing_type is BillingType.IN_ADVANCE for line in lines)
    line = line_of(
        terms,
        rated,
        name=adjustment.name or DEFAULT_NAME,
        kind=LineKind.ADJUSTMENT,
        billing_type=BillingType.IN_ADVANCE if in_advance else BillingType.IN_ARREARS,
        period=Period(min(line.period.start for line in lines), max(line.period.end for line in lines)),
        quantity=ONE,
        charge_id=LineKind.ADJUSTMENT.value,
    )
    return (*lines, line) if line.amount else lines


def _percentage(adjustment: PriceAdjustment, lines: tuple[InvoiceLine, ...]) -> tuple[Step, ...]:
    factor = multiply(adjustment.amount, _HUNDREDTH)
    whole = total(line.amount for line in lines)
    return (Step(f"{plain(adjustment.amount)} % of {plain(whole)}", whole, factor, multiply(whole, factor)),)


def _charged(adjustment: PriceAdjustment, lines: tuple[InvoiceLine, ...]) -> tuple[Step, ...]:
    charged = total(line.amount for line in lines if line.amount > 0)
    if not charged and any(line.amount < 0 for line in lines):
        return ()
    amount = plain(adjustment.amount)
    text = f"{amount} on {plain(charged)}"
    if adjustment.kind is AdjustmentKind.OVERRIDE:
        text = f"{amount} instead of {plain(charged)}"
    elif add(charged, adjustment.amount) < 0:
        text = f"{text}, and not below 0"
    return (Step(text, amount=_change(adjustment, charged)),)


def _given_back(
    terms: Terms, adjustment: PriceAdjustment, lines: tuple[InvoiceLine, ...], opened: Period
) -> tuple[Step, ...]:
    """Return the step that takes off, of money given back, what had never been charged."""
    given_back = total(line.amount for line in lines if line.amount < 0)
    in_advance = total(line.amount for line in advance_lines(terms, opened))
    if not given_back or in_advance <= 0:
        return ()
    change = _change(adjustment, in_advance)
    paid = add(in_advance, change)
    back = plain(subtract(ZERO, given_back))
    text = f"of {back} that comes back, what was never charged: {plain(paid)} was, for {plain(in_advance)}"
    return (Step(text, amount=share(given_back, change, in_advance)),)


def _change(adjustment: PriceAdjustment, charged: Decimal) -> Decimal:
    """Return by how much a fixed adjustment or an override changes an amount that is not negative."""
    if adjustment.kind is AdjustmentKind.OVERRIDE:
        return subtract(adjustment.amount, charged)
    return max(adjustment.amount, subtract(ZERO, charged))
