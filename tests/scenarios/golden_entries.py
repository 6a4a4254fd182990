"""The golden entries, one file each: numbers on which independent billing systems agree."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

Case = dict[str, Any]

_GOLDEN = Path(__file__).parent / "golden"


def _entries() -> dict[str, Case]:
    loaded = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(_GOLDEN.glob("*.yaml"))]
    return {entry["id"]: entry for entry in loaded}


ENTRIES = _entries()


def comparable(value: Any) -> Any:  # noqa: ANN401 - any part of an entry
    """A part of an entry with its numbers as decimals, however they are written."""
    if isinstance(value, list):
        return [comparable(member) for member in value]
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return value
