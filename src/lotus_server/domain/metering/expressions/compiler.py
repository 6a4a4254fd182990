"""From the tree of an expression to a function of an event's properties, made once and called for every event."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from lotus_server.domain.metering.expressions.arithmetic import (
    LIST_LENGTH_MAX,
    OPERATORS,
    Exhausted,
    Failure,
    Steps,
    Value,
    at_index,
    known,
    negate,
)
from lotus_server.domain.metering.expressions.functions import FUNCTIONS
from lotus_server.domain.metering.expressions.parser import parse
from lotus_server.domain.metering.expressions.syntax import (
    Binary,
    Call,
    Comprehension,
    Conditional,
    Has,
    Index,
    ListOf,
    Literal,
    Macro,
    MapOf,
    Name,
    Node,
    Select,
    Unary,
    size_of,
    with_depth,
)
from lotus_server.domain.metering.properties import Properties, lookup

STEPS_MAX: Final = 10_000
ALL_PROPERTIES: Final = "properties"
_MISSING: Final = object()


class _Event(Steps):
    """What an evaluation works with: the properties, the variables of macros by their slot, and the steps left."""

    __slots__ = ("properties", "variables")

    def __init__(self, properties: Properties, slots: int) -> None:
        super().__init__(STEPS_MAX)
        self.properties = properties
        self.variables: list[Value] = [None] * slots


_Step = Callable[[_Event], Value]
_Scope = tuple[str, ...]  # the variables around a node; the place of a name is its slot


class Expression:
    """A compiled expression."""

    def __init__(self, root: Node) -> None:
        """Compile a tree."""
        self._slots = sum(isinstance(node, Comprehension) for node, _ in with_depth(root))
        self._value = _compile(root, ())

    def evaluate(self, properties: Properties) -> Value:
        """Return the value for an event, or None when there is none.

        There is none when a property it needs is missing, a type does not fit an operator, a divisor is zero, a number
        gets too long, or the evaluation would take more than STEPS_MAX steps.
        """
        try:
            return self._value(_Event(properties, self._slots))
        except (Failure, Exhausted):
            return None


@lru_cache(maxsize=1_024)
def compiled(text: str) -> Expression:
    """Return an expression ready for use; the same text is compiled once. Raises ExpressionProblem."""
    return Expression(parse(text))


def _compile(node: Node, scope: _Scope) -> _Step:
    """Return the function of a node; `scope` has the variables of the macros around it."""
    return _COMPILERS[type(node)](node, scope)


def _literal(node: Literal, _: _Scope) -> _Step:
    value = node.value
    return lambda _: value


def _index(node: Index, scope: _Scope) -> _Step:
    target, key = _compile(node.target, scope), _compile(node.key, scope)
    return lambda event: at_index(target(event), key(event))


def _list(node: ListOf, scope: _Scope) -> _Step:
    items = [_compile(item, scope) for item in node.items]
    return lambda event: [item(event) for item in items]


def _call(node: Call, scope: _Scope) -> _Step:
    call = FUNCTIONS[node.function].call
    arguments = [_compile(argument, scope) for argument in node.arguments]
    return lambda event: call([argument(event) for argument in arguments], event)


def _path(node: Node, scope: _Scope) -> str | None:
    """Return the dotted name of a property of the event, or None when the node is something else."""
    names: list[str] = []
    while isinstance(node, Select):
        names.append(node.field)
        node = node.target
    if not isinstance(node, Name) or node.name in scope:
        return None
    if node.name != ALL_PROPERTIES:
        names.append(node.name)
    return ".".join(reversed(names)) or None


def _member(node: Name | Select, scope: _Scope) -> _Step:
    path = _path(node, scope)
    if path is not None:
        return lambda event: _property(event.properties, path)
    if isinstance(node, Select):
        target, field = _compile(node.target, scope), node.field
        return lambda event: at_index(target(event), field)
    if node.name in scope:
        slot = len(scope) - 1 - scope[::-1].index(node.name)
        return lambda event: event.variables[slot]
    return lambda event: event.properties


def _property(properties: Properties, path: str) -> Value:
    value = lookup(properties, path)
    if value is not None:
        return known(value)
    if path in properties:
        return None
    inner: Any = properties
    for name in path.split("."):
        inner = inner.get(name, _MISSING) if isinstance(inner, dict) else _MISSING
    if inner is None:
        return None
    raise Failure


def _has(node: Has, scope: _Scope) -> _Step:
    path = _path(node.target, scope)
    if path is not None:
        return lambda event: lookup(event.properties, path) is not None
    if isinstance(node.target, Name):
        return lambda _: True
    target, field = _compile(node.target.target, scope), node.target.field

    def has(event: _Event) -> Value:
        found = target(event)
        if isinstance(found, dict):
            return found.get(field) is not None
        raise Failure

    return has


def _map(node: MapOf, scope: _Scope) -> _Step:
    entries = [(_compile(key, scope), _compile(value, scope)) for key, value in node.entries]

    def made(event: _Event) -> Value:
        found: dict[str, Any] = {}
        for key, value in entries:
            name = key(event)
            if not isinstance(name, str) or name in found:
                raise Failure
            found[name] = value(event)
        return found

    return made


def _unary(node: Unary, scope: _Scope) -> _Step:
    operand = _compile(node.operand, scope)
    if node.operator == "-":
        return lambda event: negate(operand(event))

    def inverted(event: _Event) -> Value:
        value = operand(event)
        if isinstance(value, bool):
            return not value
        raise Failure

    return inverted


def _binary(node: Binary, scope: _Scope) -> _Step:
    left, right = _compile(node.left, scope), _compile(node.right, scope)
    if node.operator in {"&&", "||"}:
        return _decided(left, right, deciding=node.operator == "||")
    operator = OPERATORS[node.operator]
    return lambda event: operator(left(event), right(event), event)


def _decided(left: _Step, right: _Step, *, deciding: bool) -> _Step:
    """Return `&&` (false decides) or `||` (true decides).

    Either side alone decides, also when the other one fails; as in CEL the order of the sides never matters.
    """

    def logical(event: _Event) -> Value:
        first = _truth(left, event)
        if first is deciding:
            return deciding
        second = _truth(right, event)
        if second is deciding:
            return deciding
        if first is None or second is None:
            raise Failure
        return not deciding

    return logical


def _truth(step: _Step, event: _Event) -> bool | None:
    """Return a boolean, or None when the step fails or is something else."""
    try:
        value = step(event)
    except Failure:
        return None
    return value if isinstance(value, bool) else None


def _conditional(node: Conditional, scope: _Scope) -> _Step:
    condition, yes, no = (_compile(each, scope) for each in (node.condition, node.yes, node.no))

    def chosen(event: _Event) -> Value:
        truth = condition(event)
        if isinstance(truth, bool):
            return yes(event) if truth else no(event)
        raise Failure

    return chosen


def _comprehension(node: Comprehension, scope: _Scope) -> _Step:
    inner = (*scope, node.variable)
    slot = len(scope)
    whole, body = _compile(node.range, scope), _compile(node.body, inner)
    condition = None if node.condition is None else _compile(node.condition, inner)
    cost = 1 + size_of(node.body) + (0 if node.condition is None else size_of(node.condition))
    fold = _FOLDS[node.macro]

    def folded(event: _Event) -> Value:
        values = whole(event)
        if not isinstance(values, list | dict) or len(values) > LIST_LENGTH_MAX:
            raise Failure

        def each(step: _Step, value: Any) -> Value:  # noqa: ANN401 - a JSON value
            event.spend(cost)
            event.variables[slot] = known(value)
            return step(event)

        chosen = [value for value in values if condition is None or _holds(each(condition, value))]
        return fold(chosen, lambda value: each(body, value))

    return folded


_Each = Callable[[Any], Value]
_Fold = Callable[[list[Any], _Each], Value]


def _holds(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    raise Failure


def _fold_deciding(*, deciding: bool) -> _Fold:
    def fold(values: list[Any], each: _Each) -> Value:
        is_certain = True
        for value in values:
            try:
                truth = each(value)
            except Failure:
                truth = None
            if truth is deciding:
                return deciding
            is_certain = is_certain and isinstance(truth, bool)
        if is_certain:
            return not deciding
        raise Failure

    return fold


_FOLDS: Final[dict[Macro, _Fold]] = {
    Macro.ALL: _fold_deciding(deciding=False),
    Macro.EXISTS: _fold_deciding(deciding=True),
    Macro.EXISTS_ONE: lambda values, each: sum(_holds(each(value)) for value in values) == 1,
    Macro.MAP: lambda values, each: [each(value) for value in values],
    Macro.FILTER: lambda values, each: [known(value) for value in values if _holds(each(value))],
}

_COMPILERS: Final[dict[type, Callable[[Any, _Scope], _Step]]] = {
    Literal: _literal,
    Name: _member,
    Select: _member,
    Index: _index,
    ListOf: _list,
    MapOf: _map,
    Has: _has,
    Call: _call,
    Unary: _unary,
    Binary: _binary,
    Conditional: _conditional,
    Comprehension: _comprehension,
}
