"""Metrics as clients make, change, version and archive them."""

from typing import Any

import pytest

from tests.tenants import Tenant

GAUGE = {
    "metric_name": "Seats",
    "event_name": "seats",
    "metric_type": "stateful",
    "aggregation_type": "max",
    "property_name": "count",
    "event_type": "delta",
    "granularity": "month",
    "proration": "day",
    "numeric_filters": [{"property_name": "count", "operator": "gt", "comparison_value": 0}],
}
RATE = {
    "metric_name": "Rows a minute",
    "event_name": "insert",
    "metric_type": "rate",
    "aggregation_type": "sum",
    "property_name": "rows",
    "granularity": "minute",
}
CEL = {"metric_name": "Cost", "event_name": "call", "aggregation_type": "sum", "expression": "tokens_in + tokens_out"}


@pytest.mark.parametrize("body", [GAUGE, RATE, CEL])
def test_a_metric_is_shown_as_it_was_made(tenant: Tenant, body: dict[str, Any]) -> None:
    made = tenant.post("/api/metrics/", body)

    assert {**made, "versions": [{"metric_id": made["metric_id"], "version": 1, "status": "active"}]} == tenant.get(
        f"/api/metrics/{made['metric_id']}/"
    )


def test_the_originals_gauge_is_shown_in_its_own_words(tenant: Tenant) -> None:
    made = tenant.post("/api/metrics/", GAUGE)

    assert ("gauge", "max", "delta", "months", "days") == tuple(
        made[key] for key in ("metric_type", "aggregation_type", "event_type", "granularity", "proration")
    )
    assert GAUGE["numeric_filters"] == made["numeric_filters"]


def test_everything_wrong_with_a_metric_is_named_at_once(tenant: Tenant) -> None:
    body = {
        "metric_name": "Errors",
        "event_name": " error",
        "metric_type": "ratio",
        "aggregation_type": "percentile",
        "expression": "a +",
        "event_type": "delta",
        "proration": "day",
        "denominator": {"event_name": "call", "aggregation_type": "sum", "window": "day"},
        "filters": [{"property": "a", "operator": "gt", "value": "x"}],
        "custom_sql": "SELECT 1",
    }
    reply = tenant.post("/api/metrics/", body, 400)

    assert {
        "event_name",
        "percentile",
        "expression",
        "event_type",
        "proration",
        "denominator.property_name",
        "denominator.window",
        "filters[0].value",
        "custom_sql",
    } == {each["field"] for each in reply["validation_errors"]}


def test_a_ratio_shows_the_definition_that_it_took_from_a_metric(tenant: Tenant) -> None:
    tenant.metric("calls")
    body = {"metric_name": "Errors", "event_name": "error", "aggregation_type": "count", "metric_type": "ratio"}

    made = tenant.post("/api/metrics/", {**body, "denominator_metric_id": "calls"})

    assert ("calls", "count") == (made["denominator"]["event_name"], made["denominator"]["aggregation_type"])


def test_a_metric_of_a_plan_gets_another_definition_as_a_further_version(tenant: Tenant) -> None:
    tenant.metric("calls")
    tenant.plan(components=[{"metric_id": "calls", "price": {"model": "per_unit", "unit_price": "0.01"}}])
    definition = {"event_name": "calls", "aggregation_type": "unique", "property_name": "user"}

    refused = tenant.client.patch("/api/metrics/calls/", json=definition)
    made = tenant.post("/api/metrics/calls/versions/", {**definition, "metric_id": "users"})

    assert (409, "metric_sold") == (refused.status_code, refused.json()["title"])
    assert (2, "calls", "name of calls") == (made["version"], made["replaces"], made["metric_name"])
    assert [("calls", "replaced"), ("users", "active")] == [
        (each["metric_id"], each["status"]) for each in made["versions"]
    ]
    assert ["users"] == [row["metric_id"] for row in tenant.get("/api/metrics/")]
    assert ["calls", "users"] == [row["metric_id"] for row in tenant.get("/api/metrics/", include_archived="true")]
    tenant.post("/api/metrics/calls/versions/", {**definition, "property_name": "account"}, 409)


def test_a_metric_that_no_plan_uses_is_defined_anew_in_place(tenant: Tenant) -> None:
    tenant.metric("calls")
    changed = tenant.patch("/api/metrics/calls/", {"metric_name": "Users", "is_cost_metric": True})
    anew = {"event_name": "login", "aggregation_type": "unique", "property_name": "user"}

    defined = tenant.patch("/api/metrics/calls/", anew)

    assert ("Users", True, "calls") == (changed["metric_name"], changed["is_cost_metric"], changed["event_name"])
    assert ("Users", 1, "login", "unique") == tuple(
        defined[key] for key in ("metric_name", "version", "event_name", "aggregation_type")
    )


def test_part_of_a_definition_is_no_definition(tenant: Tenant) -> None:
    tenant.metric("calls")
    response = tenant.client.patch("/api/metrics/calls/", json={"property_name": "user"})

    assert (400, ["event_name", "aggregation_type"]) == (
        response.status_code,
        [each["field"] for each in response.json()["validation_errors"]],
    )
