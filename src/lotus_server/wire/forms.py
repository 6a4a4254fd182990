"""What all input forms have in common: exact numbers, unknown keys ignored, problems named with their field.

A form's fields are all optional here; what is required is decided where the form becomes a draft. So a single wrong
value never hides the other problems of an input: it is reported, left out, and the rest is looked at as if it had not
been sent.
"""

from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import Invalid, Problems
from lotus_server.kernel.quantity import in_range, parse_decimal

_OUT_OF_RANGE: Final = "must be a finite number with at most 30 digits before and 30 after the decimal point"
_NO_NUMBER: Final = 'must be a number, such as 0.01 or "0.01"'
_CODES: Final = {"number": "invalid_number", "number_range": "out_of_range"}


def _number(value: object) -> Decimal | None:
    """Return an exact number from what JSON has: an integer, a decimal, or a text that spells one."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    elif isinstance(value, str):
        parsed = parse_decimal(value)
        if parsed is None:
            raise PydanticCustomError("number", _NO_NUMBER)
        return parsed
    if not isinstance(value, Decimal):
        raise PydanticCustomError("number", _NO_NUMBER)
    if not in_range(value):
        raise PydanticCustomError("number_range", _OUT_OF_RANGE)
    return value


Number = Annotated[
    Decimal | None,
    BeforeValidator(_number),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}], "default": None}),
]
"""An exact number, given as a JSON number or a text; a boolean is none."""

Text = str | None


class Form(BaseModel):
    """A JSON object that came in. Keys that it does not know are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @classmethod
    def arranged(cls, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the payload with its keys where this form looks for them."""
        return payload


FormType = TypeVar("FormType", bound=Form)
Choice = TypeVar("Choice", bound=StrEnum)


def read(form_type: type[FormType], payload: object, problems: Problems) -> FormType:
    """Return the form that a payload fills in; what cannot be read is added to `problems` and left out of it.

    `payload` is what a JSON parser made, its numbers being int and Decimal. Raises Invalid when it is no object.
    """
    if not isinstance(payload, dict):
        raise Invalid("The body must be a JSON object.", code="malformed_body")
    rest = form_type.arranged(payload)
    # A member of a list is left out by an empty object in its place; where that is no member either, the list goes.
    for levels in (0, 1, 2):
        try:
            return form_type.model_validate(rest)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_context=False, include_input=False)
        rest = deepcopy(rest)
        for entry in wrong:
            path = path_text(entry["loc"])
            text = entry["msg"][:1].lower() + entry["msg"][1:]
            problems.add(path, _CODES.get(entry["type"], "invalid"), f"{path} {_sentence(entry['type'], text)}.")
            _leave_out(rest, entry["loc"][: len(entry["loc"]) - levels])
    raise Invalid.all_of(problems.found)


def path_text(location: tuple[int | str, ...]) -> str:
    """Return a path as people write it: `components[2].price.tiers[0].up_to`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).removeprefix(".")


def _sentence(kind: str, text: str) -> str:
    """Return what is wrong with a field, in the words of this API."""
    wanted = {
        "string_type": "must be a text",
        "list_type": "must be a list",
        "model_type": "must be an object",
        "dict_type": "must be an object",
        "model_attributes_type": "must be an object",
        "string_unicode": "must be a text that UTF-8 can hold",
    }
    if kind.startswith("bool"):
        return "must be true or false"
    if kind.startswith("int"):
        return "must be a whole number"
    return wanted.get(kind, text)


def _leave_out(payload: Any, location: tuple[int | str, ...]) -> None:  # noqa: ANN401 - a JSON value
    """Take a value out of a payload; in a list an empty object takes its place, so that the others keep theirs."""
    *way, last = location
    for step in way:
        if step not in payload and not isinstance(payload, list):
            return  # it went with an earlier problem
        payload = payload[step]
    if isinstance(last, int):
        payload[last] = {}
    else:
        payload.pop(last, None)


def choice(
    problems: Problems,
    field: str,
    text: str | None,
    choices: Mapping[str, Choice],
    default: Choice,
) -> Choice:
    """Return the choice that a text names; `default` without one, and, with a problem, for an unknown one."""
    if text is None:
        return default
    found = choices.get(text)
    if found is None:
        problems.add(field, "invalid_choice", f"{field} must be one of {', '.join(choices)}.")
        return default
    return found


def required(problems: Problems, field: str, text: str | None) -> str:
    """Return a text that must be there; an empty one, with a problem, when it is not."""
    if text is None:
        problems.add(field, "required", f"{field} is required.")
        return ""
    return text


def unsupported(problems: Problems, field: str, value: object, detail: str) -> None:
    """Refuse a key that would change numbers and is not served yet, unless it says nothing (null, false, 0, empty)."""
    if value is None or value is False or value in ("", 0) or value in ([], {}):
        return
    problems.add(field, "unsupported", detail)


def currency_code(value: object) -> str | None:
    """Return the code of a currency that is given as a code in any case, or as an object with one."""
    if isinstance(value, dict):
        value = value.get("code")
    return value.upper() if isinstance(value, str) else None


def currency_row(code: str) -> dict[str, Any]:
    """Return a currency as an object."""
    found = CURRENCIES[code]
    return {"code": found.code, "name": found.name, "symbol": found.symbol}
