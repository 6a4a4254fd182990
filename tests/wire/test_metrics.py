"""Metrics and features in JSON."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from lotus_server.domain.catalog import Feature
from lotus_server.domain.metering import (
    Aggregation,
    Filter,
    Granularity,
    LevelForm,
    Metric,
    MetricDefinition,
    MetricType,
    Operator,
)
from lotus_server.kernel.errors import Invalid, Problems
from lotus_server.usecases.features import FeatureDraft
from lotus_server.usecases.metrics import MetricChange, MetricDraft, MetricView
from lotus_server.wire.features import FeatureForm, feature_row
from lotus_server.wire.forms import read
from lotus_server.wire.metrics import MetricForm, MetricUpdateForm, metric_row, metric_view_row

D = Decimal
_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
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
        ({"metric_type": "dial"}, ("metric_type", "invalid_choice")),
        ({"aggregation_type": "median"}, ("aggregation_type", "invalid_choice")),
        ({"expression": 5}, ("expression", "invalid")),
        ({"percentile": "most"}, ("percentile", "invalid_number")),
        ({"granularity": "fortnight"}, ("granularity", "invalid_choice")),
        ({"window": "fortnight"}, ("window", "invalid_choice")),
        ({"event_type": "change"}, ("event_type", "invalid_choice")),
        ({"denominator": "calls"}, ("denominator", "invalid")),
        ({"denominator": {"event_name": "call"}}, ("denominator.aggregation_type", "required")),
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
        (
            {"categorical_filters": [{"property_name": "a", "operator": "isin", "comparison_value": "x"}]},
            ("categorical_filters[0].comparison_value", "invalid"),
        ),
    ],
)
def test_what_makes_no_sense_is_named(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert [expected] == _problems(changes)


@pytest.mark.parametrize("changes", [{"granularity": "total"}, {"event_type": ""}, {"$type": "x"}, {"properties": {}}])
def test_what_says_nothing_is_ignored(changes: dict[str, Any]) -> None:
    assert [] == _problems(changes)
    assert MetricDefinition("call", Aggregation.COUNT) == _draft(changes).definition


LEVELS = {"metric_type": "gauge", "aggregation_type": "max", "property_name": "level"}


@pytest.mark.parametrize("name", ["gauge", "stateful", "continuous"])
def test_a_gauge_has_had_several_names(name: str) -> None:
    assert MetricType.GAUGE == _draft(LEVELS | {"metric_type": name}).definition.type


@pytest.mark.parametrize(
    ("changes", "granularity", "proration"),
    [
        ({}, None, None),
        ({"granularity": "total", "proration": "hours"}, Granularity.TOTAL, Granularity.HOUR),
        ({"granularity": "month", "proration": "month"}, Granularity.MONTH, Granularity.MONTH),
        ({"granularity": "month", "proration": "total"}, Granularity.MONTH, None),
    ],
)
def test_a_gauge_has_units_of_time(
    changes: dict[str, Any], granularity: Granularity | None, proration: Granularity | None
) -> None:
    definition = _draft(LEVELS | changes).definition

    assert (granularity, proration) == (definition.granularity, definition.proration)


@pytest.mark.parametrize("unit", Granularity)
def test_units_of_time_may_be_singular(unit: Granularity) -> None:
    rate = {"metric_type": "rate", "window": unit.value.removesuffix("s")}

    assert unit == _draft(rate).definition.window


def test_everything_that_a_definition_can_say_is_read() -> None:
    body = {
        "metric_type": "ratio",
        "aggregation_type": "percentile",
        "percentile": "99.9",
        "expression": "a + b",
        "group_by": ["model"],
        "denominator": {"event_name": "session", "aggregation_type": "unique", "property_name": "user"},
    }
    expected = MetricDefinition(
        "call",
        Aggregation.PERCENTILE,
        group_by=("model",),
        type=MetricType.RATIO,
        expression="a + b",
        percentile=D("99.9"),
        denominator=MetricDefinition("session", Aggregation.UNIQUE, "user"),
    )

    assert expected == _draft(body).definition


def test_a_custom_metric_is_a_query_and_nothing_else() -> None:
    problems = Problems()
    form = read(MetricForm, {"metric_name": "M", "metric_type": "custom", "custom_sql": "SELECT 1"}, problems)

    expected = MetricDefinition("", Aggregation.COUNT, type=MetricType.CUSTOM, sql="SELECT 1")
    assert expected == form.to_draft(problems).definition
    assert () == problems.found


SESSIONS = MetricDefinition("session", Aggregation.UNIQUE, "user")
DEFINITIONS = [
    MetricDefinition("call", Aggregation.COUNT, group_by=("model", "region"), window=Granularity.HOUR),
    MetricDefinition("call", Aggregation.SUM, expression="a * b"),
    MetricDefinition("call", Aggregation.PERCENTILE, "ms", percentile=D("99.9")),
    MetricDefinition(
        "call",
        Aggregation.MAX,
        "size",
        (
            Filter("size", Operator.GTE, D("1.50")),
            Filter("size", Operator.EQ, D(1)),
            Filter("size", Operator.EQ, "1"),
            Filter("kind", Operator.NOT_IN, ("a", D(1), True)),
            Filter("kind", Operator.NOT_EXISTS),
        ),
    ),
    MetricDefinition(
        "level",
        Aggregation.SUM,
        "level",
        type=MetricType.GAUGE,
        level_form=LevelForm.DELTA,
        granularity=Granularity.MONTH,
        proration=Granularity.DAY,
    ),
    MetricDefinition(
        "level",
        Aggregation.MAX,
        "level",
        type=MetricType.GAUGE,
        granularity=Granularity.TOTAL,
        proration=Granularity.HOUR,
    ),
    MetricDefinition("level", Aggregation.LATEST, "level", type=MetricType.GAUGE),
    MetricDefinition("row", Aggregation.COUNT, type=MetricType.RATE, granularity=Granularity.MINUTE),
    MetricDefinition("call", Aggregation.COUNT, type=MetricType.RATIO, denominator=SESSIONS),
    MetricDefinition("", Aggregation.COUNT, type=MetricType.CUSTOM, sql="SELECT 1 AS usage_qty"),
]


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_what_is_shown_can_be_sent_again(definition: MetricDefinition) -> None:
    shown = _decode(_encode(metric_row(Metric("org", "m", "M", definition))))
    problems = Problems()

    again = read(MetricForm, shown, problems).to_draft(problems)

    assert repr(MetricDraft("M", definition, "m")) == repr(again)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"metric_name": "New"}, MetricChange("New")),
        ({"is_cost_metric": True}, MetricChange(is_cost_metric=True)),
        ({"metric_id": "m"}, MetricChange()),
        (
            {"event_name": "e", "aggregation_type": "count"},
            MetricChange(definition=MetricDefinition("e", Aggregation.COUNT)),
        ),
    ],
)
def test_a_change_has_a_definition_when_part_of_one_is_sent(body: dict[str, Any], expected: MetricChange) -> None:
    problems = Problems()

    assert expected == read(MetricUpdateForm, body, problems).to_change(problems)


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


def test_versions_of_a_metric_are_shown_with_their_status() -> None:
    old = Metric("org", "m1", "M", MetricDefinition("a", Aggregation.COUNT), archived=True, replaced_by="m2")
    new = Metric("org", "m2", "M", MetricDefinition("b", Aggregation.COUNT), version=2, replaces="m1")
    row = metric_view_row(MetricView(new, (old, new)))

    assert (2, "m1", None, "active") == (row["version"], row["replaces"], row["replaced_by"], row["status"])
    assert [("m1", 1, "replaced"), ("m2", 2, "active")] == [tuple(each.values()) for each in row["versions"]]


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
