"""Compiled expressions compute what walking their tree with fractions computes."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus_server.domain.metering.expressions import Expression, ExpressionProblem, compiled, parse
from tests.domain.metering.tree_walk import Nothing, as_fractions, walk

ANY_OPERATOR = ["+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!=", "&&", "||", "in"]
LEAVES = {
    "number": ["0", "1", "2", "3", "7", "0.5", "1e3", "12.25", "n", "n", "m", "o.a", "properties.n", "l[0]", 'o["a"]'],
    "truth": ["true", "false", "b", "has(n)", "has(o.a)", "has(o.z)", "has(missing)", "o.z == null"],
    "text": ['"a"', '"2"', '""', "t", "t", "properties.t"],
    "list": ["l", "l", "[1, 2]", "[n, 0, m]", "o.l", "[]"],
    "odd": ["null", "missing", "o", "b", "t", "l", '{"a": n}', "o.z", "properties"],
}
# What is put together of what: the kind of the result, and the forms with the kinds of their parts.
FORMS = {
    "number": [
        *[f"(<number> {operator} <number>)" for operator in "+-*/%"],
        "<number> * <number> - <number>",
        "-<number>",
        "(<truth> ? <number> : <number>)",
        *[f"{name}(<number>)" for name in ("int", "double", "abs", "ceil", "floor", "round")],
        "round(<number>, 2)",
        "min(<number>, <number>)",
        "max(<list>)",
        "size(<text>)",
        "size(<list>)",
        "<list>.map(@, <number>)[0]",
        "double(string(<number>))",
        '{"a": <number>, "b": 1}["a"]',
    ],
    "truth": [
        *[f"(<number> {operator} <number>)" for operator in ("<", "<=", ">", ">=", "==", "!=")],
        *["<text> == <text>", "(<text> < <text>)", "<list> == <list>", "<number> in <list>"],
        *["(<truth> && <truth>)", "(<truth> || <truth>)", "!<truth>", "(<odd> == <odd>)"],
        *["<list>.all(@, <truth>)", "<list>.exists(@, <truth>)", "<list>.exists_one(@, <truth>)"],
        "(<text>).contains(<text>)",
    ],
    "text": ["(<text> + <text>)", "string(<number>)", "string(<truth>)", "(<truth> ? <text> : <text>)"],
    "list": [
        "[<number>, <number>]",
        "<list>.filter(@, <truth>)",
        "<list>.map(@, <truth>, <number>)",
        "<list> + <list>",
    ],
    "odd": ["<number>", "<truth>", "<text>", "<list>", *[f"(<odd> {operator} <odd>)" for operator in ANY_OPERATOR]],
}


@st.composite
def expressions(draw: st.DrawFn, kind: str | None = None, depth: int = 4, variables: tuple[str, ...] = ()) -> str:
    """Texts of expressions, most of which fit together; one part in twenty is of a kind that may not."""
    wanted = kind or draw(st.sampled_from(list(FORMS)))
    if draw(st.integers(min_value=0, max_value=19)) == 0:
        wanted = "odd"
    if depth == 0 or draw(st.integers(min_value=0, max_value=3)) == 0:
        return draw(st.sampled_from([*LEAVES[wanted], *(variables if wanted == "number" else ())]))
    form = draw(st.sampled_from(FORMS[wanted]))
    if "@" in form:
        variable = draw(st.sampled_from(["x", "y"]))
        form = form.replace("@", variable)
        variables = (*variables, variable, variable)
    pieces = re.split("<([a-z]+)>", form)
    parts = [draw(expressions(piece, depth - 1, variables)) if at % 2 else piece for at, piece in enumerate(pieces)]
    return "".join(parts)


numbers = st.integers(min_value=-9, max_value=9) | st.decimals(min_value=-99, max_value=99, places=3)
inner = st.fixed_dictionaries({"a": numbers, "l": st.lists(numbers, max_size=2), "z": st.none()})
events = st.fixed_dictionaries(
    {"n": numbers, "m": numbers | st.just(10**59), "t": st.sampled_from(["a", "ab", "1.5", ""]), "b": st.booleans()},
    optional={"l": st.lists(numbers, max_size=3), "o": inner},
)


def _compiled(text: str) -> Expression | ExpressionProblem:
    try:
        return compiled(text)
    except ExpressionProblem as problem:
        return problem


def _compare(text: str, several: list[dict[str, Any]]) -> None:
    expression = _compiled(text)
    if isinstance(expression, ExpressionProblem):
        assert "nest" in expression.detail, text
        return
    for event in several:
        try:
            expected = walk(parse(text), event, {})
        except Nothing:
            expected = None
        found = as_fractions(expression.evaluate(event))

        assert (expected, type(expected)) == (found, type(found))


@settings(max_examples=500)
@given(expressions(), st.lists(events, min_size=1, max_size=4))
def test_compiled_expressions_equal_a_walk_over_the_tree(text: str, several: list[dict[str, Any]]) -> None:
    _compare(text, several)


@pytest.mark.long
@settings(max_examples=20_000)
@given(expressions(), st.lists(events, min_size=1, max_size=4))
def test_twenty_thousand_expressions_equal_a_walk_over_the_tree(text: str, several: list[dict[str, Any]]) -> None:
    _compare(text, several)


@given(st.text(max_size=30) | st.text(alphabet="abx01.+-*/%()[]{}?:,\"'&|!<>= \\\n", max_size=30))
def test_any_text_is_an_expression_or_a_problem(text: str) -> None:
    expression = _compiled(text)
    if isinstance(expression, ExpressionProblem):
        assert 0 <= expression.at <= len(text)
    else:
        expression.evaluate({"a": 1, "b": Decimal("0.5"), "x": [1]})
