"""JSON as the HTTP edge reads it."""

import json
from decimal import Decimal
from typing import Any


def parsed(text: str) -> Any:  # noqa: ANN401 - a JSON value
    """Text to Python objects, numbers with a fraction or exponent as Decimal."""
    return json.loads(text, parse_float=Decimal)
