"""Percentage: a part of the amounts that events have, and a fee for each event beyond the free allowance."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from lotus_server.domain.catalog import Percentage, needs_event_count, needs_event_values
from lotus_server.domain.rating.lines import Step, charged_quantity
from lotus_server.domain.rating.percents import as_factor, events_text, free_amount, percent_charge
from lotus_server.domain.rating.usage import RatedUsage
from lotus_server.kernel.quantity import EXACT, ZERO, add, plain, readable, subtract


class _Events(msgspec.Struct):
    """Several events that are charged alike: their number, and the sum of what is charged of them."""

    count: int = 0
    amount: Decimal = ZERO

    def take(self, amount: Decimal) -> None:
        self.count += 1
        self.amount = EXACT.add(self.amount, amount)


def percentage_steps(price: Percentage, usage: RatedUsage, steps: list[Step]) -> None:
    """Append the steps of what is free, of the percentage and fees of the other events, and of their bounds.

    Free events and the bounds of an event need `usage.values`, and so does a free amount beside a fee; without them
    the sum, and for a fixed fee the number of events, are enough.
    """
    if not needs_event_values(price):
        assert usage.event_count is not None or not needs_event_count(price), "a fixed fee needs the number of events"
        _charge_sum(price, usage, steps)
        return
    assert usage.values is not None, "a price with an allowance or bounds per event needs the events' values"
    charged = list(_beyond_the_allowance(price, usage.values))
    if price.has_allowance:
        _show_allowance(usage.values, charged, steps)
        if not charged:
            return
    within, lifted, cut = _sorted_by_bounds(price, charged)
    if within.count or not charged:
        _charge(price, within, "the other " if price.has_allowance else "", steps)
    for events, bound, name in ((lifted, price.min_per_event, "minimum"), (cut, price.max_per_event, "maximum")):
        if events.count and bound is not None:
            count = Decimal(events.count)
            text = f"{events_text(events.count)} at the {name} of {plain(bound)}"
            steps.append(Step(text, count, bound, EXACT.multiply(count, bound)))


def _charge_sum(price: Percentage, usage: RatedUsage, steps: list[Step]) -> None:
    """Append the steps of the sum of all events; a free amount is the first part of it."""
    if not price.free_amount:
        _charge(price, _Events(usage.event_count or 0, usage.quantity), "", steps)
        return
    amount = charged_quantity(usage.quantity, steps)
    steps.append(free_amount("the first ", min(amount, price.free_amount)))
    if amount > price.free_amount:
        steps.append(percent_charge("the other ", subtract(amount, price.free_amount), price.rate_percent))


def _charge(price: Percentage, events: _Events, what: str, steps: list[Step]) -> None:
    amount = charged_quantity(events.amount, steps)
    if price.rate_percent or not price.fixed_fee:
        steps.append(percent_charge(what, amount, price.rate_percent))
    if price.fixed_fee:
        count = Decimal(events.count)
        text = f"fixed fee: {events_text(events.count)} x {plain(price.fixed_fee)}"
        steps.append(Step(text, count, price.fixed_fee, EXACT.multiply(count, price.fixed_fee)))


def _beyond_the_allowance(price: Percentage, values: Sequence[Decimal]) -> Iterator[Decimal]:
    """Yield what is charged of each event that is not wholly free.

    The allowance ends for good with the last free event, or when the free amount is used up, whichever comes first;
    of the event that goes beyond the free amount, the part beyond it is charged.
    """
    is_open, free_count, used = price.has_allowance, 0, ZERO
    for value in values:
        if not is_open:
            yield value
            continue
        reached = add(used, value)
        if price.free_events is not None and free_count >= price.free_events:
            is_open = False
            yield value
        elif price.free_amount is not None and reached > price.free_amount:
            is_open = False
            yield subtract(reached, price.free_amount)
        else:
            free_count, used = free_count + 1, reached
            is_open = price.free_amount is None or used < price.free_amount


def _show_allowance(values: Sequence[Decimal], charged: Sequence[Decimal], steps: list[Step]) -> None:
    free_count, amount = len(values) - len(charged), ZERO
    for value in values[:free_count]:
        amount = add(amount, value)
    part = subtract(values[free_count], charged[0]) if charged else ZERO
    amount = add(amount, part)
    events = f"{events_text(free_count)} and a part of the next" if part else events_text(free_count)
    steps.append(Step(f"the first {readable(amount)} free: {events}", amount, ZERO, ZERO))


def _sorted_by_bounds(price: Percentage, charged: Sequence[Decimal]) -> tuple[_Events, _Events, _Events]:
    """Return the events that cost what they come to, those lifted to the minimum, and those cut to the maximum."""
    within, lifted, cut = _Events(), _Events(), _Events()
    factor = as_factor(price.rate_percent)
    for value in charged:
        cost = EXACT.add(EXACT.multiply(value, factor), price.fixed_fee)
        if price.min_per_event is not None and cost < price.min_per_event:
            lifted.take(value)
        elif price.max_per_event is not None and cost > price.max_per_event:
            cut.take(value)
        else:
            within.take(value)
    return within, lifted, cut
