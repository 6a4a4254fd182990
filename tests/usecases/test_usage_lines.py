"""Every price that a plan can have comes to an invoice, and the invoice says what the preview says."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from lotus_server.domain.invoicing import Invoice
from lotus_server.domain.metering import Aggregation, Granularity, LevelForm, MetricDefinition, MetricType
from lotus_server.kernel.errors import Invalid, Problems
from lotus_server.kernel.period import Duration
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plan_switch import PlanSwitch, switch_plan
from lotus_server.usecases.plans import ComponentDraft, PlanDraft, VersionDraft, create_plan
from lotus_server.wire.forms import read
from lotus_server.wire.price_preview import PricePreviewForm
from lotus_server.wire.prices import PriceForm
from tests.business import Business, Json, at

Event = tuple[str, dict[str, Any]]
EVENTS: list[dict[str, Any]] = [
    {"bytes": 40, "cost": "1.25", "region": "eu", "size": "s"},
    {"bytes": 120, "cost": "0.333", "region": "us", "size": "s"},
    {"bytes": 60, "cost": "2", "region": "eu", "size": "s"},
    {"bytes": 7, "cost": "0.5", "size": "l"},
]
BY_BYTES = MetricDefinition("call", Aggregation.SUM, "bytes")
BY_REGION = MetricDefinition("call", Aggregation.SUM, "bytes", group_by=("region",))
BY_SIZE_AND_REGION = MetricDefinition("call", Aggregation.SUM, "bytes", group_by=("size", "region"))
PER_REGION = {
    "model": "matrix",
    "dimensions": ["region", "size"],
    "cells": [
        {"when": {"region": "eu", "size": "s"}, "price": {"model": "per_unit", "unit_price": "0.013"}},
        {"when": {"region": "us", "size": "s"}, "price": {"model": "dynamic", "amount_property": "cost"}},
    ],
    "default": {"model": "percentage", "rate_percent": 3, "fixed_fee": "0.1"},
}


def sell(business: Business, definition: MetricDefinition, price: Json, plan_id: str = "pro", **more: Json) -> None:
    """Make a plan with one component, whose price is given as JSON."""
    draft = MetricDraft(f"usage of {plan_id}", definition, f"usage_{plan_id}")
    create_metric(business.services, business.organization, draft)
    problems = Problems()
    component = ComponentDraft(f"usage_{plan_id}", read(PriceForm, price, problems).to_price(problems, ""), **more)
    problems.raise_if_any()
    version = VersionDraft(components=(component,))
    create_plan(business.services, business.organization, PlanDraft("Pro", Duration.MONTHLY, version, plan_id))


def happen(business: Business, events: list[dict[str, Any]], when: str = "2026-01-10") -> None:
    for properties in events:
        business.events.put(business.organization_id, "call", "acme", at(when), properties)


def invoice_of_january(business: Business) -> Invoice:
    business.move("2026-02-01")
    (invoice,) = business.invoices()
    return invoice


def preview(price: Json, events: list[dict[str, Any]]) -> Decimal:
    problems = Problems()
    payload = {"price": price, "events": [{"value": each["bytes"], "properties": each} for each in events]}
    if price["model"] == "dynamic":
        payload["events"] = [{"properties": each} for each in events]
    if price["model"] == "matrix":
        dynamic = {("us", "s")}
        payload["events"] = [
            {"properties": each}
            if (each.get("region"), each["size"]) in dynamic
            else {"value": each["bytes"], "properties": each}
            for each in events
        ]
    row = read(PricePreviewForm, payload, problems).to_preview(problems, "USD").row()
    assert isinstance(row, dict)
    found: Decimal = row["exact_amount"]
    return found


@pytest.mark.parametrize(
    "price",
    [
        {"model": "per_unit", "unit_price": "0.07", "free_units": 50},
        {"model": "graduated", "tiers": [{"up_to": 100, "unit_price": "0.1", "flat_fee": 1}, {"unit_price": "0.05"}]},
        {"model": "volume", "tiers": [{"up_to": 100, "unit_price": "0.1"}, {"unit_price": "0.05", "flat_fee": 2}]},
        {"model": "package", "package_size": 50, "package_price": 3},
        {"model": "percentage", "rate_percent": "1.5", "fixed_fee": "0.3"},
        {"model": "percentage", "rate_percent": "1.5", "free_amount": 100},
        {"model": "graduated_percentage", "tiers": [{"up_to": 100, "rate_percent": 2}, {"rate_percent": 1}]},
        {"model": "dynamic", "amount_property": "cost", "multiplier": "1.2"},
        {"model": "percentage", "rate_percent": 2, "free_events": 1, "min_per_event": 1, "max_per_event": 2},
        {"model": "percentage", "rate_percent": 2, "fixed_fee": "0.1", "free_amount": 100},
        {"model": "per_unit", "unit_price": "0.07", "minimum_spend": 100},
    ],
    ids=lambda price: "-".join(map(str, price)) + price["model"],
)
def test_a_price_bills_what_its_preview_says(business: Business, price: Json) -> None:
    sell(business, BY_BYTES, price)
    business.subscribe()
    happen(business, EVENTS)

    (line,) = invoice_of_january(business).lines

    assert preview(price, EVENTS) == line.exact_amount
    assert Decimal(227) == line.quantity


def test_a_matrix_bills_each_group_at_its_cell_whatever_the_order_of_the_dimensions(business: Business) -> None:
    sell(business, BY_SIZE_AND_REGION, PER_REGION)
    business.subscribe()
    happen(business, EVENTS)

    (line,) = invoice_of_january(business).lines

    # 100 x 0.013, the cost of one event, and 3 % of 7 with one fee.
    assert Decimal("1.3") + Decimal("0.333") + Decimal("0.31") == line.exact_amount
    assert preview(PER_REGION, EVENTS) == line.exact_amount


def test_each_group_of_a_grouped_metric_has_a_line_of_its_own(business: Business) -> None:
    sell(business, BY_REGION, {"model": "per_unit", "unit_price": 1, "free_units": 50})
    business.subscribe()
    happen(business, EVENTS)

    lines = invoice_of_january(business).lines

    assert [
        ({"region": "eu"}, Decimal(100), Decimal(50)),
        ({"region": "us"}, Decimal(120), Decimal(70)),
        ({"region": None}, Decimal(7), Decimal(0)),
    ] == [(line.group, line.quantity, line.amount) for line in lines]


def test_a_grouped_metric_without_events_has_one_line_without_usage(business: Business) -> None:
    sell(business, BY_REGION, {"model": "per_unit", "unit_price": 1, "minimum_spend": 5})
    business.subscribe()

    (line,) = invoice_of_january(business).lines

    assert (None, Decimal(0), Decimal(5)) == (line.group, line.quantity, line.amount)


@pytest.mark.parametrize("price", [PER_REGION, {"model": "per_unit", "unit_price": "0.3", "batch_size": 7}])
def test_a_draft_of_grouped_usage_is_the_invoice_that_is_issued_now(business: Business, price: Json) -> None:
    sell(business, BY_SIZE_AND_REGION, price)
    business.subscribe()
    happen(business, EVENTS)
    business.move("2026-01-20")
    before = business.draft_amounts()

    _, invoice = business.cancel("sub_acme_pro")

    assert invoice is not None
    assert before == [[line.amount for line in invoice.lines]]


def test_an_amount_that_lies_ahead_is_not_on_the_draft(business: Business) -> None:
    sell(business, BY_BYTES, {"model": "dynamic", "amount_property": "cost"})
    business.subscribe()
    happen(business, EVENTS[:1], "2026-01-10")
    happen(business, EVENTS[2:3], "2026-01-12")
    business.move("2026-01-11")

    assert [[Decimal("1.25")]] == business.draft_amounts()


def test_a_line_tells_how_many_events_name_no_amount(business: Business) -> None:
    sell(business, BY_BYTES, {"model": "dynamic", "amount_property": "cost"})
    business.subscribe()
    happen(business, [{"bytes": 1, "cost": "2.5"}, {"bytes": 1}, {"bytes": 1, "cost": "free"}])

    (line,) = invoice_of_january(business).lines

    assert ["cost of the events: 2.5", "2 events have no number in cost and cost nothing"] == [
        step.text for step in line.steps
    ]


def test_a_line_keeps_how_its_quantity_was_measured(business: Business) -> None:
    sell(business, BY_BYTES, {"model": "per_unit", "unit_price": 1})
    business.subscribe()
    happen(business, [*EVENTS, {"cost": 3}])

    (line,) = invoice_of_january(business).lines

    assert line.measured is not None
    assert ("usage of pro", "the sum of bytes", 4, 1) == (
        line.measured.metric_name,
        line.measured.aggregated,
        line.measured.counted,
        line.measured.skipped,
    )


@pytest.mark.parametrize(
    ("definition", "price", "field"),
    [
        (BY_REGION, PER_REGION, "components[0].price.dimensions"),
        (BY_BYTES, PER_REGION, "components[0].price.dimensions"),
    ],
)
def test_a_price_that_does_not_fit_its_metric_is_refused(
    business: Business, definition: MetricDefinition, price: Json, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        sell(business, definition, price)

    assert [(field, "not_for_metric")] == [(each.field, each.code) for each in caught.value.problems]


def test_a_percentage_looks_at_each_event_of_each_group(business: Business) -> None:
    price = {"model": "percentage", "rate_percent": 10, "free_events": 1}
    sell(business, BY_REGION, price)
    business.subscribe()
    happen(business, EVENTS)

    lines = invoice_of_january(business).lines

    assert [("eu", Decimal(6)), ("us", Decimal(0)), (None, Decimal(0))] == [
        (line.group["region"], line.amount) for line in lines if line.group
    ]


def test_events_that_lie_ahead_use_up_no_allowance_of_a_draft(business: Business) -> None:
    sell(business, BY_BYTES, {"model": "percentage", "rate_percent": 10, "free_events": 1})
    business.subscribe()
    happen(business, [{"bytes": 40}], "2026-01-12")
    happen(business, [{"bytes": 10}, {"bytes": 20}], "2026-01-10")
    business.move("2026-01-11")

    assert [[Decimal(2)]] == business.draft_amounts()


def test_each_window_is_priced_on_its_own_on_one_line_for_each_group(business: Business) -> None:
    by_day = msgspec.structs.replace(BY_REGION, window=Granularity.DAY)
    sell(business, by_day, {"model": "per_unit", "unit_price": 1, "free_units": 50})
    business.subscribe()
    for day in (10, 11, 12):
        happen(business, [{"bytes": 60, "region": "eu"}], f"2026-01-{day}T12:00")
    happen(business, [{"bytes": 40, "region": "us"}])

    lines = invoice_of_january(business).lines

    assert [({"region": "eu"}, Decimal(180), Decimal(30)), ({"region": "us"}, Decimal(40), Decimal(0))] == [
        (line.group, line.quantity, line.amount) for line in lines
    ]


SEAT_DAYS = MetricDefinition(
    "call", Aggregation.SUM, "bytes", type=MetricType.GAUGE, level_form=LevelForm.TOTAL, granularity=Granularity.DAY
)


def test_a_level_is_charged_as_long_as_it_lasts_and_carries_over_into_the_next_period(business: Business) -> None:
    sell(business, SEAT_DAYS, {"model": "per_unit", "unit_price": 1})
    business.subscribe()
    happen(business, [{"bytes": 2}], "2026-01-11")

    business.move("2026-03-01")

    assert [("2026-02-01", Decimal(42)), ("2026-03-01", Decimal(56))] == business.amounts()


def test_a_draft_of_a_level_charges_it_until_now_exactly_and_so_does_cancelling(business: Business) -> None:
    sell(business, SEAT_DAYS, {"model": "per_unit", "unit_price": 1})
    business.subscribe()
    happen(business, [{"bytes": 2}], "2026-01-11")
    business.move("2026-01-16T12:00")

    before = business.draft_amounts()
    _, invoice = business.cancel("sub_acme_pro")

    assert invoice is not None
    assert [[Decimal(11)]] == before == [[line.exact_amount for line in invoice.lines]]


def test_a_switch_bills_a_level_until_its_instant_with_the_old_plan_and_from_then_on_with_the_new(
    business: Business,
) -> None:
    sell(business, SEAT_DAYS, {"model": "per_unit", "unit_price": 1})
    sell(business, SEAT_DAYS, {"model": "per_unit", "unit_price": 10}, "max")
    business.subscribe()
    happen(business, [{"bytes": 2}], "2026-01-11")
    business.move("2026-01-21")

    switch_plan(business.services, business.organization, "sub_acme_pro", PlanSwitch("max"))
    business.move("2026-02-01")

    assert [Decimal(20), Decimal(220)] == [invoice.subtotal for invoice in business.invoices()]
