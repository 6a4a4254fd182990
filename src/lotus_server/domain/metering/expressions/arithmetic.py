"""The values of expressions and what can be done with them, exactly.

A value is what JSON has: a number (always Decimal), a text, a boolean, null, a list or a map. Numbers have less than
60 digits before the decimal point and at most 90 after it; a product or quotient with more is rounded half-up there.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, Overflow
from typing import Any, Final

from lotus_server.kernel.quantity import QUOTIENT_PLACES

Value = Decimal | str | bool | list[Any] | dict[str, Any] | None

TEXT_LENGTH_MAX: Final = 10_000
LIST_LENGTH_MAX: Final = 10_000
DEPTH_MAX: Final = 20
# A product of two numbers of 60 + 90 digits has 300.
WIDE: Final = Context(prec=400, rounding=ROUND_HALF_UP, Emin=-999, Emax=999, traps=[InvalidOperation, Overflow])

_LIMIT: Final = Decimal(10) ** 60
_STEP: Final = Decimal(1).scaleb(-QUOTIENT_PLACES)


class Failure(Exception):
    """An expression has no value for an event: a property is missing, of the wrong type, or a result has no number."""


class Exhausted(Exception):
    """An evaluation took more steps than it may. No operator can make up for this."""


class Steps:
    """How much an evaluation may still cost."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        """Begin with what may be spent."""
        self.left = left

    def spend(self, steps: int) -> None:
        """Take steps off. Raises Exhausted when there are none left."""
        self.left -= steps
        if self.left < 0:
            raise Exhausted


def known(value: Any) -> Value:  # noqa: ANN401 - a JSON value
    """Return a value of an event as an expression knows it. Raises Failure for a number with too many digits."""
    kind = type(value)
    if kind is int:
        return bounded(Decimal(value))
    if kind is Decimal:
        bounded(value)
        if value.as_tuple().exponent < -QUOTIENT_PLACES:
            raise Failure
    return value  # type: ignore[no-any-return]


def bounded(number: Decimal) -> Decimal:
    """Return a number that is exact to 90 places. Raises Failure when it has too many digits before the point."""
    if -_LIMIT < number < _LIMIT:
        return number
    raise Failure


def _rounded(number: Decimal) -> Decimal:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return number if exponent >= -QUOTIENT_PLACES else WIDE.quantize(number, _STEP)


def add(left: Value, right: Value, steps: Steps) -> Value:
    """Return the sum of two numbers, or two texts or lists joined."""
    if type(left) is Decimal and type(right) is Decimal:
        return bounded(WIDE.add(left, right))
    if isinstance(left, str) and isinstance(right, str) and len(left) + len(right) <= TEXT_LENGTH_MAX:
        return left + right
    if isinstance(left, list) and isinstance(right, list) and len(left) + len(right) <= LIST_LENGTH_MAX:
        steps.spend(len(left) + len(right))
        return left + right
    raise Failure


def subtract(left: Value, right: Value, _: Steps) -> Value:
    """Return the difference of two numbers."""
    if type(left) is Decimal and type(right) is Decimal:
        return bounded(WIDE.subtract(left, right))
    raise Failure


def multiply(left: Value, right: Value, _: Steps) -> Value:
    """Return the product of two numbers."""
    if type(left) is Decimal and type(right) is Decimal:
        return _rounded(bounded(WIDE.multiply(left, right)))
    raise Failure


def divide(left: Value, right: Value, _: Steps) -> Value:
    """Return the quotient of two numbers; unlike in other languages that of whole numbers is not cut off."""
    if type(left) is Decimal and type(right) is Decimal and right:
        return _rounded(bounded(WIDE.divide(left, right)))
    raise Failure


def remainder(left: Value, right: Value, _: Steps) -> Value:
    """Return what whole parts leave over; it has the sign of the dividend."""
    if type(left) is Decimal and type(right) is Decimal and right:
        return WIDE.remainder(left, right)
    raise Failure


def negate(value: Value) -> Value:
    """Return the number of the other sign."""
    if type(value) is Decimal:
        return WIDE.minus(value)
    raise Failure


def order(left: Value, right: Value) -> int:
    """Return below, at or above zero as the left value is less, equal or greater. Raises Failure for two types."""
    for kind in (Decimal, str, bool):
        if isinstance(left, kind) and isinstance(right, kind):
            return (left > right) - (left < right)  # type: ignore[operator]
    raise Failure


def equal(left: Value, right: Value, steps: Steps, depth: int = 0) -> bool:
    """Tell whether two values are the same. Values of two types never are."""
    if isinstance(left, list) and isinstance(right, list):
        _enter(steps, depth, min(len(left), len(right)))
        return len(left) == len(right) and all(
            equal(known(mine), known(other), steps, depth + 1) for mine, other in zip(left, right, strict=True)
        )
    if isinstance(left, dict) and isinstance(right, dict):
        _enter(steps, depth, min(len(left), len(right)))
        return left.keys() == right.keys() and all(
            equal(known(mine), known(right[name]), steps, depth + 1) for name, mine in left.items()
        )
    return type(left) is type(right) and left == right


def _enter(steps: Steps, depth: int, members: int) -> None:
    if depth > DEPTH_MAX:
        raise Failure
    steps.spend(members)


def contains(member: Value, whole: Value, steps: Steps) -> bool:
    """Tell whether a list has an equal element, or a map the key."""
    if isinstance(whole, dict):
        return isinstance(member, str) and member in whole
    if isinstance(whole, list):
        steps.spend(len(whole))
        return any(equal(member, known(each), steps) for each in whole)
    raise Failure


def at_index(target: Value, key: Value) -> Value:
    """Return an element of a list by its number from zero, or a member of a map by its name."""
    if isinstance(target, dict) and isinstance(key, str) and key in target:
        return known(target[key])
    if isinstance(target, list) and type(key) is Decimal and 0 <= key < len(target) and key == int(key):
        return known(target[int(key)])
    raise Failure


OPERATORS: Final[dict[str, Callable[[Value, Value, Steps], Value]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
    "==": equal,
    "!=": lambda left, right, steps: not equal(left, right, steps),
    "<": lambda left, right, _: order(left, right) < 0,
    "<=": lambda left, right, _: order(left, right) <= 0,
    ">": lambda left, right, _: order(left, right) > 0,
    ">=": lambda left, right, _: order(left, right) >= 0,
    "in": contains,
}
