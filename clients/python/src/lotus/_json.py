"""JSON in which numbers stay exact in both directions.

Reading: a number with a fraction or an exponent becomes a `Decimal`, a whole number an `int`; never a `float`.
Writing: the standard encoder has no way to write a `Decimal` as a number (a hook may only return other values, and a
`float` would round), so the few JSON types are written out here; text is left to the standard encoder.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

DEPTH_MAX = 64
"""Nesting beyond this is taken for a cycle."""

_PLAIN = (str, int, float, Decimal, date, UUID)  # bool is an int, datetime is a date
_write_text = json.JSONEncoder(ensure_ascii=False).encode


def decode(text: bytes | str) -> Any:
    """Return the value that the JSON text stands for; numbers are `int` or `Decimal`.

    Raises:
        ValueError: the text is not JSON, or has a number that no `Decimal` can hold.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ArithmeticError, RecursionError) as error:
        raise ValueError(f"not readable as JSON: {error}") from error


def encode(value: Any) -> bytes:
    """Return the value as JSON in UTF-8.

    `datetime`, `date` and `UUID` become text (times in UTC), tuples become arrays, a `Decimal` becomes a number literal
    with exactly its digits.

    Raises:
        ValueError: a value has no JSON form; the text says where it is and why.
    """
    try:
        return _write(value, "", 0).encode()
    except UnicodeEncodeError as error:
        raise ValueError("has text with half a surrogate pair, which is not Unicode text") from error


def time_text(time: date) -> str:
    """Return the wire form: a `date` as `YYYY-MM-DD`, a `datetime` as RFC 3339 in UTC; without a zone it is UTC."""
    if not isinstance(time, datetime):
        return time.isoformat()
    aware = time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time.astimezone(timezone.utc)
    return aware.replace(tzinfo=None).isoformat() + "Z"


def _write(value: Any, path: str, depth: int) -> str:
    if value is None or isinstance(value, _PLAIN):
        return _write_plain(value, path)
    if depth >= DEPTH_MAX:
        raise ValueError(f"{path[:100]} is nested deeper than {DEPTH_MAX} levels")
    if isinstance(value, Mapping):
        members = (
            f"{_write_text(_key(key, path))}:{_write(member, f'{path}.{key}' if path else key, depth + 1)}"
            for key, member in value.items()
        )
        return "{" + ",".join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_write(item, f"{path}[{at}]", depth + 1) for at, item in enumerate(value)) + "]"
    raise ValueError(f"{_place(path)}is a {type(value).__name__}, which JSON has no form for")


def _write_plain(value: Any, path: str) -> str:  # noqa: PLR0911 - one line per JSON type
    if isinstance(value, str):
        return _write_text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float) and math.isfinite(value):
        return float.__repr__(value)  # the shortest digits that read back as the same float
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)  # digits, fraction and exponent as JSON spells them
    if isinstance(value, date):
        return _write_text(time_text(value))
    if isinstance(value, UUID):
        return _write_text(str(value))
    raise ValueError(f"{_place(path)}is {value}, which JSON has no number for")


def _key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return key
    raise ValueError(f"{_place(path)}has the key {key!r}, and keys must be text")


def _place(path: str) -> str:
    return f"{path} " if path else ""


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
