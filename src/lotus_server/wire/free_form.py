"""JSON whose shape its owner decides: it is kept as it came, within limits."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from lotus_server.kernel.errors import Problems
from lotus_server.kernel.quantity import in_range

BYTES_MAX: Final = 32 * 1024


def free_form(problems: Problems, field: str, value: dict[str, Any] | None) -> dict[str, Any]:
    """Return an object as it came; an empty one for null, and, with problems, for one that cannot be kept."""
    if not value:
        return {}
    wrong = Problems()
    _check_numbers(value, field, wrong)
    problems.extend(wrong.found)
    if wrong.found:
        return {}
    if len(msgspec.json.encode(value)) > BYTES_MAX:
        problems.add(field, "too_long", f"{field} must have at most {BYTES_MAX // 1024} KiB as JSON.")
        return {}
    return value


def _check_numbers(value: object, path: str, problems: Problems) -> None:
    if isinstance(value, dict):
        for key, member in value.items():
            _check_numbers(member, f"{path}.{key}", problems)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _check_numbers(member, f"{path}[{index}]", problems)
    elif isinstance(value, (int, Decimal)) and not in_range(Decimal(value)):
        detail = f"{path} must be a number with at most 30 digits before and 30 after the decimal point."
        problems.add(path, "out_of_range", detail)
