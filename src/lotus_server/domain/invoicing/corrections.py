"""Corrections: a period that was invoiced is rated again, and the difference becomes lines of a later invoice."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from lotus_server.domain.invoicing.adjustments import DEFAULT_NAME, adjustment_base, adjustment_of
from lotus_server.domain.invoicing.billed import BilledLine, BilledPeriod
from lotus_server.domain.invoicing.billed_period import (
    LineKey,
    billed_line,
    key_of_billed,
    key_of_line,
    usage_digest,
)
from lotus_server.domain.invoicing.commitment import commitment_beyond
from lotus_server.domain.invoicing.explanation import step_sentence
from lotus_server.domain.invoicing.invoice import BillingType, InvoiceLine, LineKind, LineReference
from lotus_server.domain.invoicing.metered import Metered
from lotus_server.domain.invoicing.stretches import stretch_lines, stretches_of
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.invoicing.usage_lines import usage_lines
from lotus_server.domain.rating import Step
from lotus_server.domain.subscriptions import usage_period
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.money import round_to_minor_unit, total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ONE, ZERO, add, plain, readable, subtract


class Correction(msgspec.Struct, frozen=True):
    """The lines that bring what was invoiced for a period to what it comes to, and the period as it is with them."""

    lines: tuple[InvoiceLine, ...]
    billed: BilledPeriod


def correct(terms: Terms, billed: BilledPeriod, usages: Mapping[str, Metered]) -> Correction | None:
    """Return the correction of a period for which the events now say `usages`; null when they say what they said.

    `terms` are those of the period's version and of the components that were billed. A thing whose amount stays the
    same has no line, also when its quantity differs. The price adjustment of the version is part of the difference.
    """
    digest = usage_digest(usages)
    if digest == billed.usage_digest:
        return None
    now = _lines_now(terms, billed, usages)
    before = {key_of_billed(each): each for each in billed.lines}
    kept: list[BilledLine] = []
    lines: list[InvoiceLine] = []
    for key in [*before, *(key for key in now if key not in before)]:
        was, line = before.get(key), now.get(key)
        amount_was = ZERO if was is None else was.amount
        if (ZERO if line is None else line.amount) == amount_was:
            # Its quantity may differ; the next line that it has counts from what was invoiced.
            kept += [] if was is None else [was]
            continue
        lines.append(difference_line(terms, billed, was, line))
        kept.append(_replaced(was, line, key[-1]))
    adjusted, adjustment = _adjustment(terms, billed, kept)
    corrected = msgspec.structs.replace(
        billed,
        lines=tuple(kept),
        usage_digest=digest,
        terms=msgspec.structs.replace(billed.terms, adjusted=adjusted),
    )
    return Correction((*lines, *adjustment), corrected)


def _lines_now(terms: Terms, billed: BilledPeriod, usages: Mapping[str, Metered]) -> dict[LineKey, InvoiceLine]:
    until = billed.terms.invoiced_until
    if until:
        counted = stretch_lines(terms, stretches_of(terms, billed.held, until), usages)
        lines = {key_of_line(line, stretch): line for stretch, line in counted}
    else:
        lines = {key_of_line(line): line for line in usage_lines(terms, billed.held, usages)}
    elsewhere = billed.terms.reached_elsewhere
    if elsewhere is not None:
        reached = add(elsewhere, total(line.amount for line in lines.values()))
        lines |= {key_of_line(line): line for line in commitment_beyond(terms, reached, held=billed.held)}
    return lines


def difference_line(
    terms: Terms, billed: BilledPeriod, was: BilledLine | None, line: InvoiceLine | None
) -> InvoiceLine:
    """Return the line for the difference of two rounded amounts, with how the new one comes about."""
    known = was or (None if line is None else billed_line(line, None))
    assert known is not None, "a difference has two sides, and one of them is there"
    name, metric_id = known.name if line is None else line.name, known.metric_id
    steps: tuple[Step, ...] = (Step("Now: nothing", ZERO, None, ZERO),)
    if line is not None:
        steps = (
            *(Step(step_sentence(step), step.quantity, None, None) for step in line.steps),
            Step(f"Now: {readable(line.quantity)} for {plain(line.amount)}", amount=line.amount),
        )
    amount_was, quantity_was = (ZERO, ZERO) if was is None else (was.amount, was.quantity)
    text = f"Invoiced so far, with {billed.invoice_number} and its corrections: {readable(quantity_was)}"
    steps = (*steps, Step(text, amount=subtract(ZERO, amount_was)))
    held = (None if was is None else was.held) or billed.held
    if line is not None:
        period = line.period
    else:
        period = held if metric_id is None else usage_period(terms.subscription, held, metric_id)
    return _line(
        terms,
        name,
        amount=subtract(ZERO if line is None else line.amount, amount_was),
        steps=steps,
        refers_to=billed.reference(was),
        period=period,
        quantity=subtract(ZERO if line is None else line.quantity, quantity_was),
        charge_id=known.charge_id,
        metric_id=metric_id,
        group=known.group,
        measured=None if line is None else line.measured,
    )


def _line(
    terms: Terms,
    name: str,
    *,
    amount: Decimal,
    steps: tuple[Step, ...],
    refers_to: LineReference,
    **rest: object,
) -> InvoiceLine:
    fields = {
        "kind": LineKind.CORRECTION,
        "billing_type": BillingType.IN_ARREARS,
        "exact_amount": amount,
        "amount": amount,
        "plan_id": terms.plan.plan_id,
        "version_id": terms.version.version_id,
        "steps": steps,
        "refers_to": refers_to,
    }
    return InvoiceLine(name=f"{name} (correction)", **fields, **rest)  # type: ignore[arg-type]


def _replaced(was: BilledLine | None, line: InvoiceLine | None, starts_at: datetime | None) -> BilledLine:
    """Return what is invoiced of a thing with its correction; it goes on referring to the original line."""
    if was is None:
        assert line is not None, "a difference has two sides, and one of them is there"
        held = None if starts_at is None else Period(starts_at, line.period.end)
        return msgspec.structs.replace(billed_line(line, None), held=held)
    if line is None:
        return msgspec.structs.replace(was, quantity=ZERO, amount=ZERO)
    return msgspec.structs.replace(was, name=line.name, quantity=line.quantity, amount=line.amount)


def _adjustment(terms: Terms, billed: BilledPeriod, kept: list[BilledLine]) -> tuple[Decimal, tuple[InvoiceLine, ...]]:
    """Return what the price adjustment is calculated from now, and the line for the difference that this makes."""
    adjustment = terms.version.price_adjustment
    if adjustment is None:
        return billed.terms.adjusted, ()
    more = adjustment_base(adjustment, (each.amount for each in kept))
    less = adjustment_base(adjustment, (each.amount for each in billed.lines))
    base = add(billed.terms.adjusted, subtract(more, less))
    unit = currency(terms.version.currency)
    now = round_to_minor_unit(adjustment_of(adjustment, base), unit)
    before = round_to_minor_unit(adjustment_of(adjustment, billed.terms.adjusted), unit)
    if now == before:
        return base, ()
    steps = (
        Step(f"Now, on {plain(base)}", amount=now),
        Step(f"So far, on {plain(billed.terms.adjusted)}", amount=subtract(ZERO, before)),
    )
    line = _line(
        terms,
        adjustment.name or DEFAULT_NAME,
        amount=subtract(now, before),
        steps=steps,
        refers_to=billed.reference(None),
        period=billed.held,
        quantity=ONE,
        charge_id=LineKind.ADJUSTMENT.value,
    )
    return base, (line,)
