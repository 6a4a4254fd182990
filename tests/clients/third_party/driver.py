"""Runs inside the package's own environment: takes calls as lines of JSON, carries them out, answers in lines of JSON.

The first line holds the options of the client. A value `{"$datetime": "..."}` stands for a datetime and
`{"$decimal": "..."}` for a Decimal, which JSON does not have. Whatever a call raises is an answer too.
"""

import importlib
import json
import sys
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

# The package of this environment, which is not that of the repository.
lotus: Any = importlib.import_module("lotus")


def from_json(fields: dict[str, Any]) -> Any:  # noqa: ANN401 - any argument of a call
    """Return what an object of the JSON stands for."""
    if "$datetime" in fields:
        return datetime.fromisoformat(fields["$datetime"])
    if "$decimal" in fields:
        return Decimal(fields["$decimal"])
    return fields


def to_json(value: Any) -> Any:  # noqa: ANN401 - any value of an answer
    """Return what stands for a value in JSON."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if hasattr(value, "dict"):
        return value.dict()
    return {"$repr": repr(value)}


def answer(target: Any, order: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - a client or the module
    """Return what a call returned or raised."""
    try:
        found = getattr(target, order["call"])(*order.get("arguments", ()), **order.get("named", {}))
    except Exception as error:  # noqa: BLE001 - that it was raised is the answer
        status = getattr(error, "status", None)
        payload = getattr(error, "payload", None)
        return {"raised": type(error).__name__, "text": str(error), "status": status, "payload": payload}
    return {"returned": found}


def main() -> None:
    """Serve calls until standard input ends."""
    options = json.loads(sys.stdin.readline(), object_hook=from_json)
    lost: list[str] = []
    client = lotus.Client(on_error=lambda error, batch: lost.append(str(error)), **options)
    for line in sys.stdin:
        order = json.loads(line, object_hook=from_json)
        if order["call"] == "$lost":
            found = {"returned": lost}
        elif order.get("of_module"):
            for name, value in options.items():
                setattr(lotus, name, value)
            found = answer(lotus, order)
        else:
            found = answer(client, order)
        # The package prints some of its failures, so an answer is told from those by how it begins.
        sys.stdout.write("answer " + json.dumps(found, default=to_json) + "\n")
        sys.stdout.flush()


main()
