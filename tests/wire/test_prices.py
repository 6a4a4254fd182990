"""Prices in JSON, in our form and in those of the original system."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from lotus_server.domain.catalog import (
    Component,
    Dynamic,
    Graduated,
    GraduatedPercentage,
    Matrix,
    Package,
    Percentage,
    PercentageTier,
    PerUnit,
    Price,
    Rounding,
    Tier,
    Volume,
    component_problems,
)
from lotus_server.domain.metering import Aggregation, Metric, MetricDefinition
from lotus_server.http.json_reply import encode
from lotus_server.kernel.errors import Problems
from lotus_server.usecases.plans import ComponentDraft
from lotus_server.wire.components import ComponentForm, component_row
from lotus_server.wire.forms import read
from lotus_server.wire.prices import PriceForm, price_row
from tests.domain.rating.strategies import every_price
from tests.wire.json_text import parsed

D = Decimal
METRIC = Metric("org", "m", "Calls", MetricDefinition("call", Aggregation.COUNT))
FREE_TO_50 = {"type": "free", "range_start": 0, "range_end": 50}


def _price(payload: Any) -> tuple[Price, list[tuple[str, str]]]:  # noqa: ANN401 - a JSON value
    problems = Problems()
    price = read(PriceForm, payload, problems).to_price(problems)
    return price, [(problem.field, problem.code) for problem in problems.found]


def _component(payload: dict[str, Any]) -> tuple[ComponentDraft, list[tuple[str, str]]]:
    problems = Problems()
    draft = read(ComponentForm, {"metric_id": "m"} | payload, problems).to_draft(problems, "")
    return draft, [(problem.field, problem.code) for problem in problems.found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"model":"per_unit","unit_price":0.01}', PerUnit(D("0.01"))),
        ('{"model":"per_unit","unit_price":"0.010"}', PerUnit(D("0.01"))),
        (
            '{"model":"per_unit","unit_price":5,"free_units":50,"batch_size":100,"rounding":"up","unknown":1}',
            PerUnit(D(5), D(50), D(100), Rounding.UP),
        ),
        ('{"model":"package","package_size":20,"package_price":5}', Package(D(20), D(5))),
        (
            '{"model":"package","package_size":20,"package_price":5,"rounding":"round_down","minimum_spend":1}',
            Package(D(20), D(5), rounding=Rounding.DOWN, minimum_spend=D(1)),
        ),
        (
            '{"model":"graduated","tiers":[{"up_to":10,"flat_fee":1},{"up_to":null,"unit_price":2}]}',
            Graduated((Tier(D(10), flat_fee=D(1)), Tier(None, D(2)))),
        ),
        ('{"model":"volume","tiers":[{"unit_price":"2"}],"maximum_spend":9}', Volume((Tier(None, D(2)),), None, D(9))),
        ('{"model":"percentage","rate_percent":"1.3"}', Percentage(D("1.3"))),
        (
            """{"model":"percentage","rate_percent":1,"fixed_fee":2,"free_events":3,"free_amount":4,
                "min_per_event":5,"max_per_event":6,"maximum_spend":7}""",
            Percentage(D(1), D(2), 3, D(4), D(5), D(6), None, D(7)),
        ),
        (
            '{"model":"graduated_percentage","tiers":[{"up_to":10,"rate_percent":1,"flat_fee":2},{}]}',
            GraduatedPercentage((PercentageTier(D(10), D(1), D(2)), PercentageTier())),
        ),
        ('{"model":"dynamic","amount_property":"cost","multiplier":1.2}', Dynamic("cost", D("1.2"))),
        (
            '{"model":"matrix","dimensions":["a"],"default":{"model":"dynamic","amount_property":"b"}}',
            Matrix(("a",), (), Dynamic("b")),
        ),
    ],
)
def test_a_price_is_read(text: str, expected: Price) -> None:
    assert (expected, []) == _price(parsed(text))


def test_numbers_keep_every_digit() -> None:
    price, _ = _price(parsed('{"model":"per_unit","unit_price":0.123456789012345678901234567890}'))

    assert isinstance(price, PerUnit)
    assert "0.123456789012345678901234567890" == str(price.unit_price)


@given(every_price)
def test_a_price_that_was_shown_is_read_back_equal(price: Price) -> None:
    assert (price, []) == _price(parsed(encode(price_row(price)).decode()))


@pytest.mark.parametrize("value", ["true", '"NaN"', '"Infinity"', "1e400", '"1e400"', "1e30", '"a"', "[]", "{}", '""'])
def test_what_is_no_number_names_its_field(value: str) -> None:
    _, problems = _price(parsed(f'{{"model":"graduated","tiers":[{{"unit_price":{value}}}]}}'))

    assert 1 == len(problems)
    assert "tiers[0].unit_price" == problems[0][0]
    assert problems[0][1] in {"invalid_number", "out_of_range"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", ("model", "required")),
        ('{"model":"stairs"}', ("model", "invalid_choice")),
        ('{"model":"percentage"}', ("rate_percent", "required")),
        ('{"model":"percentage","rate_percent":1,"free_events":1.5}', ("free_events", "invalid_number")),
        ('{"model":"percentage","rate_percent":1,"unit_price":1}', ("unit_price", "not_for_model")),
        ('{"model":"graduated_percentage"}', ("tiers", "required")),
        ('{"model":"graduated_percentage","tiers":[{"unit_price":1}]}', ("tiers[0].unit_price", "not_for_model")),
        ('{"model":"graduated_percentage","tiers":[{"type":"free"}]}', ("tiers[0].type", "not_for_model")),
        ('{"model":"graduated","tiers":[{"rate_percent":1}]}', ("tiers[0].rate_percent", "not_for_model")),
        ('{"model":"dynamic"}', ("amount_property", "required")),
        ('{"model":"matrix"}', ("dimensions", "required")),
        ('{"model":"matrix","dimensions":"a"}', ("dimensions", "invalid")),
        ('{"model":"matrix","dimensions":["a"],"cells":[{}]}', ("cells[0].when", "required")),
        ('{"model":"matrix","dimensions":["a"],"cells":[{"when":{"a":1}}]}', ("cells[0].price", "required")),
        ('{"model":"per_unit"}', ("unit_price", "required")),
        ('{"model":"package","package_price":1}', ("package_size", "required")),
        ('{"model":"graduated"}', ("tiers", "required")),
        ('{"model":"graduated","tiers":5}', ("tiers", "invalid")),
        ('{"model":"graduated","tiers":[{}],"free_units":5}', ("free_units", "not_for_model")),
        ('{"model":"per_unit","unit_price":1,"tiers":[]}', ("tiers", "not_for_model")),
        ('{"model":"per_unit","unit_price":1,"rounding":"sideways"}', ("rounding", "invalid_choice")),
        ('{"model":"graduated","tiers":[{"rounding":"sideways"}]}', ("tiers[0].rounding", "invalid_choice")),
        (
            '{"model":"graduated","tiers":[{"type":"free","range_start":0,"range_end":5}]}',
            ("tiers[0].range_end", "last_tier_not_open"),
        ),
    ],
)
def test_a_price_that_cannot_be_understood_says_why(text: str, expected: tuple[str, str]) -> None:
    assert expected == _price(parsed(text))[1][0]


def test_everything_wrong_with_a_matrix_is_named_with_its_place() -> None:
    price = """{"model":"matrix","dimensions":["a","b"],"minimum_spend":"x","default":{"model":"matrix"},"cells":[
        {"when":{"a":"1"},"price":{"model":"per_unit"}},
        {"when":{"a":"1","b":[],"c":"2"},"price":{"model":"matrix"}},
        {"when":{"a":"1","b":null},"price":{"model":"graduated","tiers":[{"unit_price":true}]}}]}"""

    assert [
        ("cells[2].price.tiers[0].unit_price", "invalid_number"),
        ("minimum_spend", "invalid_number"),
        ("cells[0].when.b", "required"),
        ("cells[0].price.unit_price", "required"),
        ("cells[1].when.b", "invalid"),
        ("cells[1].when.c", "invalid_choice"),
        ("cells[1].price.model", "not_for_model"),
        ("default.model", "not_for_model"),
    ] == _price(parsed(price))[1]


def test_the_values_of_a_cell_are_those_that_a_metric_groups_by() -> None:
    matrix = """{"model":"matrix","dimensions":["size","spot"],"cells":[
        {"when":{"spot":true,"size":1.0},"price":{"model":"per_unit","unit_price":1}},
        {"when":{"size":"1","spot":null},"price":{"model":"per_unit","unit_price":2}}]}"""
    price, problems = _price(parsed(matrix))

    assert [] == problems
    assert isinstance(price, Matrix)
    assert [("1", "true"), ("1", None)] == [cell.when for cell in price.cells]


def test_a_percentage_of_the_quantity_is_shown_as_tiers_of_hundredths() -> None:
    tiers = (PercentageTier(D(10)), PercentageTier(None, D("2.5")))
    graduated = component_row(Component("c", "m", GraduatedPercentage(tiers)), METRIC, "USD")
    plain = component_row(Component("c", "m", Percentage(D("2.5"), free_amount=D(7))), METRIC, "USD")

    assert () == component_problems(Component("c", "m", Percentage(D("2.5"))))
    assert [("free", D(0)), ("per_unit", D("0.025"))] == [
        (tier["type"], tier["cost_per_batch"]) for tier in graduated["tiers"]
    ]
    assert (D(10), D("0.025")) == (graduated["free_metric_units"], graduated["cost_per_batch"])
    assert (D(7), D("0.025")) == (plain["free_metric_units"], plain["cost_per_batch"])


def test_the_originals_touching_tiers_become_ours() -> None:
    draft, problems = _component(
        {
            "tiers": [
                FREE_TO_50,
                {
                    "type": "per_unit",
                    "range_start": 50,
                    "range_end": 100,
                    "cost_per_batch": "5",
                    "metric_units_per_batch": 10,
                    "batch_rounding_type": "round_nearest",
                },
                {"type": "flat", "range_start": 100, "range_end": None, "cost_per_batch": 7},
            ]
        }
    )

    assert [] == problems
    expected = (Tier(D(50)), Tier(D(100), D(5), batch_size=D(10), rounding=Rounding.NEAREST), Tier(None, flat_fee=D(7)))
    assert ComponentDraft("m", Graduated(expected)) == draft


def test_the_originals_stepped_tiers_become_ours() -> None:
    stepped = [FREE_TO_50, {"type": "per_unit", "range_start": 51, "cost_per_batch": 5}]

    assert Graduated((Tier(D(50)), Tier(None, D(5)))) == _component({"tiers": stepped})[0].price


def test_a_finite_last_range_is_the_limit_and_beyond_it_nothing_more_is_charged() -> None:
    draft, _ = _component({"tiers": [{"type": "per_unit", "range_start": 0, "range_end": 100, "cost_per_batch": 5}]})

    assert ComponentDraft("m", Graduated((Tier(D(100), D(5)), Tier())), D(100)) == draft


def test_a_metric_that_is_only_free_up_to_a_limit_never_costs() -> None:
    assert ComponentDraft("m", Graduated((Tier(),)), D(50)) == _component({"tiers": [FREE_TO_50]})[0]


def test_bulk_pricing_is_a_volume_price() -> None:
    tiers = [{"type": "per_unit", "range_start": 0, "cost_per_batch": 5}]

    assert Volume((Tier(None, D(5)),)) == _component({"tiers": tiers, "bulk_pricing_enabled": True})[0].price


@pytest.mark.parametrize(
    ("tiers", "expected"),
    [
        ([], ("tiers", "required")),
        ([{"type": "free", "range_start": 5}], ("tiers[0].range_start", "not_contiguous")),
        ([FREE_TO_50, {"type": "free", "range_start": 60}], ("tiers[1].range_start", "not_contiguous")),
        (
            [
                FREE_TO_50,
                {"type": "free", "range_start": 51, "range_end": 60},
                {"type": "free", "range_start": 60},
            ],
            ("tiers[2].range_start", "not_contiguous"),
        ),
        ([{"type": "free", "range_start": 0}, {"type": "free", "range_start": 5}], ("tiers[0].range_end", "required")),
        ([{"type": "free", "range_start": 0, "range_end": 0}], ("tiers[0].range_end", "not_ascending")),
        ([{"range_start": 0, "cost_per_batch": 1}], ("tiers[0].type", "invalid_choice")),
        ([{"type": "per_unit", "range_start": 0}], ("tiers[0].cost_per_batch", "required")),
        ([{"type": "flat", "range_start": 0, "cost_per_batch": -1}], ("tiers[0].cost_per_batch", "negative")),
        ([FREE_TO_50 | {"up_to": 50}], ("tiers[0]", "ambiguous")),
        (
            [{"type": "per_unit", "range_start": 0, "cost_per_batch": 1, "metric_units_per_batch": 0}],
            ("tiers[0].metric_units_per_batch", "not_positive"),
        ),
    ],
)
def test_the_originals_tiers_that_make_no_sense_say_why(tiers: list[Any], expected: tuple[str, str]) -> None:
    assert [expected] == _component({"tiers": tiers})[1]


def test_the_first_releases_batch_prices_become_ours() -> None:
    payload = {
        "metric_id": None,
        "billable_metric_name": "Calls",
        "free_metric_units": 50,
        "cost_per_batch": "5",
        "metric_units_per_batch": 100,
        "max_metric_units": 1000,
    }

    expected = ComponentDraft("Calls", PerUnit(D(5), D(50), D(100), Rounding.UP), D(1000))
    assert (expected, []) == _component(payload)


def test_a_metric_without_a_cost_was_free() -> None:
    payload = {"metric_id": None, "billable_metric_name": "Calls"}

    assert ComponentDraft("Calls", PerUnit(D(0), rounding=Rounding.UP)) == _component(payload)[0]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({}, ("price", "required")),
        ({"metric_id": None, "price": {"model": "per_unit", "unit_price": 1}}, ("metric_id", "required")),
        ({"price": {"model": "per_unit", "unit_price": 1}, "cost_per_batch": 1}, ("price", "ambiguous")),
        ({"tiers": [FREE_TO_50], "limit": 60}, ("limit", "ambiguous")),
        (
            {"price": {"model": "per_unit", "unit_price": 1}, "reset_interval_unit": "hour"},
            ("reset_interval_unit", "invalid_choice"),
        ),
        ({"cost_per_batch": -1}, ("cost_per_batch", "negative")),
        ({"cost_per_batch": 1, "metric_units_per_batch": 0}, ("metric_units_per_batch", "not_positive")),
    ],
)
def test_a_component_that_cannot_be_understood_says_why(payload: dict[str, Any], expected: tuple[str, str]) -> None:
    assert [expected] == _component(payload)[1]


def test_a_component_is_shown_in_every_form() -> None:
    price = PerUnit(D(5), D(50), D(100), Rounding.UP)

    row = component_row(Component("c", "m", price, D(1000)), METRIC, "USD")

    assert {"free_metric_units": D(50), "cost_per_batch": D(5), "metric_units_per_batch": D(100)} == {
        key: row[key] for key in ("free_metric_units", "cost_per_batch", "metric_units_per_batch")
    }
    assert D(1000) == row["max_metric_units"] == row["limit"]
    assert [("free", D(0), D(50)), ("per_unit", D(50), D(1000))] == [
        (tier["type"], tier["range_start"], tier["range_end"]) for tier in row["tiers"]
    ]


def test_the_originals_tiers_come_back_as_they_were_sent() -> None:
    tiers = [
        {
            "type": "free",
            "range_start": D(0),
            "range_end": D(50),
            "cost_per_batch": D(0),
            "metric_units_per_batch": D(1),
            "batch_rounding_type": "no_rounding",
        },
        {
            "type": "per_unit",
            "range_start": D(50),
            "range_end": D(100),
            "cost_per_batch": D(5),
            "metric_units_per_batch": D(10),
            "batch_rounding_type": "round_up",
        },
    ]
    draft, problems = _component({"tiers": tiers})
    row = component_row(Component("c", "m", draft.price, draft.limit), METRIC, "USD")

    assert [] == problems
    assert tiers == [{key: value for key, value in tier.items() if key != "flat_fee"} for tier in row["tiers"]]


def test_what_the_old_forms_cannot_say_is_null() -> None:
    price = Graduated((Tier(D(10), D(1)), Tier(None, D(2), D(3))))
    row = component_row(Component("c", "m", price), METRIC, "USD")

    assert (None, None) == (row["cost_per_batch"], row["metric_units_per_batch"])
