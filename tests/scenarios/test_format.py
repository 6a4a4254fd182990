"""What a scenario file may hold, and what is said about one that is wrong."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from lotus_server.scenarios.compare import differences
from lotus_server.scenarios.times import instants
from lotus_server.scenarios.yaml_text import read_yaml
from tests.scenarios.stages import problems_of, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.10", Decimal("0.10")),
        ("12345678901234567890.123456789", Decimal("12345678901234567890.123456789")),
        ("1e3", Decimal(1000)),
        ("7", 7),
        ("'7'", "7"),
        ("007", "007"),
        ("1:30", "1:30"),
        ("2026-01-31", "2026-01-31"),
        ("yes", "yes"),
        ("true", True),
        ("~", None),
        ("", None),
        (".inf", ".inf"),
    ],
)
def test_a_value_is_what_it_looks_like(text: str, value: object) -> None:
    found = read_yaml(f"key: {text}").value["key"]

    assert (value, type(value)) == (found, type(found))


def test_each_value_knows_its_line() -> None:
    document = read_yaml("a: 1\nb:\n  - c: 2\n  - d: 3\n")

    assert [1, 2, 3, 4] == [document.line_of(path) for path in (("a",), ("b",), ("b", 0, "c"), ("b", 1, "d"))]
    assert document.line_of(("b", 1, "unknown", "deeper")) == 4


def test_a_file_that_is_no_yaml_is_told_by_line() -> None:
    ((line, detail),) = problems_of("name: x\nsteps: [\n")

    assert line == 3
    assert detail.startswith("This is no YAML")


def test_a_file_that_repeats_itself_without_end_is_refused() -> None:
    text = "name: x\nsteps: &a [*a]\n"

    assert "The file is nested too deeply or has too many values." in [detail for _, detail in problems_of(text)]


def test_all_that_is_wrong_with_a_file_is_told_at_once() -> None:
    text = """\
nam: x
start: 2026-13-01
plans:
  - {plan_id: p, plan_id: q}
steps:
  - at: 2026-02-30
    subscribes: {}
    events: [{event: x, repeat: 0}]
  - at: 2025-01-01
    repeat: 2
    expect: {invoces: [], invoices: {counts: 3}}
    call: {path: /docs, method: FETCH}
"""

    assert [1, 1, 2, 4, 6, 7, 8, 8, 8, 9, 10, 11, 11, 12, 12] == [line for line, _ in problems_of(text)]


@pytest.mark.parametrize(
    "text", ["", "[]", "7", "name: x", "name: x\nsteps: []", "name: ' '\nsteps: [{at: 2026-01-01}]"]
)
def test_what_is_no_scenario_is_refused(text: str) -> None:
    assert problems_of(text)


def test_a_scenario_starts_in_2026_unless_it_says_otherwise() -> None:
    assert datetime(2026, 1, 1, tzinfo=UTC) == read("name: x\nsteps: [{at: 2026-01-01}]").start


def test_a_repeated_step_returns_to_its_day_after_a_short_month() -> None:
    steps = read("name: x\nsteps: [{at: 2026-01-31, repeat: 3, every: 1 month}]").steps

    assert ["2026-01-31", "2026-02-28", "2026-03-31"] == [f"{step.at:%Y-%m-%d}" for step in steps]


@pytest.mark.parametrize(
    ("every", "last"),
    [("second", "00:00:02"), ("15 minutes", "00:30:00"), ("2 hours", "04:00:00")],
)
def test_a_distance_is_counted_from_the_first_instant(every: str, last: str) -> None:
    assert last == f"{list(instants(datetime(2026, 1, 1, tzinfo=UTC), every, 3))[-1]:%H:%M:%S}"


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (10, Decimal("10.00")),
        ("10.00", 10),
        (Decimal("0.1"), "0.10"),
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("2026-01-31T01:00:00+01:00", "2026-01-31T00:00:00Z"),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"Fee": 10}, [{"name": "Fee", "amount": Decimal(10), "quantity": 1}]),
        (None, None),
        ({}, {"a": 1}),
    ],
)
def test_what_means_the_same_does_not_differ(expected: object, actual: object) -> None:
    assert [] == list(differences(expected, actual))


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (10, Decimal("10.01")),
        (True, 1),
        (None, 0),
        (0, None),
        ("a", "b"),
        ([], [1]),
        ([1, 2], [1, 3]),
        ({"a": 1}, {}),
        ({"a": {}}, {"a": 1}),
        ({"Fee": 10}, []),
        ({"Fee": 10}, [{"name": "Fee", "amount": 10}, {"name": "Fee", "amount": 10}]),
        ("2026-01-31", "2026-02-01T00:00:00Z"),
    ],
)
def test_what_is_not_the_same_differs(expected: object, actual: object) -> None:
    assert len(list(differences(expected, actual))) == 1


def test_every_difference_is_found_with_its_way() -> None:
    found = list(differences({"a": 1, "b": [{"c": 2}, {"c": 3}]}, {"a": 2, "b": [{"c": 2}, {"c": 4}]}))

    assert [(("a",), "1", "2"), (("b", 1, "c"), "3", "4")] == [
        (each.path, each.expected, each.actual) for each in found
    ]
