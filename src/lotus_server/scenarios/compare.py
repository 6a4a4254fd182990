"""Expected against actual: every difference, not only the first."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.kernel.instants import parse_instant
from lotus_server.scenarios.api import Json, encode
from lotus_server.scenarios.yaml_text import Path

Names = Mapping[str, tuple[str, ...]]
NO_NAMES: Final[Names] = {}
_LINE_KEYS: Final = ("name", "quantity", "amount")
_TEXT_LENGTH_MAX: Final = 2_000


class Difference(msgspec.Struct, frozen=True):
    """Where an actual value is not what was expected. `path` leads to it in the expectation."""

    path: Path
    expected: str
    actual: str


class _Missing:
    pass


_MISSING = _Missing()


def differences(expected: Json, actual: Json, path: Path = (), names: Names = NO_NAMES) -> Iterator[Difference]:
    """Yield each difference. Of an object only the keys that are expected count; a list counts as a whole, in order.

    Numbers are equal by value, `10` to `10.00` and to the text `"10.00"`; times by instant, a date being its midnight
    in UTC. An object that is expected where rows with a name come means their amounts by name, in order. `names` are
    short names of keys -> the way to the value in the actual object.
    """
    if isinstance(expected, dict) and isinstance(actual, list):
        yield from _amounts_by_name(expected, actual, path, names)
    elif isinstance(expected, dict):
        if not isinstance(actual, dict):
            yield Difference(path, show(expected), show(actual))
            return
        for key, value in expected.items():
            yield from differences(value, _at(actual, names.get(key, (key,))), (*path, key), names)
    elif isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            yield Difference(path, _show_rows(expected), _show_rows(abridged(actual, names)))
            return
        for index, (left, right) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(left, right, (*path, index), names)
    elif not is_same(expected, actual):
        yield Difference(path, show(expected), show(abridged(actual, names)))


def _amounts_by_name(expected: dict[str, Json], actual: list[Json], path: Path, names: Names) -> Iterator[Difference]:
    if not all(isinstance(row, dict) and "name" in row and "amount" in row for row in actual):
        yield Difference(path, show(expected), show(actual))
    elif [row["name"] for row in actual] != list(expected):
        wanted = [{"name": name, "amount": amount} for name, amount in expected.items()]
        yield Difference(path, _show_rows(wanted), _show_rows(abridged(actual, names)))
    else:
        for (name, amount), row in zip(expected.items(), actual, strict=True):
            yield from differences(amount, row["amount"], (*path, name), names)


def _at(value: Json, way: tuple[str, ...]) -> Json:
    for key in way:
        if not isinstance(value, dict) or key not in value:
            return _MISSING
        value = value[key]
    return value


def is_same(expected: Json, actual: Json) -> bool:
    """Tell whether two scalars mean the same."""
    if isinstance(expected, bool) or isinstance(actual, bool) or expected is None or actual is None:
        return expected is actual
    left, right = number(expected), number(actual)
    if left is not None and right is not None:
        return left == right
    if not isinstance(expected, str) or not isinstance(actual, str):
        return False
    if expected == actual:
        return True
    time = parse_instant(expected)
    return time is not None and time == parse_instant(actual)


def number(value: Json) -> Decimal | None:
    """Return the number that a value is or spells, or None."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        found = Decimal(value)
    except ArithmeticError:
        return None
    return found if found.is_finite() else None


def show(value: Json) -> str:
    """Return a value as people read it in one line."""
    if isinstance(value, _Missing):
        return "(nothing)"
    if isinstance(value, str):
        text = value
    elif isinstance(value, dict):
        text = ", ".join(f"{key}: {_inner(each)}" for key, each in value.items()) or "{}"
    else:
        text = encode(value).decode() if value is not None else "null"
    return text if len(text) <= _TEXT_LENGTH_MAX else f"{text[:_TEXT_LENGTH_MAX]}..."


def _inner(value: Json) -> str:
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return "[" + "; ".join(show(each) for each in value) + "]"
    return f"{{{show(value)}}}" if isinstance(value, dict) and value else show(value)


def abridged(value: Json, names: Names) -> Json:
    """Return rows with only what people ask for: the keys that have short names, and those of a line."""
    if isinstance(value, list):
        return [abridged(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: abridged(_at(value, names.get(key, (key,))), names) for key in (*names, *_LINE_KEYS)}
    kept = {key: each for key, each in found.items() if not isinstance(each, _Missing)}
    return kept or value


def _show_rows(value: Json) -> str:
    if not isinstance(value, list):
        return show(value)
    return "\n".join([f"{len(value)}:", *(f"- {show(each)}" for each in value)]) if value else "none"
