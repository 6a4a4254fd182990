"""Whether an event counts for a metric: all filters must hold."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from lotus_server.domain.metering.definition import Filter, Operator, PropertyMatch
from lotus_server.domain.metering.properties import Properties, as_number, as_text, lookup

Test = Callable[[Properties], bool]


def holds(condition: Filter, properties: Properties) -> bool:
    """Tell whether one filter lets an event through.

    A missing property passes `ne`, `not_in` and `not_exists` and fails everything else. `eq`, `ne`, `in` and `not_in`
    compare with a number by value and with anything else as texts, equal numbers having one text; the order operators
    compare numbers and fail on anything else. A text that spells a number is one wherever a number is asked for.
    """
    value = lookup(properties, condition.property)
    match condition.operator:
        case Operator.EXISTS:
            return value is not None
        case Operator.NOT_EXISTS:
            return value is None
        case Operator.EQ | Operator.IN:
            return _is_one_of(value, condition)
        case Operator.NE | Operator.NOT_IN:
            return not _is_one_of(value, condition)
        case _:
            return _in_order(condition, as_number(value))


def _is_one_of(value: Any, condition: Filter) -> bool:  # noqa: ANN401 - a JSON value
    text = as_text(value)
    if text is None:
        return False
    wanted = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    if any(text == as_text(each) for each in wanted):
        return True
    if not isinstance(value, str):
        return False  # a number has one text, so it was compared by its value
    number = as_number(value)
    return number is not None and any(isinstance(each, Decimal) and number == each for each in wanted)


def _in_order(condition: Filter, number: Decimal | None) -> bool:
    bound = condition.value
    if number is None or not isinstance(bound, Decimal):
        return False
    match condition.operator:
        case Operator.GT:
            return number > bound
        case Operator.GTE:
            return number >= bound
        case Operator.LT:
            return number < bound
        case _:
            return number <= bound


def compile_filters(filters: tuple[Filter, ...], matches: tuple[PropertyMatch, ...]) -> Test | None:
    """Return one test for all conditions, or None when there are none, so that the hot path can skip the call."""
    if not filters and not matches:
        return None

    def passes(properties: dict[str, Any]) -> bool:
        return all(holds(condition, properties) for condition in filters) and all(
            as_text(lookup(properties, match.property_name)) == match.value for match in matches
        )

    return passes
