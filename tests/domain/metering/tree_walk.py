"""Expressions evaluated a second time, obviously: by walking the tree with fractions.

A missing value is the exception Nothing. The limit on steps is not looked at: expressions and events here are small.
"""

# ruff: noqa: ANN401 - what an expression computes is any JSON value

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from lotus_server.domain.metering.expressions.syntax import (
    Binary,
    Call,
    Comprehension,
    Conditional,
    Has,
    Index,
    ListOf,
    Literal,
    MapOf,
    Name,
    Node,
    Select,
    Unary,
)

Scope = dict[str, Any]
PLACES = 10**90


class Nothing(Exception):
    """There is no value."""


def walk(node: Node, properties: dict[str, Any], scope: Scope) -> Any:
    """The value of a node: Fraction, str, bool, None, list or dict."""
    return _WALKERS[type(node)](node, properties, scope)


def as_fractions(value: Any) -> Any:
    """A JSON value, or the result of an expression, with fractions for numbers."""
    if isinstance(value, list):
        return [as_fractions(member) for member in value]
    if isinstance(value, dict):
        return {key: as_fractions(member) for key, member in value.items()}
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return Fraction(value)
    return value


def _require(condition: bool) -> None:
    if not condition:
        raise Nothing


def _is_number(*values: Any) -> bool:
    return all(isinstance(value, Fraction) for value in values)


def _number(value: Fraction) -> Fraction:
    """A result: rounded half away from zero at 90 places, and with less than 61 digits before the point."""
    _require(abs(value) < 10**60)
    return _half_up(value * PLACES) / PLACES


def _half_up(value: Fraction) -> Fraction:
    return Fraction(math.floor(abs(value) + Fraction(1, 2))) * (-1 if value < 0 else 1)


def _name(node: Name, properties: dict[str, Any], scope: Scope) -> Any:
    if node.name in scope:
        return scope[node.name]
    if node.name == "properties":
        return as_fractions(properties)
    _require(node.name in properties)
    return as_fractions(properties[node.name])


def _select(node: Select, properties: dict[str, Any], scope: Scope) -> Any:
    target = walk(node.target, properties, scope)
    _require(isinstance(target, dict) and node.field in target)
    return target[node.field]


def _index(node: Index, properties: dict[str, Any], scope: Scope) -> Any:
    target, key = walk(node.target, properties, scope), walk(node.key, properties, scope)
    if isinstance(target, dict):
        _require(isinstance(key, str) and key in target)
        return target[key]
    _require(isinstance(target, list) and _is_number(key) and key in range(len(target)))
    return target[int(key)]


def _map(node: MapOf, properties: dict[str, Any], scope: Scope) -> Any:
    pairs = [(walk(key, properties, scope), walk(value, properties, scope)) for key, value in node.entries]
    _require(all(isinstance(key, str) for key, _ in pairs) and len({key for key, _ in pairs}) == len(pairs))
    return dict(pairs)


def _has(node: Has, properties: dict[str, Any], scope: Scope) -> bool:
    """Along a path of names anything that is missing on the way is simply not there."""
    inner: Node = node.target
    while isinstance(inner, Select):
        inner = inner.target
    is_path = isinstance(inner, Name) and inner.name not in scope
    if not is_path and isinstance(node.target, Select):
        _require(isinstance(walk(node.target.target, properties, scope), dict))
    elif not is_path:
        return True
    try:
        return walk(node.target, properties, scope) is not None
    except Nothing:
        return False


def _unary(node: Unary, properties: dict[str, Any], scope: Scope) -> Any:
    value = walk(node.operand, properties, scope)
    if node.operator == "!":
        _require(isinstance(value, bool))
        return not value
    _require(_is_number(value))
    return -value


def _binary(node: Binary, properties: dict[str, Any], scope: Scope) -> Any:
    if node.operator in {"&&", "||"}:
        return _logical(node, properties, scope)
    left, right = walk(node.left, properties, scope), walk(node.right, properties, scope)
    match node.operator:
        case "==" | "!=":
            return _same(left, right) == (node.operator == "==")
        case "in":
            _require(isinstance(right, (list, dict)))
            return any(_same(left, member) for member in right)
        case "<" | "<=" | ">" | ">=":
            _require(type(left) is type(right) and isinstance(left, (Fraction, str, bool)))
            tests = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}
            return tests[node.operator]
        case "+" if type(left) is type(right) and isinstance(left, (str, list)):
            return left + right
    _require(_is_number(left, right))
    match node.operator:
        case "+":
            return _number(left + right)
        case "-":
            return _number(left - right)
        case "*":
            return _number(left * right)
    _require(right != 0)
    if node.operator == "/":
        return _number(left / right)
    rest = abs(left) - abs(right) * math.floor(abs(left) / abs(right))
    return rest if left >= 0 else -rest


def _logical(node: Binary, properties: dict[str, Any], scope: Scope) -> bool:
    sides: list[Any] = []
    for side in (node.left, node.right):
        try:
            sides.append(walk(side, properties, scope))
        except Nothing:
            sides.append(None)
    deciding = node.operator == "||"
    if any(side is deciding for side in sides):
        return deciding
    _require(all(side is (not deciding) for side in sides))
    return not deciding


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return type(left) is type(right) and bool(left == right)


def _conditional(node: Conditional, properties: dict[str, Any], scope: Scope) -> Any:
    condition = walk(node.condition, properties, scope)
    _require(isinstance(condition, bool))
    return walk(node.yes if condition else node.no, properties, scope)


def _comprehension(node: Comprehension, properties: dict[str, Any], scope: Scope) -> Any:
    values = walk(node.range, properties, scope)
    _require(isinstance(values, (list, dict)))

    def each(body: Node, value: Any) -> Any:
        return walk(body, properties, {**scope, node.variable: value})

    def is_true(body: Node, value: Any) -> bool:
        truth = each(body, value)
        _require(isinstance(truth, bool))
        return bool(truth)

    chosen = list(values)
    if node.condition is not None:
        condition = node.condition
        chosen = [value for value in values if is_true(condition, value)]
    match node.macro:
        case "map":
            return [each(node.body, value) for value in chosen]
        case "filter":
            return [value for value in chosen if is_true(node.body, value)]
        case "exists_one":
            return [is_true(node.body, value) for value in chosen].count(True) == 1
    truths: list[Any] = []
    for value in chosen:
        try:
            truths.append(each(node.body, value))
        except Nothing:
            truths.append(None)
    deciding = node.macro == "exists"
    if any(truth is deciding for truth in truths):
        return deciding
    _require(all(truth is (not deciding) for truth in truths))
    return not deciding


def _call(node: Call, properties: dict[str, Any], scope: Scope) -> Any:
    arguments = [walk(argument, properties, scope) for argument in node.arguments]
    return _FUNCTIONS[node.function](*arguments)


def _size(value: Any) -> Fraction:
    _require(isinstance(value, (str, list, dict)))
    return Fraction(len(value))


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Fraction):
        whole, rest = divmod(abs(value) * PLACES, PLACES)
        places = str(int(rest)).zfill(90).rstrip("0")
        return ("-" if value < 0 else "") + str(int(whole)) + (f".{places}" if places else "")
    _require(isinstance(value, str))
    return str(value)


def _to_number(value: Any) -> Fraction:
    if isinstance(value, str):
        try:
            return Fraction(Decimal(value))
        except ArithmeticError:
            raise Nothing from None
    _require(_is_number(value))
    return Fraction(value)


def _int(value: Any) -> Fraction:
    number = _to_number(value)
    _require(not isinstance(value, str) or number.denominator == 1)
    return Fraction(math.trunc(number))


def _of_numbers(pick: Callable[[list[Fraction]], Fraction]) -> Callable[..., Fraction]:
    def call(*arguments: Any) -> Fraction:
        values = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], list) else list(arguments)
        _require(bool(values) and _is_number(*values))
        return pick(values)

    return call


def _round(value: Any, places: Any = Fraction(0)) -> Fraction:
    _require(_is_number(value, places) and places in range(31))
    scale = 10 ** int(places)
    return Fraction(_half_up(value * scale), scale)


def _of_texts(test: Callable[[str, str], bool]) -> Callable[..., bool]:
    def call(whole: Any, part: Any) -> bool:
        _require(isinstance(whole, str) and isinstance(part, str))
        return test(whole, part)

    return call


def _of_number(function: Callable[[Fraction], Fraction | int]) -> Callable[..., Fraction]:
    def call(value: Any) -> Fraction:
        _require(_is_number(value))
        return Fraction(function(value))

    return call


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "size": _size,
    "string": _string,
    "int": _int,
    "double": _to_number,
    "decimal": _to_number,
    "min": _of_numbers(min),
    "max": _of_numbers(max),
    "abs": _of_number(abs),
    "ceil": _of_number(math.ceil),
    "floor": _of_number(math.floor),
    "round": _round,
    "startsWith": _of_texts(str.startswith),
    "endsWith": _of_texts(str.endswith),
    "contains": _of_texts(str.__contains__),
}

_WALKERS: dict[type, Callable[..., Any]] = {
    Literal: lambda node, _, __: as_fractions(node.value),
    Name: _name,
    Select: _select,
    Index: _index,
    ListOf: lambda node, properties, scope: [walk(item, properties, scope) for item in node.items],
    MapOf: _map,
    Has: _has,
    Call: _call,
    Unary: _unary,
    Binary: _binary,
    Conditional: _conditional,
    Comprehension: _comprehension,
}
