"""Which events count for a metric."""

from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.metering import Filter, FilterScalar, Operator, PropertyMatch, compile_filters
from lotus_server.domain.metering.filters import holds

D = Decimal
MISSING: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("operator", "value", "properties", "expected"),
    [
        (Operator.EQ, "a", {"p": "a"}, True),
        (Operator.EQ, "a", {"p": "A"}, False),
        (Operator.EQ, D(1), {"p": "1"}, True),
        (Operator.EQ, "1", {"p": D("1.0")}, True),
        (Operator.EQ, D(1), {"p": "1.0"}, True),
        (Operator.EQ, D(1), {"p": "1e0"}, True),
        (Operator.EQ, "1.0", {"p": D(1)}, False),
        (Operator.EQ, D(1), {"p": True}, False),
        (Operator.NE, D(1), {"p": "1.0"}, False),
        (Operator.IN, ("a", D(2)), {"p": "2.0"}, True),
        (Operator.NOT_IN, (D(1), D(2)), {"p": "2.0"}, False),
        (Operator.EQ, D(1), {"p": [1]}, False),
        (Operator.EQ, True, {"p": True}, True),
        (Operator.EQ, "a", MISSING, False),
        (Operator.NE, "a", {"p": "b"}, True),
        (Operator.NE, "a", {"p": "a"}, False),
        (Operator.NE, "a", MISSING, True),
        (Operator.IN, ("a", D(2)), {"p": 2}, True),
        (Operator.IN, ("a", "b"), {"p": "c"}, False),
        (Operator.IN, ("a", "b"), MISSING, False),
        (Operator.NOT_IN, ("a", "b"), {"p": "c"}, True),
        (Operator.NOT_IN, ("a", "b"), {"p": "b"}, False),
        (Operator.NOT_IN, ("a", "b"), MISSING, True),
        (Operator.GT, D(5), {"p": 5}, False),
        (Operator.GT, D(5), {"p": D("5.1")}, True),
        (Operator.GTE, D(5), {"p": "5"}, True),
        (Operator.LT, D(5), {"p": 5}, False),
        (Operator.LT, D(5), {"p": -1}, True),
        (Operator.LTE, D(5), {"p": 5}, True),
        (Operator.LTE, D(5), {"p": "many"}, False),
        (Operator.LTE, D(5), MISSING, False),
        (Operator.GT, D(0), {"p": True}, False),
        (Operator.EXISTS, None, {"p": 0}, True),
        (Operator.EXISTS, None, {"p": None}, False),
        (Operator.NOT_EXISTS, None, MISSING, True),
        (Operator.NOT_EXISTS, None, {"p": ""}, False),
    ],
)
def test_an_operator_compares(
    operator: Operator,
    value: FilterScalar | tuple[FilterScalar, ...] | None,
    properties: dict[str, Any],
    expected: bool,
) -> None:
    assert expected == holds(Filter("p", operator, value), properties)


def test_all_filters_and_all_matches_must_hold() -> None:
    passes = compile_filters(
        (Filter("size", Operator.GT, D(1)), Filter("kind", Operator.EQ, "x")), (PropertyMatch("region", "eu"),)
    )
    good = {"size": 2, "kind": "x", "region": "eu"}

    assert passes is not None
    assert passes(good)
    assert not any(passes(good | change) for change in ({"size": 1}, {"kind": "y"}, {"region": "us"}))


def test_without_conditions_there_is_nothing_to_test() -> None:
    assert compile_filters((), ()) is None
