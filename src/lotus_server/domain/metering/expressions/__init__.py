"""Expressions over an event's properties: a part of CEL, the Common Expression Language, in exact decimals.

`input_tokens * 2 + output_tokens` reads properties by their names; `properties` is the map of all of them, and
`a.b`, `a["b"]` and `list[0]` reach inside. There are `+ - * / %`, comparisons, `in`, `&& || !`, `? :`, lists, maps,
the functions of `functions` and the macros `has`, `all`, `exists`, `exists_one`, `map` and `filter`.

Where it differs from CEL: there is one kind of number, the exact decimal, so `1 == 1.0` and `7 / 2` is `3.5`; `has` is
false for a property that is null; `has(a)` takes a plain name too; there are no bytes, times, types and patterns.
"""

from lotus_server.domain.metering.expressions.arithmetic import Value
from lotus_server.domain.metering.expressions.compiler import STEPS_MAX, Expression, compiled
from lotus_server.domain.metering.expressions.parser import (
    DEPTH_MAX,
    EXPRESSION_LENGTH_MAX,
    NESTING_MAX,
    NODES_MAX,
    parse,
)
from lotus_server.domain.metering.expressions.syntax import ExpressionProblem

__all__ = [
    "DEPTH_MAX",
    "EXPRESSION_LENGTH_MAX",
    "NESTING_MAX",
    "NODES_MAX",
    "STEPS_MAX",
    "Expression",
    "ExpressionProblem",
    "Value",
    "compiled",
    "parse",
]
