"""What rating answers: an exact amount, and the steps that lead to it."""

from decimal import Decimal

import msgspec


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a calculation, readable on its own.

    `quantity` x `unit_price` = `amount`, in major units, not rounded.
    """

    text: str
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    amount: Decimal | None = None


class Rated(msgspec.Struct, frozen=True):
    """An amount in major units, exact, which is the sum of the amounts of its steps."""

    amount: Decimal
    steps: tuple[Step, ...]
