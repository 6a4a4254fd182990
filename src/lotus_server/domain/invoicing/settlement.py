"""What the recurring charges of a period come to when the period is cut short by a cancellation."""

from enum import StrEnum

import msgspec

from lotus_server.domain.catalog import Proration, Timing
from lotus_server.domain.invoicing.charge_lines import advance_line, change_lines, held_line, pending_changes
from lotus_server.domain.invoicing.invoice import InvoiceLine
from lotus_server.domain.invoicing.items import Item, charged_items
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.rating import Rated, Step
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO, subtract


class FlatFeeBehavior(StrEnum):
    """What a cancellation does to the recurring charges of the open period.

    `as_invoiced`: charges in advance stay as they were invoiced, charges in arrears are due by their own proration
    rule. `own`: every charge is due by its own proration rule. `refund`: none is due. `charge_prorated`: the time
    held is due. `charge_full`: the whole period is due. What was invoiced in advance beyond what is due comes back as
    a negative line. Prepaid units are charges in advance.
    """

    AS_INVOICED = "as_invoiced"
    OWN = "own"
    REFUND = "refund"
    CHARGE_PRORATED = "charge_prorated"
    CHARGE_FULL = "charge_full"


def settled_charge_lines(
    terms: Terms, *, opened: Period, held: Period, behavior: FlatFeeBehavior
) -> tuple[InvoiceLine, ...]:
    """Return a line per charge whose due part differs from what was invoiced in advance.

    `opened` is the period as it was opened (and invoiced in advance), `held` its part up to the cancellation. Changes
    of quantity that were not invoiced yet are part of it.
    """
    lines = [
        _settled(terms, item, opened=opened, held=held, behavior=behavior) for item in charged_items(terms, opened)
    ]
    changes = pending_changes(terms, opened) if behavior is FlatFeeBehavior.AS_INVOICED else ()
    return (*(line for line in lines if line is not None), *changes)


def _settled(
    terms: Terms, item: Item, *, opened: Period, held: Period, behavior: FlatFeeBehavior
) -> InvoiceLine | None:
    is_in_advance = item.timing is Timing.IN_ADVANCE
    if is_in_advance and behavior is FlatFeeBehavior.AS_INVOICED:
        return None
    by_rule = msgspec.structs.replace(item, proration=_rule(item, behavior))
    due = held_line(terms, by_rule, _due_period(opened, held, behavior))
    due = _nothing_due(due) if behavior is FlatFeeBehavior.REFUND else due
    if not is_in_advance:
        return due if due.amount or behavior is not FlatFeeBehavior.REFUND else None
    invoiced = (advance_line(terms, item, opened), *_invoiced_changes(terms, item, opened))
    if due.amount == total(line.amount for line in invoiced):
        return None
    return _difference(due, invoiced, opened=opened, held=held)


def _invoiced_changes(terms: Terms, item: Item, opened: Period) -> tuple[InvoiceLine, ...]:
    return tuple(line for change, line in change_lines(terms, item, opened) if change.is_invoiced and line is not None)


def _rule(item: Item, behavior: FlatFeeBehavior) -> Proration:
    if behavior is FlatFeeBehavior.CHARGE_PRORATED:
        return Proration.PRORATE
    return item.proration


def _due_period(opened: Period, held: Period, behavior: FlatFeeBehavior) -> Period:
    return opened if behavior is FlatFeeBehavior.CHARGE_FULL else held


def _nothing_due(line: InvoiceLine) -> InvoiceLine:
    nothing = Rated(ZERO, (Step("Refunded: nothing of this period is due", amount=ZERO),))
    return msgspec.structs.replace(line, exact_amount=nothing.amount, amount=nothing.amount, steps=nothing.steps)


def _difference(due: InvoiceLine, invoiced: tuple[InvoiceLine, ...], *, opened: Period, held: Period) -> InvoiceLine:
    """Return the line that takes back what was invoiced beyond what is due, or adds what is missing.

    All sides are rounded, so they sum to the due part.
    """
    before = total(line.amount for line in invoiced)
    amount = subtract(due.amount, before)
    steps = (
        Step("Due for the time held", amount=due.amount),
        Step("Invoiced in advance for the whole period", amount=subtract(ZERO, before)),
    )
    unused = Period(max(held.end, opened.start), opened.end)
    return msgspec.structs.replace(
        invoiced[0], name=f"{invoiced[0].name} (unused)", period=unused, exact_amount=amount, amount=amount, steps=steps
    )
