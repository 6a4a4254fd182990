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
        ({"price": None, "quantity": 1}, ("price", "required")),
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
