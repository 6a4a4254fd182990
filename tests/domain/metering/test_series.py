"""Percentiles, gauges and rates, computed from points."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.metering import (
    Aggregation,
    Granularity,
    LevelForm,
    MetricDefinition,
    MetricType,
    Point,
    Selection,
    Usage,
    is_series,
    needs_earlier_events,
    parts_of,
    point_of,
    usage_of_points,
    values_of_points,
)
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.period import Period

D = Decimal
MARCH = Period(datetime(2023, 3, 1, tzinfo=UTC), datetime(2023, 4, 1, tzinfo=UTC))
APRIL = Period(MARCH.end, datetime(2023, 5, 1, tzinfo=UTC))
MINUTE = timedelta(minutes=1)
RESOLUTION = timedelta(microseconds=1)


def _metric(kind: MetricType, aggregation: Aggregation, **more: Any) -> MetricDefinition:  # noqa: ANN401 - fields of a definition
    name = None if aggregation is Aggregation.COUNT else "n"
    definition = MetricDefinition("seat", aggregation, name, type=kind, **more)
    assert () == definition.problems()
    return definition


def _gauge(aggregation: Aggregation = Aggregation.SUM, **more: Any) -> MetricDefinition:  # noqa: ANN401 - fields of a definition
    return _metric(MetricType.GAUGE, aggregation, **({"granularity": Granularity.MONTH} | more))


def _rate(aggregation: Aggregation = Aggregation.COUNT, **more: Any) -> MetricDefinition:  # noqa: ANN401 - fields of a definition
    return _metric(MetricType.RATE, aggregation, **({"granularity": Granularity.MINUTE} | more))


def _usage(
    definition: MetricDefinition,
    period: Period,
    *events: tuple[datetime, dict[str, Any] | int | str],
    cycle: Period | None = None,
) -> Usage:
    points = [
        point_of(definition, given if isinstance(given, dict) else {"n": given}, to_microseconds(at), order)
        for order, (at, given) in enumerate(events, start=1)
    ]
    assert is_series(definition)
    return usage_of_points(Selection(definition, "c", period, cycle=cycle), points)


def test_a_level_of_a_part_of_the_month_is_divided_by_the_whole_month() -> None:
    """Golden B01, March: 27 of 31 days of 2500."""
    definition = _gauge(level_form=LevelForm.DELTA)
    since_the_fifth = Period(datetime(2023, 3, 5, tzinfo=UTC), MARCH.end)
    usage = _usage(definition, since_the_fifth, (since_the_fifth.start, 2500), cycle=MARCH)

    assert D("2177.42") == round(usage.quantity, 2)


def test_changes_carry_over_into_the_next_month() -> None:
    """Golden B01, April: 2500 until the 4th, 500 until the 6th, then 300."""
    definition = _gauge(level_form=LevelForm.DELTA)
    changes = (
        (datetime(2023, 3, 5, tzinfo=UTC), 2500),
        (datetime(2023, 4, 4, tzinfo=UTC), -2000),
        (datetime(2023, 4, 6, tzinfo=UTC), -200),
    )

    assert D("533.33") == round(_usage(definition, APRIL, *changes).quantity, 2)


def test_a_level_is_metered_in_hours_by_the_minute() -> None:
    """Golden L08: each minute counts with its greatest level; 87 unit-minutes are 1.45 unit-hours."""
    levels = [8, 8, 8, 9, 9, 10, 11, 6, 6, 12, 0]
    definition = _gauge(granularity=Granularity.HOUR, proration=Granularity.MINUTE)
    events = [(MARCH.start + MINUTE * minute, level) for minute, level in enumerate(levels)]

    assert D("1.45") == _usage(definition, MARCH, *events).value


def test_a_minute_counts_with_its_greatest_level() -> None:
    definition = _gauge(granularity=Granularity.HOUR, proration=Granularity.MINUTE)
    events = [(MARCH.start + MINUTE + timedelta(seconds=second), level) for second, level in ((10, 60), (20, 0))]

    assert D(1) == _usage(definition, MARCH, *events).value


def test_a_silence_of_a_year_in_seconds_is_answered_at_once() -> None:
    year = Period(datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))
    definition = _gauge(granularity=Granularity.MINUTE, proration=Granularity.SECOND)
    half = timedelta(milliseconds=500)
    usage = _usage(definition, year, (year.start + half, 3), (year.end - half, 0))

    assert 3 * 365 * 24 * 60 == usage.value


def test_months_are_stepped_from_the_start_of_the_cycle() -> None:
    cycle = Period(datetime(2023, 1, 31, tzinfo=UTC), datetime(2023, 4, 30, tzinfo=UTC))

    assert D(30) == _usage(_gauge(), cycle, (cycle.start, 10)).value


def test_the_unit_total_is_the_whole_cycle() -> None:
    definition = _gauge(granularity=Granularity.TOTAL)
    half = Period(MARCH.start, MARCH.start + (MARCH.end - MARCH.start) / 2)

    assert D(5) == _usage(definition, half, (half.start, 10), cycle=MARCH).value


def test_a_proration_as_long_as_the_granularity_counts_each_unit_with_its_greatest_level() -> None:
    definition = _gauge(granularity=Granularity.DAY, proration=Granularity.DAY)
    day = timedelta(days=1)
    events = [(MARCH.start + 10 * day + timedelta(hours=6), 4), (MARCH.start + 11 * day + timedelta(hours=6), 0)]

    assert D(8) == _usage(definition, MARCH, *events).value


def test_the_greatest_level_with_a_finer_proration_counts_for_its_bucket_alone() -> None:
    definition = _gauge(Aggregation.MAX, proration=Granularity.DAY)
    events = [(MARCH.start, 31), (MARCH.start + timedelta(hours=1), 0)]

    assert D(1) == _usage(definition, MARCH, *events).value


def test_a_bucket_is_cut_where_its_unit_ends() -> None:
    """The day of 28 February ends with its month of the cycle, at half past ten: 10 x 10.5 hours of 28 days."""
    cycle = Period(datetime(2023, 1, 31, 10, 30, tzinfo=UTC), datetime(2023, 4, 30, 10, 30, tzinfo=UTC))
    nine = datetime(2023, 2, 28, 9, tzinfo=UTC)
    usage = _usage(_gauge(proration=Granularity.DAY), cycle, (nine, 10), (nine + MINUTE, 0))

    assert D("0.15625") == usage.value


def test_the_winner_of_a_window_is_chosen_among_what_was_before_its_end() -> None:
    day = timedelta(days=1)
    definition = _gauge(Aggregation.LATEST, window=Granularity.DAY, group_by=("g",))
    two_days = Period(MARCH.start, MARCH.start + 2 * day)
    events = ((MARCH.start, {"g": "x", "n": 1}), (MARCH.start + MINUTE, {"g": "y", "n": 2}))
    usage = _usage(definition, two_days, *events, (MARCH.start + day, {"g": "x", "n": 4}))

    assert D(2 + 4) == usage.value


LEVEL_EVENTS = ((MARCH.start - timedelta(days=9), 5), (MARCH.start + timedelta(days=1), 2))


@pytest.mark.parametrize(
    ("form", "aggregation", "expected"),
    [
        (LevelForm.TOTAL, Aggregation.MAX, 5),
        (LevelForm.TOTAL, Aggregation.LATEST, 2),
        (LevelForm.DELTA, Aggregation.MAX, 7),
        (LevelForm.DELTA, Aggregation.LATEST, 7),
    ],
)
def test_a_level_carries_over_from_before_the_period(form: LevelForm, aggregation: Aggregation, expected: int) -> None:
    usage = _usage(_gauge(aggregation, level_form=form, granularity=None), MARCH, *LEVEL_EVENTS)

    assert (D(expected), 1) == (usage.value, usage.counted)


def test_an_event_at_the_very_start_ends_the_level_from_before() -> None:
    events = ((MARCH.start - MINUTE, 9), (MARCH.start, 2))

    assert D(2) == _usage(_gauge(Aggregation.MAX), MARCH, *events).value


def test_a_level_that_lasted_no_time_was_reported() -> None:
    events = ((MARCH.start + MINUTE, 9), (MARCH.start + MINUTE, 2))

    assert D(9) == _usage(_gauge(Aggregation.MAX), MARCH, *events).value
    assert D(2) == _usage(_gauge(Aggregation.LATEST), MARCH, *events).value


def test_before_its_first_event_a_level_is_zero() -> None:
    assert D(0) == _usage(_gauge(Aggregation.MAX), MARCH, (MARCH.start + MINUTE, -3)).value


@pytest.mark.parametrize(
    ("aggregation", "expected"), [(Aggregation.MAX, None), (Aggregation.LATEST, None), (Aggregation.SUM, D(0))]
)
def test_without_any_event_there_is_no_level(aggregation: Aggregation, expected: Decimal | None) -> None:
    assert expected == _usage(_gauge(aggregation), MARCH).value


def test_an_event_at_the_end_belongs_to_the_next_period() -> None:
    assert None is _usage(_gauge(Aggregation.LATEST), MARCH, (MARCH.end, 5)).value


def test_a_group_is_shown_while_it_has_a_level_or_an_event() -> None:
    before = MARCH.start - MINUTE
    usage = _usage(
        _gauge(Aggregation.LATEST, group_by=("g",)),
        MARCH,
        (before, {"g": "gone", "n": 1}),
        (before, {"g": "gone", "n": 0}),
        (before, {"g": "stays", "n": 3}),
        (MARCH.start, {"g": "odd", "n": "many"}),
    )

    assert {'["odd"]': None, '["stays"]': D(3)} == {key: group.value for key, group in usage.groups.items()}
    assert (D(3), 0, 1) == (usage.value, usage.counted, usage.skipped)


def test_each_window_has_its_own_greatest_level() -> None:
    two_days = Period(MARCH.start, MARCH.start + timedelta(days=2))
    definition = _gauge(Aggregation.MAX, window=Granularity.DAY)
    usage = _usage(definition, two_days, (MARCH.start + MINUTE, 4), (MARCH.start + 2 * MINUTE, 1))

    assert D(5) == usage.value
    assert [D(4), D(1)] == [window.value for window in usage.groups.values()]


SECONDS = [0, 30, 60, 61, 62, 200]


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        (Aggregation.COUNT, 4),
        (Aggregation.SUM, 213),
        (Aggregation.AVERAGE, 200),
        (Aggregation.MAX, 200),
        (Aggregation.MIN, 200),
        (Aggregation.UNIQUE, 4),
    ],
)
def test_a_rate_is_the_greatest_aggregate_of_any_stretch(aggregation: Aggregation, expected: int) -> None:
    """The stretch that ends at second 60 has 30 and 60, not 0: it begins after it."""
    events = [(MARCH.start + timedelta(seconds=second), second) for second in SECONDS]

    assert D(expected) == _usage(_rate(aggregation), MARCH, *events).value


def test_all_events_of_an_instant_are_in_the_same_stretches() -> None:
    events = [(MARCH.start, 1)] * 3

    assert D(3) == _usage(_rate(), MARCH, *events).value


def test_a_rate_looks_at_the_period_alone() -> None:
    events = [(MARCH.start - RESOLUTION, 1), (MARCH.start, 1)]

    assert D(1) == _usage(_rate(), MARCH, *events).value


def test_without_an_event_a_rate_of_counts_is_zero_and_one_of_averages_nothing() -> None:
    assert D(0) == _usage(_rate(), MARCH).value
    assert None is _usage(_rate(Aggregation.AVERAGE), MARCH).value


def test_the_rate_of_groups_is_that_of_the_greatest() -> None:
    events = [(MARCH.start, {"g": "x"}), (MARCH.start, {"g": "x"}), (MARCH.start, {"g": "y"})]

    assert D(2) == _usage(_rate(group_by=("g",)), MARCH, *events).value


@pytest.mark.parametrize(
    ("percentile", "expected"), [("5", 15), ("30", 20), ("40", 20), ("50", 35), ("60.1", 40), ("100", 50)]
)
def test_a_percentile_is_the_nearest_rank(percentile: str, expected: int) -> None:
    """The smallest value such that at least so many percent of all are not greater."""
    definition = _metric(MetricType.COUNTER, Aggregation.PERCENTILE, percentile=D(percentile))
    events = [(MARCH.start, value) for value in (35, 20, 15, 50, 40)]

    assert D(expected) == _usage(definition, MARCH, *events).value


def test_the_percentile_of_groups_is_that_of_all_values() -> None:
    definition = _metric(MetricType.COUNTER, Aggregation.PERCENTILE, percentile=D(50), group_by=("g",))
    events = [(MARCH.start, {"n": 1, "g": "x"}), (MARCH.start, {"n": 2, "g": "x"}), (MARCH.start, {"n": 3, "g": "y"})]
    usage = _usage(definition, MARCH, *events)

    assert (D(2), [D(1), D(3)]) == (usage.value, [group.value for group in usage.groups.values()])


def test_only_gauges_look_at_what_was_before() -> None:
    ratio = MetricDefinition("a", Aggregation.COUNT, type=MetricType.RATIO, denominator=_gauge())
    custom = MetricDefinition("", Aggregation.COUNT, type=MetricType.CUSTOM, sql="SELECT 1")
    count = MetricDefinition("a", Aggregation.COUNT)

    assert [True, False, False, False, False] == [
        needs_earlier_events(each) for each in (_gauge(), _rate(), ratio, custom, count)
    ]
    assert [True, True, False, False, False] == [is_series(each) for each in (_gauge(), _rate(), ratio, custom, count)]
    assert [False, True] == [is_series(part) for part in parts_of(ratio)]


def test_the_values_of_single_events_are_in_order_of_happening() -> None:
    definition = MetricDefinition("seat", Aggregation.SUM, "n", group_by=("g",), window=Granularity.DAY)
    start = to_microseconds(MARCH.start)
    points = [
        Point(start + 1, 1, '["x"]', D(2)),
        Point(start, 3, '["x"]', D(3)),
        Point(start, 2, '["x"]', D(1)),
        Point(start, 4, '["x"]', None),
        Point(start - 1, 5, '["x"]', D(9)),
    ]

    assert (('["2023-03-01T00:00:00Z","x"]', (D(1), D(3), D(2))),) == values_of_points(
        Selection(definition, "c", MARCH), points
    )
