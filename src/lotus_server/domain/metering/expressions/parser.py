"""From the text of an expression to its tree: the grammar of CEL, by precedence climbing.

Everything that can be known without an event is checked here: words, grammar, the names of functions and the number
of their arguments, and the limits that bound what an evaluation can cost.
"""

from typing import Final

from lotus_server.domain.metering.expressions.functions import FUNCTIONS
from lotus_server.domain.metering.expressions.syntax import (
    Binary,
    Call,
    Comprehension,
    Conditional,
    ExpressionProblem,
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
    with_depth,
)
from lotus_server.domain.metering.expressions.tokens import Kind, Token, tokens_of

EXPRESSION_LENGTH_MAX: Final = 2_000
NODES_MAX: Final = 500
NESTING_MAX: Final = 30  # brackets, signs and conditions within each other
DEPTH_MAX: Final = 150  # also of what stands in a row: a + b + c is 3 deep

_PRECEDENCE: Final = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!=", "in"), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%"), 5),
}
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_RESERVED: Final = frozenset(
    {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "in", "let", "loop"}
    | {"package", "namespace", "return", "var", "void", "while"}
)


def parse(text: str) -> Node:
    """Return the tree of an expression. Raises ExpressionProblem for a text that is none, or one beyond a limit."""
    if len(text) > EXPRESSION_LENGTH_MAX:
        raise ExpressionProblem(EXPRESSION_LENGTH_MAX, f"An expression has at most {EXPRESSION_LENGTH_MAX} characters.")
    parser = _Parser(tokens_of(text))
    root = parser.expression()
    parser.expect_end()
    for count, (node, depth) in enumerate(with_depth(root), start=1):
        if count > NODES_MAX:
            raise ExpressionProblem(node.at, f"An expression has at most {NODES_MAX} parts.")
        if depth > DEPTH_MAX:
            raise ExpressionProblem(node.at, f"At most {DEPTH_MAX} operations can follow from each other.")
    return root


class _Parser:
    """Reads words from the first to the last; each method reads one form and returns its node."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._nesting = 0

    def expression(self) -> Node:
        """Read a whole expression: a condition with its two sides, or what stands between operators."""
        self._nesting += 1
        if self._nesting > NESTING_MAX:
            raise ExpressionProblem(self._next.at, f"Brackets and conditions nest at most {NESTING_MAX} deep.")
        found = self._operation(1)
        at = self._next.at
        if self._takes("?"):
            yes = self._operation(1)
            self._expect(":")
            found = Conditional(found, yes, self.expression(), at)
        self._nesting -= 1
        return found

    def expect_end(self) -> None:
        """Refuse anything after the expression."""
        if self._next.kind is not Kind.END:
            raise ExpressionProblem(self._next.at, f"{self._next.text!r} is not expected here.")

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += token.kind is not Kind.END
        return token

    def _is_next(self, mark: str) -> bool:
        return self._next.kind is Kind.MARK and self._next.text == mark

    def _takes(self, mark: str) -> bool:
        """Read a mark if it comes next; tell whether it did."""
        is_next = self._is_next(mark)
        self._place += is_next
        return is_next

    def _expect(self, mark: str) -> None:
        if not self._takes(mark):
            found = repr(self._next.text) if self._next.text else "the end"
            raise ExpressionProblem(self._next.at, f"{mark!r} is expected here, not {found}.")

    def _operation(self, precedence_min: int) -> Node:
        left = self._signed()
        while True:
            token = self._next
            is_operator = token.kind is Kind.MARK or token.text == "in"
            precedence = _PRECEDENCE.get(token.text, 0) if is_operator else 0
            if precedence < precedence_min:
                return left
            self._take()
            left = Binary(token.text, left, self._operation(precedence + 1), token.at)

    def _signed(self) -> Node:
        token = self._next
        if not (self._takes("-") or self._takes("!")):
            return self._member()
        self._nesting += 1
        if self._nesting > NESTING_MAX:
            raise ExpressionProblem(token.at, f"At most {NESTING_MAX} signs can stand in a row.")
        operand = self._signed()
        self._nesting -= 1
        return Unary(token.text, operand, token.at)

    def _member(self) -> Node:
        found = self._primary()
        while True:
            at = self._next.at
            if self._takes("["):
                key = self.expression()
                self._expect("]")
                found = Index(found, key, at)
            elif self._takes("."):
                found = self._selected(found)
            else:
                return found

    def _selected(self, target: Node) -> Node:
        token = self._take()
        if token.kind is not Kind.NAME or token.text in _CONSTANTS or token.text == "in":
            raise ExpressionProblem(token.at, "A name is expected after the point.")
        if not self._takes("("):
            return Select(target, token.text, token.at)
        arguments = self._list_until(")")
        if token.text in set(Macro):
            return _comprehension(Macro(token.text), target, arguments, token.at)
        return _call(token, (target, *arguments), is_method=True)

    def _primary(self) -> Node:
        token = self._take()
        match token.kind:
            case Kind.NUMBER | Kind.TEXT:
                return Literal(token.value, token.at)
            case Kind.NAME:
                return self._named(token)
            case Kind.END:
                raise ExpressionProblem(token.at, "The expression ends too early.")
            case _:
                return self._bracketed(token)

    def _bracketed(self, token: Token) -> Node:
        match token.text:
            case "(":
                found = self.expression()
                self._expect(")")
                return found
            case "[":
                return ListOf(tuple(self._list_until("]")), token.at)
            case "{":
                return MapOf(tuple(self._entries()), token.at)
            case _:
                raise ExpressionProblem(token.at, f"A value is expected here, not {token.text!r}.")

    def _named(self, token: Token) -> Node:
        name = token.text
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name], token.at)
        if name in _RESERVED:
            detail = f'{name!r} is a reserved word; a property of this name is properties["{name}"].'
            raise ExpressionProblem(token.at, detail)
        if not self._takes("("):
            return Name(name, token.at)
        arguments = self._list_until(")")
        if name == "has":
            return _has(arguments, token.at)
        return _call(token, tuple(arguments), is_method=False)

    def _list_until(self, closing: str) -> list[Node]:
        """Read expressions with commas between them; a last comma is allowed."""
        found: list[Node] = []
        while not self._takes(closing):
            found.append(self.expression())
            if not self._is_next(closing):
                self._expect(",")
        return found

    def _entries(self) -> list[tuple[Node, Node]]:
        found: list[tuple[Node, Node]] = []
        while not self._takes("}"):
            key = self.expression()
            self._expect(":")
            found.append((key, self.expression()))
            if not self._is_next("}"):
                self._expect(",")
        return found


def _has(arguments: list[Node], at: int) -> Node:
    if len(arguments) != 1 or not isinstance(arguments[0], Name | Select):
        raise ExpressionProblem(at, "has() takes a property, such as has(a) or has(a.b).")
    return Has(arguments[0], at)


def _comprehension(macro: Macro, target: Node, arguments: list[Node], at: int) -> Node:
    takes_condition = macro is Macro.MAP and len(arguments) == 3
    if not takes_condition and len(arguments) != 2:
        raise ExpressionProblem(at, f"{macro}() takes a name for the element and an expression.")
    variable = arguments[0]
    if not isinstance(variable, Name):
        raise ExpressionProblem(variable.at, f"{macro}() takes a plain name for the element.")
    condition = arguments[1] if takes_condition else None
    return Comprehension(macro, target, variable.name, condition, arguments[-1], at)


def _call(token: Token, arguments: tuple[Node, ...], *, is_method: bool) -> Node:
    function = FUNCTIONS.get(token.text)
    if function is None or not (function.is_method if is_method else function.is_free):
        known = ", ".join(sorted(FUNCTIONS))
        raise ExpressionProblem(token.at, f"There is no function {token.text!r} of this form. There are: {known}.")
    if not function.arguments_min <= len(arguments) <= function.arguments_max:
        raise ExpressionProblem(token.at, f"{token.text}() does not take {len(arguments)} values.")
    return Call(token.text, arguments, token.at)
