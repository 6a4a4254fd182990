"""Metrics and features in JSON."""

from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.catalog import Feature
from lotus_server.domain.metering import Aggregation, Filter, Metric, MetricDefinition, Operator
from lotus_server.kernel.errors import Invalid, Problems
from lotus_server.usecases.features import FeatureDraft
from lotus_server.usecases.metrics import MetricDraft
from lotus_server.wire.features import FeatureForm, feature_row
from lotus_server.wire.forms import read
from lotus_server.wire.metrics import MetricForm, metric_row

D = Decimal
CALLS = {"metric_name": "Calls", "event_name": "call", "aggregation_type": "count"}


def _draft(changes: dict[str, Any]) -> MetricDraft:
    problems = Problems()
    return read(MetricForm, CALLS | changes, problems).to_draft(problems)


def _problems(changes: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in _draft(changes).problems]


def test_a_metric_needs_a_name_an_event_and_an_aggregation() -> None:
    assert MetricDraft("Calls", MetricDefinition("call", Aggregation.COUNT)) == _draft({})
    assert [("aggregation_type", "required"), ("event_name", "required"), ("metric_name", "required")] == sorted(
        _problems(dict.fromkeys(CALLS))
    )


def test_filters_keep_texts_numbers_and_booleans_apart() -> None:
    draft = _draft(
        {
            "filters": [
                {"property": "a", "operator": "eq", "value": "5"},
                {"property": "b", "operator": "gte", "value": "5"},
                {"property": "c", "operator": "in", "value": [1, "x", D("1.5")]},
                {"property": "d", "operator": "eq", "value": True},
                {"property": "e", "operator": "exists", "value": None},
            ]
        }
    )

    assert (
        Filter("a", Operator.EQ, "5"),
        Filter("b", Operator.GTE, D(5)),
        Filter("c", Operator.IN, (D(1), "x", D("1.5"))),
        Filter("d", Operator.EQ, True),
        Filter("e", Operator.EXISTS),
    ) == draft.definition.filters


def test_the_originals_filters_become_ours() -> None:
    draft = _draft(
        {
            "numeric_filters": [{"property_name": "size", "operator": "gte", "comparison_value": 10}],
            "categorical_filters": [{"property_name": "kind", "operator": "isnotin", "comparison_value": ["a", "b"]}],
        }
    )

    assert (
        Filter("size", Operator.GTE, D(10)),
        Filter("kind", Operator.NOT_IN, ("a", "b")),
    ) == draft.definition.filters
    assert () == draft.problems


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"metric_type": "gauge"}, ("metric_type", "unsupported")),
        ({"metric_type": "rate"}, ("metric_type", "unsupported")),
        ({"metric_type": "dial"}, ("metric_type", "invalid_choice")),
        ({"aggregation_type": "average"}, ("aggregation_type", "unsupported")),
        ({"aggregation_type": "percentile"}, ("aggregation_type", "unsupported")),
        ({"aggregation_type": "median"}, ("aggregation_type", "invalid_choice")),
        ({"expression": "a + b"}, ("expression", "unsupported")),
        ({"custom_sql": "SELECT 1"}, ("custom_sql", "unsupported")),
        ({"percentile": 95}, ("percentile", "unsupported")),
        ({"granularity": "days"}, ("granularity", "not_for_type")),
        ({"event_type": "delta"}, ("event_type", "not_for_type")),
        ({"event_name": 5}, ("event_name", "invalid")),
        ({"filters": "x"}, ("filters", "invalid")),
        ({"group_by": ["a", 5]}, ("group_by[1]", "invalid")),
        ({"filters": [{"operator": "eq", "value": 1}]}, ("filters[0].property", "required")),
        ({"filters": [{"property": "a", "operator": "like"}]}, ("filters[0].operator", "invalid_choice")),
        ({"filters": [{"property": "a", "operator": "eq", "value": {}}]}, ("filters[0].value", "invalid")),
        ({"filters": [{"property": "a", "operator": "in", "value": [[1]]}]}, ("filters[0].value[0]", "invalid")),
        ({"filters": [{"property": "a", "operator": "gt", "value": D("1e400")}]}, ("filters[0].value", "invalid")),
        (
            {"numeric_filters": [{"property_name": "a", "operator": "eq", "comparison_value": "x"}]},
            ("numeric_filters[0].comparison_value", "invalid_number"),
        ),
        (
            {"categorical_filters": [{"property_name": "a", "operator": "eq", "comparison_value": ["x"]}]},
            ("categorical_filters[0].operator", "invalid_choice"),
        ),
    ],
)
def test_what_is_not_served_or_makes_no_sense_is_named(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert [expected] == _problems(changes)


@pytest.mark.parametrize("changes", [{"granularity": "total"}, {"event_type": ""}, {"$type": "x"}, {"properties": {}}])
def test_what_says_nothing_is_ignored(changes: dict[str, Any]) -> None:
    assert [] == _problems(changes)


def test_a_metric_is_shown_with_the_keys_of_every_generation() -> None:
    filters = (
        Filter("size", Operator.GT, D(10)),
        Filter("kind", Operator.IN, ("a",)),
        Filter("region", Operator.NE, "eu"),
    )
    row = metric_row(Metric("org", "m", "Size", MetricDefinition("call", Aggregation.SUM, "size", filters, ("g",))))

    assert ("m", "Size", "Size", "counter", "sum") == tuple(
        row[key] for key in ("metric_id", "metric_name", "billable_metric_name", "metric_type", "aggregation_type")
    )
    assert [{"property_name": "size", "operator": "gt", "comparison_value": D(10)}] == row["numeric_filters"]
    assert [{"property_name": "kind", "operator": "isin", "comparison_value": ("a",)}] == row["categorical_filters"]
    assert 3 == len(row["filters"])
    assert ["g"] == row["group_by"]
    assert {"granularity", "event_type", "proration", "custom_sql"} <= row.keys()


def test_a_feature_is_read_and_shown() -> None:
    problems = Problems()
    draft = read(FeatureForm, {"feature_name": "SSO", "feature_id": "sso"}, problems).to_draft(problems)

    assert FeatureDraft("SSO", "sso") == draft
    assert {"feature_id": "sso", "feature_name": "SSO", "feature_description": "", "status": "active"} == feature_row(
        Feature("org", "sso", "SSO")
    )


@pytest.mark.parametrize("payload", [None, [], "x", 5, True])
def test_a_body_that_is_no_object_is_refused(payload: object) -> None:
    with pytest.raises(Invalid) as raised:
        read(MetricForm, payload, Problems())

    assert "malformed_body" == raised.value.code
