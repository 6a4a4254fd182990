"""Lines for recurring charges and prepaid units: for a period, for a part of one, and for a change within one."""

from collections.abc import Iterator
from decimal import Decimal

from lotus_server.domain.catalog import Proration, Timing
from lotus_server.domain.invoicing.invoice import BillingType, InvoiceLine
from lotus_server.domain.invoicing.items import Item, charged_items
from lotus_server.domain.invoicing.lines import line_of
from lotus_server.domain.invoicing.parts import divided
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.rating import Rated, Step, prorate, share_of, share_text
from lotus_server.domain.subscriptions import (
    QuantityChange,
    changes_within,
    charged_quantity_before,
    held_quantities,
    is_charged_at,
    is_charged_within,
)
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ONE, plain, subtract


def charges_in_advance(terms: Terms, period: Period) -> tuple[InvoiceLine, ...]:
    """Return a line for each item that is due before a period begins, with the quantity that it has then.

    There is none for a period that begins within a pause that is not charged.
    """
    if not is_charged_at(terms.subscription, period.start):
        return ()
    items = charged_items(terms, period)
    return tuple(advance_line(terms, item, period) for item in items if item.timing is Timing.IN_ADVANCE)


def charges_in_arrears(terms: Terms, period: Period) -> tuple[InvoiceLine, ...]:
    """Return a line for each item that is due when a period is over, for the quantities that were held in it.

    There is none for a period that lies within a pause that is not charged.
    """
    if not is_charged_within(terms.subscription, period):
        return ()
    items = charged_items(terms, period)
    return tuple(held_line(terms, item, period) for item in items if item.timing is Timing.IN_ARREARS)


def pending_changes(terms: Terms, opened: Period) -> tuple[InvoiceLine, ...]:
    """Return a line for each change of quantity in a period that was invoiced in advance and not for the change yet."""
    return tuple(line for change, line in _change_lines(terms, opened) if not change.is_invoiced)


def invoiced_changes(terms: Terms, opened: Period) -> tuple[InvoiceLine, ...]:
    """Return the lines of the changes of quantity in a period that had an invoice of their own."""
    return tuple(line for change, line in _change_lines(terms, opened) if change.is_invoiced)


def _change_lines(terms: Terms, opened: Period) -> Iterator[tuple[QuantityChange, InvoiceLine]]:
    for item in charged_items(terms, opened):
        if item.timing is Timing.IN_ADVANCE:
            for change, line in change_lines(terms, item, opened):
                if line is not None:
                    yield change, line


def advance_line(terms: Terms, item: Item, period: Period) -> InvoiceLine:
    """Return the line of an item for a period as it is when the period begins."""
    quantity = charged_quantity_before(terms.subscription, item.key, period.start, item.default)
    return _line(terms, item, _held(terms, item, ((period, quantity),)), period, quantity)


def held_line(terms: Terms, item: Item, period: Period) -> InvoiceLine:
    """Return the line of an item for the quantities held in a period or a part of one.

    Each quantity costs its share of the whole period, in the version's unit. Without proration the greatest
    quantity costs a whole period.
    """
    parts = held_quantities(terms.subscription, item.key, period, item.default)
    return _line(terms, item, _held(terms, item, parts), period, parts[-1][1])


def change_lines(terms: Terms, item: Item, opened: Period) -> Iterator[tuple[QuantityChange, InvoiceLine | None]]:
    """Yield each change of what is charged within a period that was invoiced in advance, with the line of it.

    The line is null when the change comes to nothing. The difference is due, or comes back, for the rest of the period.
    Without proration only what goes beyond the greatest quantity of the period so far is due, in full, and nothing
    comes back.
    """
    if terms.subscription.is_trial_at(opened.start):
        return
    before: tuple[Decimal, ...] = (charged_quantity_before(terms.subscription, item.key, opened.start, item.default),)
    for change in changes_within(terms.subscription, item.key, opened, item.default):
        yield change, _change_line(terms, item, change, before, opened)
        before = (change.quantity, *before)


def _change_line(
    terms: Terms, item: Item, change: QuantityChange, before: tuple[Decimal, ...], opened: Period
) -> InvoiceLine | None:
    """Return the line of a change; `before` has the quantities of the period before it, the latest first."""
    rest = Period(change.effective_at, opened.end)
    if item.proration is Proration.FULL:
        before = max(before, key=lambda quantity: (item.whole(quantity).amount, quantity)), *before
    difference = subtract(item.whole(change.quantity).amount, item.whole(before[0]).amount)
    text = f"{item.of}: from {plain(before[0])} to {plain(change.quantity)}, {plain(difference)}"
    if item.proration is Proration.FULL:
        if difference <= 0:
            return None
        rated = Rated(difference, (Step(f"{text} in full", None, None, difference),))
    else:
        (part,), whole = divided(terms, (rest,))
        due = share_of(difference, part=part, whole=whole)
        taken = "the whole period" if part == whole else share_text(part=part, whole=whole)
        rated = Rated(due, (Step(f"{text} x {taken}", None, None, due),))
    line = _line(terms, item, rated, rest, change.quantity)
    return None if not line.exact_amount else line


def _held(terms: Terms, item: Item, parts: tuple[tuple[Period, Decimal], ...]) -> Rated:
    if item.proration is Proration.FULL:
        return max((item.whole(quantity) for _, quantity in parts), key=lambda rated: rated.amount)
    counted, whole = divided(terms, [part for part, _ in parts])
    held = [(part, quantity) for part, (_, quantity) in zip(counted, parts, strict=True)]
    lasting = [each for each in held if each[0].microseconds] or held[-1:]
    if len(lasting) == 1:
        part, quantity = lasting[0]
        rated = item.whole(quantity)
        of = item.of if quantity == ONE or item.component is not None else f"{item.of}, {plain(quantity)}"
        return rated if part == whole else prorate(rated.amount, part=part, whole=whole, of=of)
    each = [
        prorate(item.whole(quantity).amount, part=part, whole=whole, of=f"{item.of}, {plain(quantity)}")
        for part, quantity in lasting
    ]
    return Rated(total(rated.amount for rated in each), tuple(step for rated in each for step in rated.steps))


def _line(terms: Terms, item: Item, rated: Rated, period: Period, quantity: Decimal) -> InvoiceLine:
    return line_of(
        terms,
        rated,
        name=item.name,
        kind=item.kind,
        billing_type=BillingType(item.timing.value),
        period=period,
        quantity=quantity,
        charge_id=item.charge_id,
        metric_id=None if item.component is None else item.component.metric_id,
    )
