"""Reading one property of an event: nested names, numbers, and the text under which values are compared."""

from decimal import Decimal
from typing import Any, Final

from lotus_server.kernel.quantity import in_range, parse_decimal, plain

Properties = dict[str, Any]
_MISSING: Final = object()


def lookup(properties: Properties, name: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return a property's value, None when it is missing or null. `a.b` is the key `a.b`, or else `b` within `a`."""
    value = properties.get(name, _MISSING)
    if value is not _MISSING:
        return value
    head, dot, rest = name.partition(".")
    while dot:
        inner = properties.get(head)
        if isinstance(inner, dict):
            found = lookup(inner, rest)
            if found is not None:
                return found
        step, dot, rest = rest.partition(".")
        head = f"{head}.{step}"
    return None


def as_number(value: Any) -> Decimal | None:  # noqa: ANN401 - a JSON value
    """Return a value as an exact number, or None when it is none.

    A string that is a decimal literal is a number; a boolean is not.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        number = Decimal(value)
        return number if in_range(number) else None
    if isinstance(value, Decimal):
        return value if in_range(value) else None
    if isinstance(value, str):
        return parse_decimal(value)
    return None


def as_text(value: Any) -> str | None:  # noqa: ANN401 - a JSON value
    """Return the text under which a scalar is compared and counted, or None for null, lists and objects.

    Numbers that are equal have one text (`1`, `1.0` and `1e0` are `1`), and so has a string that is spelt like it.
    """
    if value is None or isinstance(value, (list, dict)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return plain(value)
    return str(value)
