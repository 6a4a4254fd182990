"""Prices in a pricing unit: what was rated in credits or tokens becomes money as the last step."""

from lotus_server.domain.catalog import Conversion
from lotus_server.domain.rating.lines import Rated, Step
from lotus_server.kernel.quantity import multiply, plain, readable


def in_money(rated: Rated, conversion: Conversion | None) -> Rated:
    """Return an amount in a pricing unit as money, exact; without a conversion it is money already.

    The steps that led to the amount in units say it in their text, so that the amounts of the steps still sum to the
    amount of money: that of the last step.
    """
    if conversion is None:
        return rated
    in_units = tuple(_in_units(step, conversion.unit) for step in rated.steps)
    amount = multiply(rated.amount, conversion.rate)
    text = f"{readable(rated.amount)} {conversion.unit} at {plain(conversion.rate)} each"
    return Rated(amount, (*in_units, Step(text, rated.amount, conversion.rate, amount)))


def _in_units(step: Step, unit: str) -> Step:
    if step.amount is None:
        return step
    return Step(f"{step.text} = {readable(step.amount)} {unit}", step.quantity)
