"""A scenario as data: a setup, then steps in the order of time."""

from datetime import datetime
from typing import Any, Final

import msgspec

from lotus_server.scenarios.yaml_text import Document, Path

# What is there before the first step, in the order in which it is made: later ones name earlier ones.
SETUP: Final = ("organization", "metrics", "features", "pricing_units", "plans", "addons", "coupons", "customers")


class FileProblem(msgspec.Struct, frozen=True):
    """Something that is wrong with a file. `line` is counted from 1."""

    line: int
    detail: str


class Action(msgspec.Struct, frozen=True):
    """One thing that is done, or expected, in a step.

    `arguments` are as they were written. `path` leads to them.
    """

    name: str
    arguments: Any
    path: Path


class Step(msgspec.Struct, frozen=True):
    """What happens at one instant; the actions are carried out in the order in which they are written."""

    at: datetime
    actions: tuple[Action, ...]
    path: Path
    note: str = ""


class Scenario(msgspec.Struct, frozen=True):
    """A scenario as it was read. `currency` is that of plans and customers that do not name one (null: the default)."""

    name: str
    description: str
    start: datetime
    currency: str | None
    setup: tuple[Action, ...]
    steps: tuple[Step, ...]
    document: Document

    def line_of(self, path: Path) -> int:
        """Return the line of what a path leads to."""
        return self.document.line_of(path)


class Mismatch(msgspec.Struct, frozen=True):
    """What was expected and what came instead. `where` names the step, `what` the value within it."""

    line: int
    where: str
    what: str
    expected: str
    actual: str
