"""How one property of an event is read."""

from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.metering.properties import as_number, as_text, lookup


@pytest.mark.parametrize(
    ("properties", "name", "value"),
    [
        ({"a": 1}, "a", 1),
        ({"a": None}, "a", None),
        ({}, "a", None),
        ({"a": {"b": 2}}, "a.b", 2),
        ({"a.b": 1, "a": {"b": 2}}, "a.b", 1),
        ({"a": {"b.c": 3}}, "a.b.c", 3),
        ({"a.b": {"c": 4}}, "a.b.c", 4),
        ({"a": {"b": {"c": 5}}}, "a.b.c", 5),
        ({"a": [1]}, "a.0", None),
        ({"a": 1}, "a.b", None),
        ({"a": False}, "a", False),
    ],
)
def test_a_name_finds_its_value_also_within(properties: dict[str, Any], name: str, value: object) -> None:
    assert value == lookup(properties, name)


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, "1"), (Decimal("1.5"), "1.5"), ("2.50", "2.5"), (" 3 ", "3"), ("-1e2", "-100"), (10**29, "1" + "0" * 29)],
)
def test_numbers_and_texts_that_spell_one_are_numbers(value: object, number: str) -> None:
    assert Decimal(number) == as_number(value)


@pytest.mark.parametrize(
    "value", [None, True, False, "", "abc", "NaN", [], {}, 10**30, Decimal("1e30"), Decimal("1e-31"), Decimal("NaN")]
)
def test_anything_else_is_no_number(value: object) -> None:
    assert as_number(value) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (Decimal("1.0"), "1"), (Decimal("1e0"), "1"), ("1", "1"), (True, "true"), ("true", "true"), ("é", "é")],
    ids=repr,
)
def test_equal_values_have_one_text(value: object, text: str) -> None:
    assert text == as_text(value)


@pytest.mark.parametrize("value", [None, [], {}, [1]])
def test_null_lists_and_objects_have_no_text(value: object) -> None:
    assert as_text(value) is None
