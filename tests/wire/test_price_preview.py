"""The price preview in JSON."""

from decimal import Decimal
from typing import Any

import pytest

from lotus_server.http.json_reply import encode
from lotus_server.kernel.errors import Invalid, Problems
from lotus_server.wire.forms import read
from lotus_server.wire.price_preview import QUANTITIES_MAX, PricePreviewForm

D = Decimal
PER_UNIT = {"model": "per_unit", "unit_price": "0.015", "free_units": 10}

DYNAMIC = {"model": "dynamic", "amount_property": "cost"}


def _row(payload: dict[str, Any]) -> Any:  # noqa: ANN401 - a JSON value
    problems = Problems()
    return read(PricePreviewForm, {"price": PER_UNIT} | payload, problems).to_preview(problems, "USD").row()


def test_a_quantity_is_priced_and_explained() -> None:
    assert {
        "amount": D("0.02"),
        "exact_amount": D("0.015"),
        "currency": "USD",
        "lines": [
            {"text": "10 units free", "quantity": D(10), "unit_price": D(0), "amount": D(0)},
            {"text": "the other 1 unit x 0.015", "quantity": D(1), "unit_price": D("0.015"), "amount": D("0.015")},
        ],
    } == _row({"quantity": 11})


def test_the_amount_is_rounded_to_the_currency() -> None:
    assert ["0.02", "0", "0.015"] == [
        str(_row({"quantity": 11, "currency": code})["amount"]) for code in ("USD", "jpy", "KWD")
    ]


def test_several_quantities_have_an_answer_each() -> None:
    assert [D("0.00"), D("0.15")] == [row["amount"] for row in _row({"quantities": [5, "20"]})]


def test_the_values_of_events_are_added() -> None:
    assert D("0.15") == _row({"events": [{"value": 15}, {"value": "5", "properties": {"a": 1}}]})["amount"]


def test_windows_are_priced_one_by_one() -> None:
    assert D("0.30") == _row({"windows": [20, 20, 3]})["amount"]


def test_what_was_rated_before_lies_below_the_quantity() -> None:
    price = {"model": "per_unit", "unit_price": 1, "free_units": 10}

    assert D(10) == _row({"price": price, "quantity": 15, "already_rated": 5})["exact_amount"]
    assert D(15) == _row({"price": price, "quantity": 15, "already_rated": 20})["exact_amount"]


def test_events_are_taken_in_their_order() -> None:
    price = {"model": "percentage", "rate_percent": "1.3", "fixed_fee": 2, "free_events": 3, "free_amount": 250}
    events = [{"value": value} for value in (50, 100, 250, 400)]
    row = _row({"price": price, "events": events})

    assert D("11.15") == row["amount"]
    assert [
        "the first 250 free: 2 events and a part of the next",
        "the other 550 x 1.3 %",
        "fixed fee: 2 events x 2",
    ] == [line["text"] for line in row["lines"]]
    # The other way round the first event uses up the allowance, and all four have a fee: 550 x 1.3 % + 4 x 2.
    assert D("15.15") == _row({"price": price, "events": list(reversed(events))})["amount"]


def test_events_that_were_rated_before_use_up_the_allowance() -> None:
    price = {"model": "percentage", "rate_percent": 1, "free_amount": 100}
    row = _row({"price": price, "events": [{"value": 80}], "already_rated_events": [{"value": 60}]})

    assert D("0.40") == row["amount"]
    assert D(0) == row["lines"][-1]["amount"]


def test_events_are_grouped_by_the_dimensions_of_a_matrix() -> None:
    cells = [{"when": {"model": "small"}, "price": PER_UNIT | {"unit_price": 1}}]
    events = [
        {"value": 12, "properties": {"model": "small"}},
        {"value": 5, "properties": {"model": "large"}},
        {"value": 3, "properties": {"model": "small", "region": "eu"}},
        {"value": 2},
    ]
    matrix = {"model": "matrix", "dimensions": ["model"], "cells": cells, "minimum_spend": 6}
    row = _row({"price": matrix, "events": events})
    with_default = _row({"price": matrix | {"default": {"model": "per_unit", "unit_price": 2}}, "events": events})

    assert [
        ("model small: 10 units free", D(0)),
        ("model small: the other 5 units x 1", D(5)),
        ("model large: no price, 5 not charged", D(0)),
        ("without model: no price, 2 not charged", D(0)),
        ("up to the minimum spend of 6", D(1)),
    ] == [(line["text"], line["amount"]) for line in row["lines"]]
    assert D("19.00") == with_default["amount"]


def test_the_amount_of_a_dynamic_price_is_in_the_event() -> None:
    price = {"model": "dynamic", "amount_property": "cost.usd", "multiplier": "1.2"}
    events = [{"properties": {"cost": {"usd": "0.5"}}}, {"value": 2, "properties": {"cost.usd": 2}}, {"value": "7.5"}]

    assert D("12.00") == _row({"price": price, "events": events})["amount"]
    assert D("6.00") == _row({"price": price, "quantity": 5})["amount"]


def test_windows_of_percentages_are_priced_one_by_one() -> None:
    tiers = [{"up_to": 10, "rate_percent": 1}, {"rate_percent": 2}]

    assert (
        D("0.60") == _row({"price": {"model": "graduated_percentage", "tiers": tiers}, "windows": [20, 20]})["amount"]
    )
    assert D("0.40") == _row({"price": {"model": "percentage", "rate_percent": 1}, "windows": [20, 20]})["amount"]


@pytest.mark.parametrize("way", ["quantity", "quantities", "windows"])
@pytest.mark.parametrize(
    "price",
    [
        {"model": "percentage", "rate_percent": 1, "fixed_fee": 1},
        {"model": "percentage", "rate_percent": 1, "free_events": 1},
        {"model": "percentage", "rate_percent": 1, "min_per_event": 1},
        {"model": "matrix", "dimensions": ["a"], "default": PER_UNIT},
    ],
)
def test_a_price_that_needs_events_is_not_guessed_from_a_quantity(price: dict[str, Any], way: str) -> None:
    with pytest.raises(Invalid) as raised:
        _row({"price": price, way: 1 if way == "quantity" else [1], "already_rated": 1})

    already = "not_for_windows" if way == "windows" else "not_for_model"
    assert [("already_rated", already), (way, "not_for_model")] == sorted(
        (problem.field, problem.code) for problem in raised.value.problems
    )


def test_a_third_is_shown_with_all_the_digits_that_it_has() -> None:
    price = {"model": "per_unit", "unit_price": 1, "batch_size": 3}
    row = _row({"price": price, "quantity": 1})

    assert b'"exact_amount":0.' + b"3" * 90 in encode(row)
    assert D("0.33") == row["amount"]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({}, ("quantity", "required")),
        ({"quantity": 1, "windows": [1]}, ("quantity", "ambiguous")),
        ({"quantity": 1, "currency": "XXX"}, ("currency", "unknown_currency")),
        ({"quantity": "x"}, ("quantity", "invalid_number")),
        ({"quantities": [1, "x"]}, ("quantities[1]", "invalid_number")),
        ({"quantities": [1, None]}, ("quantities[1]", "required")),
        ({"events": [{}]}, ("events[0].value", "required")),
        ({"windows": [1] * (QUANTITIES_MAX + 1)}, ("windows", "too_many")),
        ({"windows": [1], "already_rated": 1}, ("already_rated", "not_for_windows")),
        ({"windows": [1], "already_rated_events": []}, ("already_rated_events", "not_for_windows")),
        ({"quantity": 1, "already_rated": 1, "already_rated_events": []}, ("already_rated", "ambiguous")),
        ({"price": DYNAMIC, "events": [{"properties": {"a": 1}}]}, ("events[0].value", "required")),
        (
            {"price": DYNAMIC, "events": [{"properties": {"cost": "x"}}]},
            ("events[0].properties.cost", "invalid_number"),
        ),
        ({"price": DYNAMIC, "events": [{"value": 1, "properties": {"cost": 2}}]}, ("events[0].value", "ambiguous")),
        ({"price": None, "quantity": 1}, ("price", "required")),
        ({"price": None, "events": [{}]}, ("price", "required")),
        ({"price": {"model": "per_unit", "unit_price": -1}, "quantity": 1}, ("price.unit_price", "negative")),
        (
            {"price": {"model": "graduated", "tiers": [{"up_to": 5}]}, "quantity": 1},
            ("price.tiers[0].up_to", "last_tier_not_open"),
        ),
    ],
)
def test_what_cannot_be_previewed_says_why(payload: dict[str, Any], expected: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as raised:
        _row(payload)

    assert [expected] == [(problem.field, problem.code) for problem in raised.value.problems]
