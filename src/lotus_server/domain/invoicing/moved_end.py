"""What the move of an end comes to, within a period that was invoiced in advance to where it ended before."""

import msgspec

from lotus_server.domain.catalog import Timing
from lotus_server.domain.invoicing.charge_lines import advance_line, change_lines
from lotus_server.domain.invoicing.invoice import InvoiceLine
from lotus_server.domain.invoicing.items import Item, charged_items
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.rating import Step
from lotus_server.domain.subscriptions import Subscription, is_charged_at
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO, add, subtract


def moved_end_lines(terms: Terms, moved: Subscription) -> tuple[InvoiceLine, ...]:
    """Return a line for each item that costs more, or less, in advance now that the open period ends elsewhere.

    `terms` are those with the subscription as it was, `moved` is the subscription with the other end. A line is what
    the period comes to with that end less what was invoiced, both rounded: whatever the end was on the way, together
    they come to what the last one would have come to alone. Changes of quantities that wait for the next invoice are
    calculated then.
    """
    was, now = terms.subscription.open_period, moved.open_period
    after = msgspec.structs.replace(terms, subscription=moved)
    found = (
        _difference(_in_advance(after, item, now), _in_advance(terms, item, was), Period(*sorted((was.end, now.end))))
        for item in charged_items(terms, was)
        if item.timing is Timing.IN_ADVANCE
    )
    return tuple(line for line in found if line is not None)


def _in_advance(terms: Terms, item: Item, opened: Period) -> tuple[InvoiceLine, ...]:
    """Return what is invoiced of an item before a period is over, if it is open to an end."""
    changes = [line for change, line in change_lines(terms, item, opened) if change.is_invoiced and line is not None]
    if not is_charged_at(terms.subscription, opened.start):
        return tuple(changes)
    return advance_line(terms, item, opened), *changes


def _difference(due: tuple[InvoiceLine, ...], before: tuple[InvoiceLine, ...], period: Period) -> InvoiceLine | None:
    """Return the line of a period that is added, or taken away."""
    invoiced = total(line.amount for line in before)
    amount = subtract(total(line.amount for line in due), invoiced)
    if not amount:
        return None
    last = (due or before)[-1]
    whole = due[0].steps if len(due) == 1 else (Step("Due in advance to the new end", amount=add(amount, invoiced)),)
    steps = (*whole, Step("less what was invoiced in advance to the end before", amount=subtract(ZERO, invoiced)))
    return msgspec.structs.replace(
        last,
        name=(due or before)[0].name if amount > 0 else f"{(due or before)[0].name} (unused)",
        period=period,
        exact_amount=total(step.amount for step in steps if step.amount is not None),
        amount=amount,
        steps=steps,
    )
