"""What an expression computes from an event's properties, and which texts are no expressions."""

from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.metering.expressions import (
    DEPTH_MAX,
    EXPRESSION_LENGTH_MAX,
    NESTING_MAX,
    NODES_MAX,
    STEPS_MAX,
    ExpressionProblem,
    compiled,
)

D = Decimal
EVENT: dict[str, Any] = {
    "n": 7,
    "half": D("0.5"),
    "text": "abc",
    "digits": "12.5",
    "yes": True,
    "none": None,
    "list": [3, 1, 2],
    "map": {"a": 1, "b.c": 2, "void": None, "deep": {"x": "y"}},
    "dotted.name": 9,
    "if": 4,
    "long": 10**59,
}


def _value(text: str) -> object:
    return compiled(text).evaluate(EVENT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4 / 8", D("6.5")),
        ("(1 + 2) * 3", D(9)),
        ("10 - 4 - 3", D(3)),
        ("7 / 2", D("3.5")),
        ("-7 % 3", D(-1)),
        ("7.5 % 2", D("1.5")),
        ("- -n", D(7)),
        ("0.1 + 0.2", D("0.3")),
        (".5e1", D(5)),
        ("0x1F + 1u", D(32)),
        ("1 // a comment\n + 1", D(2)),
        ("n * half", D("3.5")),
        ("1 / 3", D("0." + "3" * 90)),
        ("2 / 3", D("0." + "6" * 89 + "7")),
        ("1 / 3 * (1 / 3)", D("0." + "1" * 90)),
    ],
)
def test_numbers_are_exact_decimals(text: str, expected: Decimal) -> None:
    assert expected == _value(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("properties.n", D(7)),
        ('properties["if"]', D(4)),
        ("map.a", D(1)),
        ("map.b.c", D(2)),
        ("properties.map.deep.x", "y"),
        ('map["b.c"]', D(2)),
        ('map["deep"].x', "y"),
        ("dotted.name", D(9)),
        ("list[0] + list[2.0]", D(5)),
        ('{"a": n, "b": 2}["a"]', D(7)),
        ('{"a": n}.a', D(7)),
        ("[1, n,][1]", D(7)),
        ("none == null", True),
        ("map.void == null", True),
        ("size(properties) > 3", True),
    ],
)
def test_properties_lists_and_maps_are_read(text: str, expected: object) -> None:
    assert expected == _value(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 == 1.0 && 1 != 2", True),
        ('1 == "1"', False),
        ("yes == 1", False),
        ("[1, [2]] == [1.0, [2]]", True),
        ("[true] == [1]", False),
        ('{"a": [n]} == {"a": [7]}', True),
        ('"a" < "b" && "b" >= "b" && false < true', True),
        ("n > 6.9 && n <= 7", True),
        ('"a" in ["a", 1] && 1 in ["a", 1] && !(true in [1])', True),
        ('"a" in map && !("z" in map)', True),
        ("!yes || n == 7", True),
        ("n > 5 ? text : none", "abc"),
        ("n < 5 ? 1 : n < 8 ? 2 : 3", D(2)),
    ],
)
def test_values_are_compared_by_type_and_value(text: str, expected: object) -> None:
    assert expected == _value(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true || missing", True),
        ("missing || true", True),
        ("false && missing", False),
        ("missing && false", False),
        ("1 / 0 > 1 || true", True),
        ("missing || false", None),
        ("true && missing", None),
        ("1 && true", None),
        ("has(missing) && missing > 1", False),
    ],
)
def test_either_side_alone_decides(text: str, expected: bool | None) -> None:
    assert expected is _value(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("has(n) && has(map.a) && has(properties.n) && has(map.deep.x)", True),
        ("has(missing) || has(map.z) || has(none) || has(map.void)", False),
        ('has({"a": 1}.a) && !has({"a": 1}.b) && has(properties)', True),
        ('size("añ") + "abc".size() + size(list) + size(map) + size([])', D(12)),
        ('string(1.50) + string(true) + string("x")', "1.5truex"),
        ('double(digits) + decimal("1e1") + double(n)', D("29.5")),
        ('int(7.9) + int(-7.9) + int("3")', D(3)),
        ("min(3, 1, 2) + max(list) + min(n)", D(11)),
        ("abs(-1.5) + ceil(1.2) + floor(-1.2)", D("1.5")),
        ("round(2.5) + round(-2.5) + round(1.005, 2) + round(1, 5)", D("2.01")),
        ('text.startsWith("ab") && text.endsWith("c") && text.contains("")', True),
        ("list.all(x, x > 0) && list.exists(x, x == 2) && list.exists_one(x, x == 2)", True),
        ("[1, 1].exists_one(x, x == 1)", False),
        ("list.map(x, x * 2)", [D(6), D(2), D(4)]),
        ("list.map(x, x > 1, x * 2)", [D(6), D(4)]),
        ("list.filter(x, x > 1) + [n]", [D(3), D(2), D(7)]),
        ('map.filter(key, key.startsWith("d"))', ["deep"]),
        ("list.map(x, [10, 20].map(y, x + y)[1])[0]", D(23)),
        ("list.map(n, n)[0] + n", D(10)),
        ("[].all(x, missing)", True),
        ("[1, 0].exists(x, 1 / x == 1)", True),
        ("[0, 1].exists(x, 1 / x == 1)", True),
        ("[0, 1].all(x, 1 / x > 1)", False),
    ],
)
def test_functions_and_macros(text: str, expected: object) -> None:
    assert expected == _value(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'"\n\t\\\"\'\x41\u00e9\U0001F600\101"', "\n\t\\\"'Aé😀A"),
        (r"r'\n'", r"\n"),
        ("'''a'\nb'''", "a'\nb"),
        ('"it\'s"', "it's"),
        ('"a" + "b"', "ab"),
    ],
)
def test_texts_are_written_as_in_cel(text: str, expected: str) -> None:
    assert expected == _value(text)


@pytest.mark.parametrize(
    "text",
    [
        "missing",
        "map.z",
        "text.z",
        "n / 0",
        "n % 0",
        "n + text",
        "digits * 2",
        "-text",
        "!n",
        "n && yes",
        "n ? 1 : 2",
        "n < text",
        "null < null",
        "list[3]",
        "list[-1]",
        "list[0.5]",
        'list["0"]',
        "map[0]",
        "n in text",
        "size(n)",
        "string(null)",
        "int(digits)",
        'double("many")',
        "double(true)",
        "min([])",
        "max(text, 1)",
        "round(1, 31)",
        "round(1, 0.5)",
        "list.all(x, x)",
        "list.exists(x, 1 / (x - 1) == 9)",
        "list.map(x, missing)",
        "list.filter(x, x)",
        "n.map(x, x)",
        "[0, 1].all(x, 1 / x > 0)",
        '{1: "a"}',
        '{"a": 1, "a": 2}',
        "has(text.z.y)",
        "long * long",
        "long * 10",
        "long + long + long + long + long + long + long + long + long + long",
        "text.startsWith(n)",
    ],
)
def test_an_event_that_does_not_fit_has_no_value(text: str) -> None:
    expected = False if text == "has(text.z.y)" else None

    assert expected is _value(text)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 1),
        ("1 +", 4),
        ("1 2", 3),
        ("a b", 3),
        ("(1", 3),
        ("[1 2]", 4),
        ("a.", 3),
        ("a..b", 3),
        ("a ? 1", 6),
        ("a @ b", 3),
        ("'abc", 1),
        ("'a\nb'", 1),
        (r"'\q'", 2),
        (r"'\ud800'", 2),
        ("12abc", 1),
        ("1e99", 1),
        ("if", 1),
        ("in", 1),
        ("a.true", 3),
        ("sqrt(4)", 1),
        ("a.sqrt()", 3),
        ("a.min(1)", 3),
        ("startsWith(a, b)", 1),
        ("size()", 1),
        ("round(1, 2, 3)", 1),
        ("has(1)", 1),
        ("has(a, b)", 1),
        ("a.all(x)", 3),
        ("a.all(1, true)", 7),
        ("a.all(x, y, z)", 3),
        ('text.matches("a")', 6),
        ("a = b", 3),
        ("{a}", 3),
    ],
)
def test_what_is_no_expression_says_where(text: str, at: int) -> None:
    with pytest.raises(ExpressionProblem) as caught:
        compiled(text)

    assert str(caught.value).startswith(f"Character {at}: ")


@pytest.mark.parametrize(
    ("fits", "too_much"),
    [
        ("1" + " " * (EXPRESSION_LENGTH_MAX - 1), "1" + " " * EXPRESSION_LENGTH_MAX),
        ("(" * (NESTING_MAX - 1) + "1" + ")" * (NESTING_MAX - 1), "(" * NESTING_MAX + "1" + ")" * NESTING_MAX),
        ("-" * (NESTING_MAX - 1) + "1", "-" * NESTING_MAX + "1"),
        ("+".join("1" * DEPTH_MAX), "+".join("1" * (DEPTH_MAX + 1))),
        (f"[{','.join('1' * (NODES_MAX - 1))}]", f"[{','.join('1' * NODES_MAX)}]"),
        ("a" * 2_000, "a" * 2_001),
    ],
    ids=["length", "brackets", "signs", "depth", "parts", "name"],
)
def test_an_expression_has_limits(fits: str, too_much: str) -> None:
    compiled(fits)

    with pytest.raises(ExpressionProblem):
        compiled(too_much)


@pytest.mark.parametrize(
    "text",
    [
        "l.map(x, l.map(y, l.map(z, x)))",
        "l.all(x, x in l)",
        "l.all(x, l == l)",
        "l.exists(x, false) || true",
        "l.all(x, min(l) == 0)",
    ],
)
def test_an_evaluation_takes_a_limited_number_of_steps(text: str) -> None:
    event = {"l": [0] * STEPS_MAX}

    assert None is compiled(text).evaluate(event)


def test_nested_values_are_compared_to_a_limited_depth() -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]

    assert None is compiled("a == b").evaluate({"a": deep, "b": [deep[0]]})


def test_texts_do_not_grow_without_end() -> None:
    event = {"t": "x" * 6_000}

    assert None is compiled("t + t").evaluate(event)


def test_the_same_text_is_compiled_once() -> None:
    assert compiled("n + 1") is compiled("n + 1")
