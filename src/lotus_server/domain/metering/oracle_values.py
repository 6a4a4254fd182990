"""What the oracle reads in one event, spelt out a second time: properties, numbers, texts, filters and values.

Written from the definition with fractions, so that it shares nothing with what it judges. Only an expression is
computed by whatever it is given; the tests give it functions that say in Python what an expression means.
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from lotus_server.domain.metering.definition import Aggregation, Filter, MetricDefinition, Operator

Evaluate = Callable[[str, dict[str, Any]], Any]
"""What an expression computes from properties: a number (Decimal or Fraction), a text, another JSON value, or None."""

_BOUND: Final = 10**30
_WRITTEN: Final = re.compile(r"[+-]?(?P<whole>[0-9]*)(?:\.(?P<places>[0-9]*))?(?:[eE](?P<power>[+-]?[0-9]{1,3}))?")


def reach(properties: dict[str, Any], name: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return the property of this very name, or else the one that its dots lead to; None when there is none."""
    if name in properties:
        return properties[name]
    steps = name.split(".")
    for count in range(1, len(steps)):
        inner = properties.get(".".join(steps[:count]))
        value = reach(inner, ".".join(steps[count:])) if isinstance(inner, dict) else None
        if value is not None:
            return value
    return None


def number(value: object) -> Fraction | None:
    """Return what a number, or a text that spells one, is; None beyond 30 digits before or after the point.

    Digits are counted as they are written, zeros too: `0e30` is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        return None
    written = str(value).strip()
    parts = _WRITTEN.fullmatch(written)
    if parts is None or not (parts["whole"] or parts["places"]) or len(written) > 80:
        return None
    places = len(parts["places"] or "") - int(parts["power"] or 0)
    exact = Fraction(written.rstrip(".") if parts["power"] is None else str(Decimal(written)))
    return exact if abs(exact) < _BOUND and -30 < places <= 30 else None


def text(value: object) -> str | None:
    """Return how a text, number or boolean is written: each number in one way only."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, (int, Decimal, Fraction)):
        return value if isinstance(value, str) else None
    exact, places = Fraction(value), 0
    while exact.denominator != 1:
        exact, places = exact * 10, places + 1
    digits = str(abs(exact.numerator)).rjust(places + 1, "0")
    point = len(digits) - places
    return ("-" if exact < 0 else "") + digits[:point] + ("." + digits[point:] if places else "")


def group_of(names: tuple[str, ...], properties: dict[str, Any]) -> str:
    """Return the key of a group: the texts of its properties as a JSON list; nothing for no names."""
    texts = [text(reach(properties, name)) for name in names]
    return json.dumps(texts, ensure_ascii=False, separators=(",", ":")) if names else ""


def is_let_through(condition: Filter, properties: dict[str, Any]) -> bool:
    """Tell whether a filter holds: a missing property is not equal to anything, and in no order to anything."""
    value, wanted = reach(properties, condition.property), condition.value
    several = wanted if isinstance(wanted, tuple) else (wanted,)
    match condition.operator:
        case Operator.EXISTS:
            return value is not None
        case Operator.NOT_EXISTS:
            return value is None
        case Operator.EQ | Operator.IN:
            return any(_is_same(value, each) for each in several)
        case Operator.NE | Operator.NOT_IN:
            return not any(_is_same(value, each) for each in several)
    exact = number(value)
    if exact is None or not isinstance(wanted, Decimal):
        return False
    bound = Fraction(wanted)
    is_in_order = {
        Operator.GT: exact > bound,
        Operator.GTE: exact >= bound,
        Operator.LT: exact < bound,
        Operator.LTE: exact <= bound,
    }
    return is_in_order[condition.operator]


def _is_same(value: object, wanted: object) -> bool:
    if text(value) is None:
        return False
    is_equal_number = isinstance(wanted, Decimal) and number(value) == Fraction(wanted)
    return is_equal_number or text(value) == text(wanted)


def taken(definition: MetricDefinition, properties: dict[str, Any], evaluate: Evaluate) -> Fraction | str | None:
    """Return what an event gives: 1 to be counted, a text to be told apart, else a number; None when unusable."""
    if definition.aggregation is Aggregation.COUNT:
        return Fraction(1)
    if definition.expression is None:
        assert definition.property_name is not None
        value = reach(properties, definition.property_name)
    else:
        value = evaluate(definition.expression, properties)
    if definition.aggregation is Aggregation.UNIQUE:
        return text(value)
    if definition.expression is not None and isinstance(value, (Decimal, Fraction)):
        exact = Fraction(value)
        return exact if abs(exact) < _BOUND else None  # a quotient may have more than 30 places
    return number(value)
