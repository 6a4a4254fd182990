"""JSON in: exact numbers, and every way in which a body can be broken has an answer."""

import json
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from fastapi import Request

from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.quantity import INTEGER_DIGITS_MAX


async def json_body(request: Request) -> object:
    """Return the request's body, its numbers being int and Decimal; an empty body is an empty object.

    Raises Invalid `malformed_body` for anything that is not JSON, NaN and Infinity included.
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
    return parsed


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
