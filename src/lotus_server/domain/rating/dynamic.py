"""Dynamic: the events say themselves what they cost."""

from decimal import Decimal

from lotus_server.domain.catalog import Dynamic
from lotus_server.domain.rating.lines import Step
from lotus_server.kernel.quantity import EXACT, ONE, ZERO, plain, readable


def dynamic_steps(price: Dynamic, amount: Decimal, skipped: int, steps: list[Step]) -> None:
    """Append the step of the sum (not negative) of the amounts that the events name.

    Events that name none, of which there are `skipped`, are told in a step of their own.
    """
    what = f"{price.amount_property} of the events: {readable(amount)}"
    text = what if price.multiplier == ONE else f"{what} x {plain(price.multiplier)}"
    steps.append(Step(text, amount, price.multiplier, EXACT.multiply(amount, price.multiplier)))
    if skipped:
        events = "1 event has" if skipped == 1 else f"{skipped} events have"
        costs = "costs" if skipped == 1 else "cost"
        steps.append(Step(f"{events} no number in {price.amount_property} and {costs} nothing", None, None, ZERO))
