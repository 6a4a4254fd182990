"""Percentages of amounts."""

from decimal import Decimal

from lotus_server.domain.rating.lines import Step
from lotus_server.kernel.quantity import EXACT, ZERO, plain, readable


def as_factor(rate_percent: Decimal) -> Decimal:
    """Return what an amount is multiplied with: 1.3 % is 0.013, exactly."""
    return rate_percent.scaleb(-2, context=EXACT)


def percent_charge(what: str, amount: Decimal, rate_percent: Decimal) -> Step:
    """Return the step that charges a percentage of an amount; `what` comes first in its text."""
    factor = as_factor(rate_percent)
    text = f"{what}{readable(amount)} x {plain(rate_percent)} %"
    return Step(text, amount, factor, EXACT.multiply(amount, factor))


def free_amount(what: str, amount: Decimal) -> Step:
    """Return the step that charges nothing for an amount."""
    return Step(f"{what}{readable(amount)} free", amount, ZERO, ZERO)


def events_text(count: int) -> str:
    """Return a number of events as people say it: `1 event`, `2 events`."""
    return "1 event" if count == 1 else f"{count} events"
