"""What the expressions of random definitions mean, said in Python with fractions; nothing here reads an expression."""

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

Properties = dict[str, Any]
PLACES = 10**90


class NoValue(Exception):
    """The expression has no value for the event."""


def evaluate(expression: str, properties: Properties) -> object:
    """What an expression of `MEANINGS` computes from an event; None when it has no value."""
    try:
        return MEANINGS[expression](properties)
    except NoValue:
        return None


def _named(properties: Properties, name: str) -> Any:  # noqa: ANN401 - a JSON value
    if name not in properties:
        raise NoValue
    return properties[name]


def _number(value: object) -> Fraction:
    """A JSON number; a text that spells one is none within an expression."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise NoValue
    return Fraction(value)


def _of(properties: Properties, name: str) -> Fraction:
    return _number(_named(properties, name))


def _rounded(value: Fraction, scale: int = PLACES) -> Fraction:
    nearest = math.floor(abs(value) * scale + Fraction(1, 2))
    return Fraction(nearest if value >= 0 else -nearest, scale)


def _quotient(properties: Properties) -> Fraction:
    dividend, divisor = _of(properties, "p"), _of(properties, "q")
    if divisor == 0:
        raise NoValue
    return _rounded(dividend / divisor)


def _numbers(properties: Properties) -> list[Fraction]:
    found = [_number(each) for each in _named(properties, "l")]
    if not found:
        raise NoValue
    return found


def _as_double(value: object) -> Fraction:
    if not isinstance(value, str):
        return _number(value)
    try:
        exact = Fraction(str(Decimal(value.strip())))
    except (ArithmeticError, ValueError):
        raise NoValue from None
    if abs(exact) >= 10**30 or exact * 10**30 % 1:
        raise NoValue
    return exact


def _exists_or_many(properties: Properties) -> Fraction:
    """A side without a value is made up for by another that is true."""
    sides: list[bool | None] = []
    for side in (
        lambda: any(_number(each) > _of(properties, "q") for each in _named(properties, "l")),
        lambda: _named(properties, "f") == "many",
    ):
        try:
            sides.append(side())
        except NoValue:
            sides.append(None)
    if True in sides:
        return Fraction(1)
    if None in sides:
        raise NoValue
    return Fraction(0)


def _text(properties: Properties) -> str:
    value = _named(properties, "g")
    if isinstance(value, (str, int)):
        return str(value)
    raise NoValue


MEANINGS: dict[str, Callable[[Properties], Any]] = {
    "p": lambda event: _named(event, "p"),
    "p * 2 + q": lambda event: _of(event, "p") * 2 + _of(event, "q"),
    "p / q": _quotient,
    "(q + 1) / 3 * 7": lambda event: _rounded(_rounded((_of(event, "q") + 1) / 3) * 7),
    "has(p) ? p : q": lambda event: event["p"] if event.get("p") is not None else _named(event, "q"),
    'g == "x" ? q : -q': lambda event: _of(event, "q") * (1 if _named(event, "g") == "x" else -1),
    "l.map(x, x * x)[0]": lambda event: _numbers(event)[0] ** 2,
    "max(l) - min(l)": lambda event: max(_numbers(event)) - min(_numbers(event)),
    "round(double(p) / 7, 2)": lambda event: _rounded(_rounded(_as_double(_named(event, "p")) / 7), 100),
    'l.exists(x, x > q) || f == "many" ? 1 : 0': _exists_or_many,
    "string(g)": _text,
}
