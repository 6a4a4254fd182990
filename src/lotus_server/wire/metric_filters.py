"""Filters of a metric in JSON: ours, and the original system's numeric and categorical ones."""

from decimal import Decimal
from typing import Any, Final

from pydantic import Field

from lotus_server.domain.metering import Filter, FilterScalar, Operator
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.quantity import in_range, parse_decimal
from lotus_server.wire.forms import Form, Text, required

_ORDER: Final = {Operator.GT, Operator.GTE, Operator.LT, Operator.LTE}
_NUMERIC: Final = {operator.value: operator for operator in (*_ORDER, Operator.EQ)}
_CATEGORICAL: Final = {"isin": Operator.IN, "isnotin": Operator.NOT_IN}


class FilterForm(Form):
    """A condition on one property of an event."""

    property: Text = None
    operator: Text = Field(None, description=f"One of {', '.join(Operator)}.")
    value: Any = Field(None, description="A text, number or boolean; a list of them for `in` and `not_in`.")


class OriginalFilterForm(Form):
    """A condition in the form of the original system."""

    property_name: Text = None
    operator: Text = None
    comparison_value: Any = None


def read_filters(
    filters: list[FilterForm] | None,
    numeric: list[OriginalFilterForm] | None,
    categorical: list[OriginalFilterForm] | None,
    problems: Problems,
) -> tuple[Filter, ...]:
    """Return the filters of all three lists.

    One that stands in two of them, as in a metric that was shown, counts once.
    """
    found = [_filter(form, f"filters[{index}].", problems) for index, form in enumerate(filters or ())]
    found += _originals("numeric_filters", numeric, _NUMERIC, problems)
    found += _originals("categorical_filters", categorical, _CATEGORICAL, problems)
    return tuple(dict.fromkeys(found))


def _originals(
    field: str, forms: list[OriginalFilterForm] | None, operators: dict[str, Operator], problems: Problems
) -> list[Filter]:
    found = []
    for index, form in enumerate(forms or ()):
        path = f"{field}[{index}]."
        operator = operators.get(form.operator or "")
        if operator is None:
            known = ", ".join(operators)
            problems.add(f"{path}operator", "invalid_choice", f"operator must be one of {known}.")
            continue
        name = required(problems, f"{path}property_name", form.property_name)
        value = _value(form.comparison_value, operator, f"{path}comparison_value", problems)
        if operators is _NUMERIC and not isinstance(value, Decimal):
            problems.add(f"{path}comparison_value", "invalid_number", "comparison_value must be a number.")
            continue
        if operators is _CATEGORICAL and not isinstance(value, tuple):
            problems.add(f"{path}comparison_value", "invalid", "comparison_value must be a list.")
            continue
        found.append(Filter(name, operator, value))
    return found


def _filter(form: FilterForm, path: str, problems: Problems) -> Filter:
    name = required(problems, f"{path}property", form.property)
    if form.operator not in set(Operator):
        problems.add(f"{path}operator", "invalid_choice", f"operator must be one of {', '.join(Operator)}.")
        return Filter(name, Operator.EXISTS)
    operator = Operator(form.operator)
    if operator in {Operator.EXISTS, Operator.NOT_EXISTS}:
        return Filter(name, operator)
    return Filter(name, operator, _value(form.value, operator, f"{path}value", problems))


def _value(value: Any, operator: Operator, path: str, problems: Problems) -> Any:  # noqa: ANN401 - a JSON value
    """Return a filter's value: a scalar, or a tuple of them for a list."""
    if isinstance(value, list):
        return tuple(_scalar(member, operator, f"{path}[{index}]", problems) for index, member in enumerate(value))
    return None if value is None else _scalar(value, operator, path, problems)


def _scalar(value: object, operator: Operator, path: str, problems: Problems) -> FilterScalar:
    """Return a text, boolean or exact number; for an operator of order also the number that a text spells."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if isinstance(value, Decimal) and in_range(value):
        return value
    if isinstance(value, str):
        number = parse_decimal(value) if operator in _ORDER else None
        return value if number is None else number
    if isinstance(value, bool):
        return value
    problems.add(path, "invalid", f"{path} must be a text, a boolean, or a number of at most 30 + 30 digits.")
    return ""


def filter_rows(filters: tuple[Filter, ...]) -> dict[str, list[dict[str, Any]]]:
    """Return the three lists that show filters; the original's two have those that its form can express."""
    return {
        "filters": [
            {"property": condition.property, "operator": condition.operator.value, "value": condition.value}
            for condition in filters
        ],
        "numeric_filters": _original_rows(filters, _NUMERIC, Decimal),
        "categorical_filters": _original_rows(filters, _CATEGORICAL, tuple),
    }


def _original_rows(
    filters: tuple[Filter, ...], operators: dict[str, Operator], kind: type[Decimal] | type[tuple[Any, ...]]
) -> list[dict[str, Any]]:
    names = {operator: name for name, operator in operators.items()}
    return [
        {
            "property_name": condition.property,
            "operator": names[condition.operator],
            "comparison_value": condition.value,
        }
        for condition in filters
        if condition.operator in names and isinstance(condition.value, kind)
    ]
