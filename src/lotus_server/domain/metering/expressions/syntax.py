"""The tree of a parsed expression. `at` is the place of a node in the text: characters before it."""

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec


class ExpressionProblem(Exception):
    """A text is no expression, or one beyond a limit. `at` is how many characters lie before the place."""

    def __init__(self, at: int, detail: str) -> None:
        """Keep the place and a sentence for people."""
        super().__init__(f"Character {at + 1}: {detail}")
        self.at = at
        self.detail = detail


class Macro(StrEnum):
    """What is done with the elements of a list, or the keys of a map, one after the other."""

    ALL = "all"
    EXISTS = "exists"
    EXISTS_ONE = "exists_one"
    MAP = "map"
    FILTER = "filter"


class Literal(msgspec.Struct, frozen=True):
    """A value as it is written."""

    value: Decimal | str | bool | None
    at: int


class Name(msgspec.Struct, frozen=True):
    """A property of the event, all of them (`properties`), or the variable of a macro around it."""

    name: str
    at: int


class Select(msgspec.Struct, frozen=True):
    """`target.field`."""

    target: "Node"
    field: str
    at: int


class Index(msgspec.Struct, frozen=True):
    """`target[key]`."""

    target: "Node"
    key: "Node"
    at: int


class ListOf(msgspec.Struct, frozen=True):
    """`[a, b]`."""

    items: tuple["Node", ...]
    at: int


class MapOf(msgspec.Struct, frozen=True):
    """`{a: b, c: d}`."""

    entries: tuple[tuple["Node", "Node"], ...]
    at: int


class Has(msgspec.Struct, frozen=True):
    """`has(a.b)`: whether there is such a value."""

    target: "Name | Select"
    at: int


class Call(msgspec.Struct, frozen=True):
    """`function(a, b)`; in `a.function(b)` the target is the first argument."""

    function: str
    arguments: tuple["Node", ...]
    at: int


class Unary(msgspec.Struct, frozen=True):
    """`-a` or `!a`."""

    operator: str
    operand: "Node"
    at: int


class Binary(msgspec.Struct, frozen=True):
    """`a + b`, and so for every operator between two values, also `in`."""

    operator: str
    left: "Node"
    right: "Node"
    at: int


class Conditional(msgspec.Struct, frozen=True):
    """`condition ? yes : no`."""

    condition: "Node"
    yes: "Node"
    no: "Node"
    at: int


class Comprehension(msgspec.Struct, frozen=True):
    """`range.macro(variable, body)`; `map` may have a condition that chooses the elements first."""

    macro: Macro
    range: "Node"
    variable: str
    condition: "Node | None"
    body: "Node"
    at: int


Node = Literal | Name | Select | Index | ListOf | MapOf | Has | Call | Unary | Binary | Conditional | Comprehension


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes right below a node."""
    for part in msgspec.structs.astuple(node):
        yield from _nodes_in(part)


def _nodes_in(part: Any) -> Iterator[Node]:  # noqa: ANN401 - a field of any node
    if isinstance(part, Node):
        yield part
    elif isinstance(part, tuple):
        for member in part:
            yield from _nodes_in(member)


def with_depth(root: Node) -> Iterator[tuple[Node, int]]:
    """Yield every node of a tree with how deep it lies; the root lies at 1."""
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += ((child, depth + 1) for child in children(node))


def size_of(root: Node) -> int:
    """Return the number of nodes of a tree."""
    return sum(1 for _ in with_depth(root))
