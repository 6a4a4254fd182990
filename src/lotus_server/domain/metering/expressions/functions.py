"""The functions that an expression can call."""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from typing import Final

import msgspec

from lotus_server.domain.metering.expressions.arithmetic import WIDE, Failure, Steps, Value, known
from lotus_server.kernel.quantity import ONE, ZERO, parse_decimal, plain

_PLACES_MAX: Final = 30
_ARGUMENTS_MAX: Final = 50


class Function(msgspec.Struct, frozen=True):
    """How a function is called, and what it does with its arguments.

    `is_free` ones are called as `f(a, b)`, `is_method` ones as `a.f(b)`; the target counts as an argument.
    """

    call: Callable[[list[Value], Steps], Value]
    arguments_min: int = 1
    arguments_max: int = 1
    is_free: bool = True
    is_method: bool = False


def _number(value: Value) -> Decimal:
    if type(value) is Decimal:
        return value
    raise Failure


def _size(arguments: list[Value], _: Steps) -> Value:
    value = arguments[0]
    if isinstance(value, str | list | dict):
        return Decimal(len(value))
    raise Failure


def _string(arguments: list[Value], _: Steps) -> Value:
    value = arguments[0]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, str):
        return value
    raise Failure


def _decimal(arguments: list[Value], _: Steps) -> Value:
    value = arguments[0]
    if isinstance(value, str):
        value = parse_decimal(value)
    return _number(value)


def _int(arguments: list[Value], _: Steps) -> Value:
    value = arguments[0]
    if not isinstance(value, str):
        return _number(value).to_integral_value(ROUND_DOWN)
    number = _number(parse_decimal(value))
    if number != number.to_integral_value(ROUND_DOWN):
        raise Failure
    return number


def _rounding(how: str) -> Callable[[list[Value], Steps], Value]:
    return lambda arguments, _: WIDE.plus(_number(arguments[0]).to_integral_value(how))


def _round(arguments: list[Value], _: Steps) -> Value:
    number = _number(arguments[0])
    places = _number(arguments[1]) if len(arguments) == 2 else ZERO
    if not 0 <= places <= _PLACES_MAX or places != int(places):
        raise Failure
    return WIDE.plus(WIDE.quantize(number, ONE.scaleb(-int(places))))


def _numbers(arguments: list[Value], steps: Steps) -> list[Decimal]:
    values = arguments
    if len(arguments) == 1 and isinstance(arguments[0], list):
        steps.spend(len(arguments[0]))
        values = [known(each) for each in arguments[0]]
    if not values:
        raise Failure
    return [_number(value) for value in values]


def _of_two_texts(test: Callable[[str, str], bool]) -> Function:
    def call(arguments: list[Value], _: Steps) -> Value:
        whole, part = arguments
        if isinstance(whole, str) and isinstance(part, str):
            return test(whole, part)
        raise Failure

    return Function(call, 2, 2, is_free=False, is_method=True)


FUNCTIONS: Final[dict[str, Function]] = {
    "size": Function(_size, is_method=True),
    "string": Function(_string),
    "int": Function(_int),
    "double": Function(_decimal),
    "decimal": Function(_decimal),
    "min": Function(lambda arguments, steps: min(_numbers(arguments, steps)), 1, _ARGUMENTS_MAX),
    "max": Function(lambda arguments, steps: max(_numbers(arguments, steps)), 1, _ARGUMENTS_MAX),
    "abs": Function(lambda arguments, _: WIDE.abs(_number(arguments[0]))),
    "ceil": Function(_rounding(ROUND_CEILING)),
    "floor": Function(_rounding(ROUND_FLOOR)),
    "round": Function(_round, 1, 2),
    "startsWith": _of_two_texts(str.startswith),
    "endsWith": _of_two_texts(str.endswith),
    "contains": _of_two_texts(str.__contains__),
}
