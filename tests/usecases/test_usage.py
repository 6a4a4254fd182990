"""Usage by windows and groups, and what a metric would measure before there is one."""

from decimal import Decimal

import pytest

from lotus_server.domain.metering import (
    Aggregation,
    Filter,
    Granularity,
    LevelForm,
    MetricDefinition,
    MetricType,
    Operator,
)
from lotus_server.kernel.errors import Invalid, NotFound
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.organizations import OrganizationDraft, create_organization
from lotus_server.usecases.usage import (
    SAMPLES_MAX,
    Asked,
    Group,
    MetricPreview,
    PreviewQuestion,
    UsageQuestion,
    customer_usage,
    preview_metric,
)
from tests.business import Business, Json, at

Rows = list[tuple[str, Group, Decimal | None]]
D = Decimal
NOW = "2026-01-31T12:00"
ALWAYS = Asked(at("2026-01-01"), at("2026-01-04"))
COUNT = MetricDefinition("call", Aggregation.COUNT)
TOKENS = MetricDefinition("call", Aggregation.SUM, "tokens")
LEVEL = MetricDefinition("level", Aggregation.MAX, "level", type=MetricType.GAUGE)
BY_MODEL = MetricDefinition("call", Aggregation.SUM, "tokens", group_by=("model",))


@pytest.fixture(autouse=True)
def used(business: Business) -> None:
    """Events of three days, and a level that changes once."""
    business.move(NOW)
    for when, model, tokens in [
        ("2026-01-01T10:00", "a", 5),
        ("2026-01-01T10:30", "b", 7),
        ("2026-01-01T23:59", "a", 3),
        ("2026-01-03T00:00", "a", 2),
    ]:
        _put(business, "call", when, model=model, tokens=D(tokens))
    _put(business, "level", "2026-01-01T12:00", level=D(3))
    _put(business, "level", "2026-01-03T12:00", level=D(1))


def _put(business: Business, name: str, when: str, **properties: Json) -> None:
    business.events.put(business.organization_id, name, "acme", at(when), properties)


def _rows(business: Business, definition: MetricDefinition, **question: Json) -> Rows:
    """The rows of a metric of this definition: the day and time of their start, the group and the value."""
    name = business.services.ids.new("name")
    metric = create_metric(business.services, business.organization, MetricDraft(name, definition))
    asked = UsageQuestion("acme", metric.metric_id, **{"asked": ALWAYS, **question})
    answer = customer_usage(business.services, business.organization, asked)
    return [(f"{row.period.start:%d %H:%M}", row.group, row.value) for row in answer.rows]


def _preview(business: Business, definition: MetricDefinition, asked: Asked = ALWAYS) -> MetricPreview:
    return preview_metric(business.services, business.organization, PreviewQuestion("acme", definition, asked))


def _codes(error: pytest.ExceptionInfo[Invalid]) -> set[tuple[str, str]]:
    return {(problem.field, problem.code) for problem in error.value.problems}


def test_without_windows_there_is_one_row_for_the_whole_time(business: Business) -> None:
    assert [("01 00:00", (), D(17))] == _rows(business, TOKENS)


def test_a_row_for_each_window_with_usage(business: Business) -> None:
    assert [("01 00:00", (), D(15)), ("03 00:00", (), D(2))] == _rows(business, TOKENS, window=Granularity.DAY)


def test_windows_and_groups_cross(business: Business) -> None:
    assert [
        ("01 10:00", ("a",), D(5)),
        ("01 10:00", ("b",), D(7)),
        ("01 23:00", ("a",), D(3)),
        ("03 00:00", ("a",), D(2)),
    ] == _rows(business, BY_MODEL, window=Granularity.HOUR)


def test_groups_can_be_asked_for_that_the_metric_does_not_have(business: Business) -> None:
    assert [("01 00:00", ("a",), D(3)), ("01 00:00", ("b",), D(1))] == _rows(business, COUNT, group_by=("model",))
    assert [("01 00:00", (), D(17))] == _rows(business, BY_MODEL, group_by=())


def test_a_group_of_events_without_the_property_comes_first(business: Business) -> None:
    _put(business, "call", "2026-01-02", tokens=D(9))

    assert [(None,), ("a",), ("b",)] == [group for _, group, _ in _rows(business, BY_MODEL)]


def test_windows_without_usage_are_filled_in_when_asked(business: Business) -> None:
    rows = _rows(business, BY_MODEL, window=Granularity.DAY, fills=True)

    assert [
        ("01 00:00", ("a",), D(8)),
        ("01 00:00", ("b",), D(7)),
        ("02 00:00", ("a",), D(0)),
        ("02 00:00", ("b",), D(0)),
        ("03 00:00", ("a",), D(2)),
        ("03 00:00", ("b",), D(0)),
    ] == rows


def test_a_window_that_has_nothing_to_pick_has_no_value(business: Business) -> None:
    greatest = MetricDefinition("call", Aggregation.MAX, "tokens")
    rows = _rows(business, greatest, window=Granularity.DAY, fills=True)

    assert [D(7), None, D(2)] == [value for *_, value in rows]


def test_windows_are_cut_off_where_the_time_asked_about_begins_and_ends(business: Business) -> None:
    asked = Asked(at("2026-01-01T10:15"), at("2026-01-01T23:30"))

    assert [("01 10:15", (), D(7))] == _rows(business, TOKENS, asked=asked, window=Granularity.DAY)


def test_a_metric_with_windows_of_its_own_is_measured_as_it_is_defined(business: Business) -> None:
    peaks = MetricDefinition("call", Aggregation.MAX, "tokens", window=Granularity.HOUR)

    assert [("01 00:00", (), D(10)), ("03 00:00", (), D(2))] == _rows(business, peaks, window=Granularity.DAY)


def test_windows_of_a_metrics_own_are_added_up_within_groups(business: Business) -> None:
    peaks = MetricDefinition("call", Aggregation.MAX, "tokens", window=Granularity.HOUR, group_by=("model",))

    assert [("01 00:00", ("a",), D(10)), ("01 00:00", ("b",), D(7))] == _rows(business, peaks)


def test_the_present_counts_and_thirty_days_before_today(business: Business) -> None:
    _put(business, "call", NOW, tokens=D(100))

    assert [("01 00:00", (), D(117))] == _rows(business, TOKENS, asked=Asked())


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ({"asked": Asked(at("2026-01-02"), at("2026-01-02"))}, ("end", "end_before_start")),
        ({"asked": Asked(at("1899-12-31"))}, ("start", "out_of_range")),
        ({"asked": Asked(end=at("2201-01-01"))}, ("end", "out_of_range")),
        ({"group_by": ("a", "a")}, ("group_by", "duplicate")),
        ({"group_by": tuple("abcdef")}, ("group_by", "too_many")),
        ({"asked": Asked(at("2024-01-01")), "window": Granularity.HOUR}, ("window", "too_many")),
    ],
)
def test_what_cannot_be_answered_is_refused(
    business: Business, question: dict[str, Json], expected: tuple[str, str]
) -> None:
    with pytest.raises(Invalid) as raised:
        _rows(business, COUNT, **question)
    assert {expected} == _codes(raised)


def test_a_query_is_measured_in_a_limited_number_of_windows(business: Business) -> None:
    query = MetricDefinition("", Aggregation.COUNT, type=MetricType.CUSTOM, sql="SELECT count(*) FROM events")

    with pytest.raises(Invalid) as raised:
        _rows(business, query, asked=Asked(at("2025-11-01")), window=Granularity.HOUR)
    assert {("window", "too_many")} == _codes(raised)


@pytest.mark.parametrize(("customer_id", "code"), [("nobody", "customer_not_found"), ("acme", "metric_not_found")])
def test_customer_and_metric_must_exist(business: Business, customer_id: str, code: str) -> None:
    with pytest.raises(NotFound) as raised:
        customer_usage(business.services, business.organization, UsageQuestion(customer_id, "nothing"))
    assert code == raised.value.code


def test_a_preview_measures_before_there_is_a_metric(business: Business) -> None:
    preview = _preview(business, BY_MODEL)

    assert (D(17), 4, 0) == (preview.usage.quantity, preview.usage.counted, preview.usage.skipped)
    assert {'["a"]': D(10), '["b"]': D(7)} == {key: part.quantity for key, part in preview.usage.groups.items()}


def test_a_preview_shows_what_each_event_gives_or_why_nothing(business: Business) -> None:
    _put(business, "call", "2026-01-03T01:00", model="a", tokens="many")
    _put(business, "call", "2026-01-03T02:00", model="c", tokens=D(1))
    models = Filter("model", Operator.IN, ("a", "b"))
    preview = _preview(business, MetricDefinition("call", Aggregation.SUM, "tokens", (models,)))

    assert [
        (None, "filters[0], on 'model', does not let it through."),
        (None, "The property 'tokens' has no number for it."),
        (D(2), None),
        (D(3), None),
        (D(7), None),
        (D(5), None),
    ] == [(sample.value, sample.reason) for sample in preview.samples]


def test_a_preview_shows_texts_that_are_counted_and_what_expressions_compute(business: Business) -> None:
    unique = _preview(business, MetricDefinition("call", Aggregation.UNIQUE, "model"))
    computed = _preview(business, MetricDefinition("call", Aggregation.SUM, expression="tokens * 2"))

    assert ["a", "a", "b", "a"] == [sample.value for sample in unique.samples]
    assert [4, 6, 14, 10] == [sample.value for sample in computed.samples]


def test_a_preview_shows_a_limited_number_of_events(business: Business) -> None:
    business.use(SAMPLES_MAX + 1, "2026-01-02")

    assert SAMPLES_MAX == len(_preview(business, COUNT).samples)


def test_everything_wrong_with_a_preview_is_reported_at_once(business: Business) -> None:
    definition = MetricDefinition("", Aggregation.SUM, level_form=LevelForm.DELTA)

    with pytest.raises(Invalid) as raised:
        _preview(business, definition, Asked(at("2026-01-02"), at("2026-01-01")))
    assert {"end", "event_name", "property_name", "event_type"} == {field for field, _ in _codes(raised)}


def test_another_organizations_customer_is_not_found(business: Business) -> None:
    other, _ = create_organization(business.services, OrganizationDraft("Other"))

    with pytest.raises(NotFound):
        preview_metric(business.services, other, PreviewQuestion("acme", COUNT))


def test_time_is_half_open(business: Business) -> None:
    def counted(start: str, end: str) -> int:
        return _preview(business, COUNT, Asked(at(start), at(end))).usage.counted

    assert (0, 1) == (counted("2026-01-02", "2026-01-03"), counted("2026-01-03", "2026-01-04"))


def test_a_level_is_carried_over_windows(business: Business) -> None:
    rows = _rows(business, LEVEL, window=Granularity.DAY)

    assert [("01 00:00", (), D(3)), ("02 00:00", (), D(3)), ("03 00:00", (), D(3))] == rows


def test_a_level_weighed_by_time_is_split_among_windows(business: Business) -> None:
    hours = MetricDefinition("level", Aggregation.SUM, "level", type=MetricType.GAUGE, granularity=Granularity.HOUR)

    assert [D(36), D(72), D(48)] == [value for *_, value in _rows(business, hours, window=Granularity.DAY)]


def test_rates_and_ratios_are_measured_in_each_window(business: Business) -> None:
    rate = MetricDefinition("call", Aggregation.COUNT, type=MetricType.RATE, granularity=Granularity.HOUR)
    ratio = MetricDefinition("call", Aggregation.SUM, "tokens", type=MetricType.RATIO, denominator=COUNT)

    assert [D(2), D(1)] == [value for *_, value in _rows(business, rate, window=Granularity.DAY)]
    assert [D(5), D(2)] == [value for *_, value in _rows(business, ratio, window=Granularity.DAY)]


def test_both_parts_of_a_ratio_are_grouped(business: Business) -> None:
    ratio = MetricDefinition("call", Aggregation.SUM, "tokens", type=MetricType.RATIO, denominator=COUNT)

    assert ("01 00:00", ("b",), D(7)) in _rows(business, ratio, group_by=("model",))


HOURS = Granularity.HOUR
GAUGE_HOURS = MetricDefinition("level", Aggregation.SUM, "level", type=MetricType.GAUGE, granularity=HOURS)


@pytest.mark.parametrize(
    "definition",
    [
        BY_MODEL,
        LEVEL,
        GAUGE_HOURS,
        MetricDefinition("call", Aggregation.AVERAGE, "tokens"),
        MetricDefinition("call", Aggregation.PERCENTILE, "tokens", percentile=D(50)),
        MetricDefinition("call", Aggregation.SUM, "tokens", type=MetricType.RATE, granularity=HOURS),
        MetricDefinition("call", Aggregation.SUM, "tokens", type=MetricType.RATIO, denominator=GAUGE_HOURS),
        MetricDefinition("call", Aggregation.UNIQUE, "model", type=MetricType.RATIO, denominator=LEVEL),
    ],
)
def test_a_window_is_measured_as_if_it_were_asked_about_alone(business: Business, definition: MetricDefinition) -> None:
    at_once = _rows(business, definition, window=Granularity.DAY)
    days = [Asked(at(f"2026-01-0{day}"), at(f"2026-01-0{day + 1}")) for day in (1, 2, 3)]

    assert at_once == [row for asked in days for row in _rows(business, definition, asked=asked)]
