"""JSON in: exact numbers, and every way in which a body can be broken has an answer."""

import json
from decimal import Decimal, InvalidOperation
from typing import Final, NoReturn

from fastapi import Request

from lotus_server.kernel.errors import Invalid, Problems
from lotus_server.kernel.quantity import INTEGER_DIGITS_MAX

DEPTH_MAX: Final = 64


async def json_body(request: Request) -> object:
    """Return the request's body, its numbers being int and Decimal; an empty body is an empty object.

    Raises Invalid `malformed_json` for anything that is not JSON, NaN and Infinity included, and for JSON nested too
    deeply; and with every text that cannot be kept.
    """
    body = await request.body()
    if not body.strip():
        return {}
    try:
        parsed: object = json.loads(body, parse_float=_fraction, parse_int=_integer, parse_constant=_not_json)
    except RecursionError:
        raise Invalid("The JSON is nested too deeply.", code="malformed_json") from None
    except UnicodeDecodeError:
        raise Invalid("The body is not UTF-8.", code="malformed_json") from None
    except ValueError as error:
        raise Invalid(f"The body is not valid JSON: {error}.", code="malformed_json") from None
    if body.count(b"[") + body.count(b"{") > DEPTH_MAX and _depth(parsed) > DEPTH_MAX:
        raise Invalid(f"The JSON is nested more than {DEPTH_MAX} levels deep.", code="malformed_json")
    if b"\\u" in body:  # the only way in for characters that no text can keep
        problems = Problems()
        _check_texts(parsed, "", problems)
        problems.raise_if_any()
    return parsed


def _depth(value: object) -> int:
    """Return how deep a value is nested; a scalar has depth 0."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, (dict, list))]:
        depth += 1
        level = [member for each in level for member in (each.values() if isinstance(each, dict) else each)]
    return depth


def _check_texts(value: object, path: str, problems: Problems) -> None:
    """Add a problem for each text and key with a NUL, or with half of a surrogate pair, which UTF-8 cannot hold."""
    if isinstance(value, str):
        if "\0" in value:
            problems.add(path, "invalid", f"{path or 'The body'} must not contain the character U+0000.")
        elif not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            problems.add(
                path, "invalid", f"{path or 'The body'} contains half of a surrogate pair, which is no character."
            )
    elif isinstance(value, dict):
        for key, member in value.items():
            name = key.encode("ascii", "backslashreplace").decode() if not key.isprintable() else key
            below = f"{path}.{name}" if path else name
            _check_texts(key, below, problems)
            _check_texts(member, below, problems)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _check_texts(member, f"{path}[{index}]", problems)


def _fraction(text: str) -> Decimal:
    """Return a number; Infinity for one whose exponent no Decimal can have, which its field then refuses by name."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")


def _integer(digits: str) -> int | Decimal:
    """Return an integer.

    One with very many digits as a Decimal, because turning it into an int takes quadratic time.
    """
    return int(digits) if len(digits) <= INTEGER_DIGITS_MAX + 1 else Decimal(digits)


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")
