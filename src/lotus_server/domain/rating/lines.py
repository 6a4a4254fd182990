"""What rating answers: an exact amount, and the steps that lead to it."""

from decimal import Decimal

import msgspec

from lotus_server.kernel.quantity import EXACT, ZERO, add, plain, readable, subtract


class Step(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One step of a calculation, readable on its own, in major units, not rounded.

    Where all three are given, `quantity` x `unit_price` = `amount`.
    """

    text: str
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    amount: Decimal | None = None


class Rated(msgspec.Struct, frozen=True, gc=False):
    """An amount in major units, exact, which is the sum of the amounts of its steps."""

    amount: Decimal
    steps: tuple[Step, ...]


def with_spend_limits(steps: list[Step], minimum: Decimal | None, maximum: Decimal | None) -> Rated:
    """Return the sum of the steps, lifted to the minimum or cut to the maximum spend by a step of its own.

    A minimum is due without any usage too.
    """
    amount = ZERO
    for step in steps:
        if step.amount is not None:
            amount = EXACT.add(amount, step.amount)
    if minimum is not None and amount < minimum:
        steps.append(Step(f"up to the minimum spend of {plain(minimum)}", None, None, subtract(minimum, amount)))
        amount = add(minimum, ZERO)
    if maximum is not None and amount > maximum:
        steps.append(Step(f"down to the maximum spend of {plain(maximum)}", None, None, subtract(maximum, amount)))
        amount = add(maximum, ZERO)
    return Rated(amount, tuple(steps))


def charged_quantity(quantity: Decimal, steps: list[Step]) -> Decimal:
    """Return a quantity as it is charged: one below zero is charged as zero and says so in a step of its own.

    More was taken back than used. What is owed to a customer for it belongs to the period in which that usage was
    charged, as a correction there.
    """
    if quantity < ZERO:
        steps.append(Step(f"a usage of {readable(quantity)} is charged as 0", quantity, None, ZERO))
    return ZERO if quantity.is_signed() else quantity


def units_text(units: Decimal) -> str:
    """Return a number of units as people say it: `1 unit`, `1.5 units`."""
    text = readable(units)
    return "1 unit" if text == "1" else f"{text} units"
