"""Usage that is invoiced in parts of a billing period: each invoice adds what is not on those before it.

What an invoice adds is the price of everything in the stretch so far less what was billed of it, both rounded. So the
invoices of a stretch come to what one invoice of it would, and late events are part of the next one.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from lotus_server.domain.invoicing.billed import BilledLine, BilledPeriod
from lotus_server.domain.invoicing.billed_period import (
    LineKey,
    Slice,
    key_of_billed,
    key_of_line,
)
from lotus_server.domain.invoicing.corrections import difference_line
from lotus_server.domain.invoicing.invoice import InvoiceLine, LineKind
from lotus_server.domain.invoicing.metered import Metered
from lotus_server.domain.invoicing.stretches import Stretch, stretch_lines
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.rating import Step
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO, subtract


def slice_of(
    terms: Terms,
    stretches: tuple[Stretch, ...],
    usages: Mapping[str, Metered],
    *,
    until: Mapping[str, datetime],
    before: BilledPeriod | None,
) -> Slice:
    """Return what stretches come to now beyond what was billed of them `before` (null: nothing was).

    What is going on has a line for each component or group, also for nothing; what was billed to its end has a
    correction, where it comes to something else by now.
    """
    counted = stretch_lines(terms, stretches, usages)
    billed = {} if before is None else _billed(before, until)
    found: list[tuple[LineKey, InvoiceLine]] = []
    for stretch, line in counted:
        key = key_of_line(line, stretch)
        was = billed.pop(key, None)
        added = _added(terms, stretch, line, was, before)
        if added is not None:
            found.append((key, added))
    if before is not None:
        gone = ((key, was) for key, was in billed.items() if was.amount)
        found += [(key, difference_line(terms, before, was, None)) for key, was in gone]
    return Slice(until, counted, tuple(line for _, line in found), tuple(key for key, _ in found), before)


def _billed(before: BilledPeriod, until: Mapping[str, datetime]) -> dict[LineKey, BilledLine]:
    """Return what was billed of the usage of components that are looked at."""
    return {
        key_of_billed(each): each for each in before.lines if each.kind is LineKind.USAGE and each.charge_id in until
    }


def _added(
    terms: Terms, stretch: Stretch, line: InvoiceLine, was: BilledLine | None, before: BilledPeriod | None
) -> InvoiceLine | None:
    """Return the line that an invoice has of something that comes to `line` by now, or null when it needs none."""
    if before is None:
        return line
    since = before.terms.invoiced_until.get(stretch.component.component_id)
    if stretch.is_over and since is not None and since >= stretch.period.end:
        is_same = line.amount == (ZERO if was is None else was.amount)
        return None if is_same else difference_line(terms, before, was, line)
    return line if was is None or since is None else _rest(line, was, since)


def _rest(line: InvoiceLine, was: BilledLine, since: datetime) -> InvoiceLine:
    """Return what a line adds to what was billed of it up to an instant."""
    less = subtract(ZERO, was.amount)
    step = Step("less what was invoiced of it before", was.quantity, None, less)
    measured = line.measured
    if measured is not None:
        measured = msgspec.structs.replace(measured, since=line.period.start, so_far=line.quantity)
    return msgspec.structs.replace(
        line,
        period=Period(max(line.period.start, since), line.period.end),
        quantity=subtract(line.quantity, was.quantity),
        exact_amount=subtract(line.exact_amount, was.amount),
        amount=subtract(line.amount, was.amount),
        steps=(*line.steps, step),
        measured=measured,
    )
