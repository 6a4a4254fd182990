"""Runs the Python of the README as one program, in the order in which a reader meets it."""

import re
import uuid
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
IDS = ("customer_123", "billing_plan_5", "subscription_123", "feature_123", "event_234234", "api_call", "metric_123")


def blocks():
    """Return (line number, code) of each block."""
    text = README.read_text()
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text[: each.start(1)].count("\n"), each[1]) for each in found]


def fresh_ids():
    """Return a new id for each one in the README, so that it runs again on a server that keeps everything."""
    ending = uuid.uuid4().hex[:12]
    return {name: f"{name}_{ending}" for name in IDS}


def run(ids):
    """Run all blocks; a failure points to its line in the README."""
    scope = {"__name__": "readme"}
    for line, code in blocks():
        for name, fresh in ids.items():
            code = code.replace(f'"{name}"', f'"{fresh}"')  # noqa: PLW2901 - the same block, with other ids
        exec(compile("\n" * line + code, str(README), "exec"), scope)
