"""Dynamic: the events say themselves what they cost."""

from decimal import Decimal

from lotus_server.domain.catalog import Dynamic
from lotus_server.domain.rating.lines import Step
from lotus_server.kernel.quantity import EXACT, ONE, plain


def dynamic_steps(price: Dynamic, amount: Decimal, steps: list[Step]) -> None:
    """Append the step of the sum (not negative) of the amounts that the events name."""
    what = f"{price.amount_property} of the events: {plain(amount)}"
    text = what if price.multiplier == ONE else f"{what} x {plain(price.multiplier)}"
    steps.append(Step(text, amount, price.multiplier, EXACT.multiply(amount, price.multiplier)))
