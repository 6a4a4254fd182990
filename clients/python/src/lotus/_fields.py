"""What a caller may say in each call, checked all at once, in the form that goes on the wire."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from lotus import _json
from lotus.errors import ValidationError

ID_CHARACTERS_MAX = 200
PROPERTIES_BYTES_MAX = 32 * 1024

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

Check = Callable[[Any], Any]
"""Takes a value as given, returns it as it goes on the wire, raises ValueError with what is wrong with it."""


class Raw(bytes):
    """A value that is JSON already, so that a large mapping is written once: for its size and for the wire."""

    __slots__ = ()


@dataclass(frozen=True)
class Field:
    """One field of a call: how it is checked and whether it must be there."""

    check: Check
    is_required: bool = False


class Problems:
    """The problems found so far; `raise_if_any` tells them all."""

    def __init__(self) -> None:
        self._found: list[dict[str, Any]] = []

    def add(self, field: str, code: str, detail: str) -> None:
        """Note one problem of a field."""
        self._found.append({"field": field, "code": code, "detail": detail})

    def raise_if_any(self, call: str) -> None:
        """Raise one ValidationError with every problem noted, if there is one."""
        if self._found:
            raise ValidationError(f"{call} was not sent", code="validation_error", validation_errors=self._found)


def gather(
    fields: Mapping[str, Any] | None, named: Mapping[str, Any], known: Mapping[str, Field], problems: Problems
) -> dict[str, Any]:
    """Return the fields that were given, by their snake_case names, as they go on the wire.

    None means not given. A name may be written in snake_case or camelCase.

    Args:
        fields: the mapping given as the single positional argument, or None.
        named: the keyword arguments.
        known: the fields that the call has.
        problems: receives a problem for each field that is unknown, given twice, missing or wrong.
    """
    given = _merge(fields, named, known, problems)
    checked: dict[str, Any] = {}
    for name, field in known.items():
        if name in given:
            try:
                checked[name] = field.check(given[name])
            except ValueError as error:
                problems.add(name, "invalid", str(error))
        elif field.is_required:
            problems.add(name, "required", "must be given")
    return checked


def names_given(fields: Mapping[str, Any] | None, named: Mapping[str, Any]) -> set[str]:
    """Return the snake_case names of the fields with a value, whether or not the value is right."""
    sources = (fields if isinstance(fields, Mapping) else {}, named)
    return {_snake_case(name) for source in sources for name, value in source.items() if value is not None}


def text(value: Any) -> str:
    """Accept text that is not empty."""
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {type(value).__name__}")
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def identifier(value: Any) -> str:
    """Accept an id of 1 to 200 characters, or a UUID."""
    name = str(value) if isinstance(value, UUID) else text(value)
    if len(name) > ID_CHARACTERS_MAX:
        raise ValueError(f"must have at most {ID_CHARACTERS_MAX} characters, has {len(name)}")
    return name


def time(value: Any) -> str:
    """Accept a datetime (without a zone: UTC), a date, or text that the server will read."""
    if isinstance(value, date):
        return _json.time_text(value)
    if not isinstance(value, str):
        raise ValueError(f"must be a datetime, a date or text, not {type(value).__name__}")
    return text(value)


def flag(value: Any) -> bool:
    """Accept True or False."""
    if not isinstance(value, bool):
        raise ValueError(f"must be True or False, not {type(value).__name__}")
    return value


def whole_number(value: Any) -> int:
    """Accept an integer that is not negative."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"must be an integer, not {type(value).__name__}")
    if value < 0:
        raise ValueError(f"must not be negative, is {value}")
    return value


def mapping(value: Any) -> Raw:
    """Accept a mapping that has a JSON form; it is written out now, so later changes to it have no effect."""
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a mapping, not {type(value).__name__}")
    return Raw(_json.encode(value))


def small_mapping(value: Any) -> Raw:
    """Accept a mapping whose JSON has at most 32 KiB."""
    written = mapping(value)
    if len(written) > PROPERTIES_BYTES_MAX:
        raise ValueError(f"must have at most {PROPERTIES_BYTES_MAX} bytes as JSON, has {len(written)}")
    return written


def jsonable(value: Any) -> Raw:
    """Accept anything that has a JSON form."""
    return Raw(_json.encode(value))


def one_of(*choices: str) -> Check:
    """Return a check that accepts these texts only."""

    def check(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {value!r}")
        return str(value)

    return check


def texts(value: Any) -> tuple[str, ...]:
    """Accept one text or several."""
    if isinstance(value, str):
        return (text(value),)
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"must be text or a list of texts, not {type(value).__name__}")
    return tuple(text(each) for each in value)


def body(checked: Mapping[str, Any]) -> bytes:
    """Return the fields as one JSON object."""
    members = (
        f'"{name}":'.encode() + (value if isinstance(value, Raw) else _json.encode(value))
        for name, value in checked.items()
    )
    return b"{" + b",".join(members) + b"}"


def _merge(
    fields: Mapping[str, Any] | None, named: Mapping[str, Any], known: Mapping[str, Field], problems: Problems
) -> dict[str, Any]:
    if fields is not None and not isinstance(fields, Mapping):
        problems.add("fields", "invalid", f"must be a mapping, not {type(fields).__name__}")
        fields = None
    given: dict[str, Any] = {}
    for written, value in (*(fields or {}).items(), *named.items()):
        name = written if written in known else _snake_case(written)
        if name not in known:
            problems.add(str(written), "unknown", f"no such field; there is {', '.join(known) or 'none'}")
        elif value is not None and name in given:
            problems.add(name, "invalid", "given twice")
        elif value is not None:
            given[name] = value
    return given


def _snake_case(name: Any) -> str:
    return _HUMP.sub("_", name).lower() if isinstance(name, str) else str(name)
