"""What forms of the price list read, and what prices are in words."""

from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.accounts import InvoiceSettings
from lotus_server.domain.catalog import (
    Dynamic,
    Graduated,
    GraduatedPercentage,
    Matrix,
    MatrixCell,
    Package,
    Percentage,
    PercentageTier,
    PerUnit,
    Price,
    Rounding,
    Tier,
    Volume,
)
from lotus_server.http.web.formats import Formats
from lotus_server.http.web.forms import Form
from lotus_server.http.web.price_preview import Asked, preview_price
from lotus_server.http.web.price_words import Amounts, short_words, words_of
from lotus_server.kernel.errors import Invalid

D = Decimal
DOLLARS = Amounts(Formats(InvoiceSettings()), "USD")
TIERS = (Tier(D(1000), D(0)), Tier(D(5000), D("0.02"), D(5)), Tier(None, D(1), batch_size=D(100), rounding=Rounding.UP))


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (
            PerUnit(D("0.01"), D(1000), minimum_spend=D(5)),
            ["$0.01 per unit", "The first 1,000 units are free", "At least $5.00 a period, also without usage"],
        ),
        (
            Graduated(TIERS),
            [
                "Up to 1,000: free",
                "Above 1,000, up to 5,000: $0.02 per unit, $5.00 once",
                "Above 5,000: $1.00 per 100 units (a batch begun counts as a whole one)",
            ],
        ),
        (Volume((Tier(None, D(2)),), maximum_spend=D(50)), ["Everything: $2.00 per unit", "At most $50.00 a period"]),
        (Package(D(100), D(3)), ["$3.00 per package of 100 units (a batch begun counts as a whole one)"]),
        (
            Percentage(D("2.9"), D("0.3"), free_events=10, free_amount=D(100)),
            [
                "2.9% of the amounts and $0.30 for each event",
                "The first 10 events or $100.00 of a period are free, whichever is reached first",
            ],
        ),
        (
            GraduatedPercentage((PercentageTier(D(500), D(3)), PercentageTier(None, D(2)))),
            ["Up to $500.00: 3%", "Above $500.00: 2%"],
        ),
        (Dynamic("cost", D("1.2")), ["The sum of cost of all events, times 1.2"]),
        (
            Matrix(("region",), (MatrixCell(("eu",), PerUnit(D(2))), MatrixCell((None,), PerUnit(D(1))))),
            [
                "Other groups cost nothing",
                "region = eu: Per unit. $2.00 per unit",
                "region = (none): Per unit. $1.00 per unit",
            ],
        ),
    ],
)
def test_a_price_is_told_in_words(price: Price, expected: list[str]) -> None:
    assert expected == list(words_of(price, DOLLARS).lines)


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (PerUnit(D("0.01")), "$0.01 per unit"),
        (Graduated(TIERS), "up to $1.00 per 100 units"),
        (Package(D(100), D(3)), "$3.00 per 100"),
        (Percentage(D("2.9")), "2.9%"),
        (Dynamic("cost"), "what cost says"),
        (Matrix(("region", "tier"), default=PerUnit(D(1))), "by region, tier"),
    ],
)
def test_a_price_is_told_in_a_few_words(price: Price, expected: str) -> None:
    assert expected == short_words(price, DOLLARS)


def _previewed(price: dict[str, Any], asked: Asked) -> tuple[Decimal, str]:
    found = preview_price({"price": price}, asked, "USD")
    return found.exact_amount, found.needs


def test_a_quantity_is_priced_exactly() -> None:
    price = {"model": "per_unit", "unit_price": "0.0015", "free_units": 10}

    assert (D("0.0015"), "quantity") == _previewed(price, Asked("11"))


def test_a_price_of_events_is_asked_with_their_number() -> None:
    price = {"model": "percentage", "rate_percent": 1, "fixed_fee": "0.25"}

    assert (D("9.00"), "events") == _previewed(price, Asked("200", events="4"))


def test_a_group_of_a_matrix_is_priced_alone_and_so_is_every_other() -> None:
    cells = [{"when": {"region": "eu"}, "price": {"model": "per_unit", "unit_price": 3}}]
    price = {
        "model": "matrix",
        "dimensions": ["region"],
        "cells": cells,
        "default": {"model": "per_unit", "unit_price": 1},
    }

    assert (D(15), "quantity") == _previewed(price, Asked("5"))
    assert (D(5), "quantity") == _previewed(price, Asked("5", group="1"))


def test_a_price_in_a_pricing_unit_is_money_in_the_curve_too() -> None:
    terms = {"price": {"model": "per_unit", "unit_price": 2}, "pricing_unit": "credits", "conversion_rate": "0.5"}

    found = preview_price(terms, Asked("10"), "USD")

    assert D(10) == found.exact_amount
    assert ("10", D(10)) == (found.chart.x[-1], found.chart.series[0].data[-1])


@pytest.mark.parametrize("events", ["0", "x", "10001", "1.5"])
def test_a_number_of_events_that_is_none_is_a_problem_of_that_field(events: str) -> None:
    with pytest.raises(Invalid) as caught:
        _previewed({"model": "percentage", "rate_percent": 1, "fixed_fee": 1}, Asked("1", events=events))

    assert ["events"] == [problem.field for problem in caught.value.problems]


def test_rows_keep_their_place_in_the_browser() -> None:
    form = Form([("a[3].b[5].c", "x"), ("a[1].c", "y"), ("a[3].b[2].c", "z")])

    assert {"a": [{"c": "y"}, {"b": [{"c": "z"}, {"c": "x"}]}]} == form.payload()
    assert "a[1].b[1].c" == form.current("a[3].b[5].c")
    assert "a[3].b[5].c" == form.in_browser("a[1].b[1].c")
    assert "a[9]" == form.current("a[9]")


def test_a_blank_row_is_left_out_or_kept_as_is_asked() -> None:
    form = Form([("a[0].b", ""), ("a[1].b", "x"), ("a[2].b", ""), ("c", "")])

    assert {"a": [None, {"b": "x"}]} == form.payload()
    assert {"a": [{}, {"b": "x"}, {}]} == form.payload(keeps_rows=True)


def test_scalars_and_pairs_are_read() -> None:
    form = Form(
        [
            ("yes:scalar", "Yes"),
            ("no:scalar", "no"),
            ("number:scalar", "2.50"),
            ("word:scalar", "gold"),
            ("when:pairs", "region = eu, tier =\nmodel=a=b"),
        ]
    )

    expected = {"region": "eu", "tier": None, "model": "a=b"}
    assert {"yes": True, "no": False, "number": D("2.50"), "word": "gold", "when": expected} == form.payload()


@pytest.mark.parametrize(
    "names",
    [("a", "a[0].b"), ("a[0]", "a.b"), ("a.b", "a[0]"), ("a[0].b", "a[0][1]"), ("a[0]", "a[0].b")],
)
def test_names_that_contradict_each_other_are_refused(names: tuple[str, str]) -> None:
    with pytest.raises(Invalid):
        Form([(name, "x") for name in names]).payload()
