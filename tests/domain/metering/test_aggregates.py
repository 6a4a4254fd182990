"""How each aggregation puts values together."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lotus_server.domain.metering import (
    UNGROUPED,
    Aggregation,
    Event,
    Granularity,
    MetricDefinition,
    MetricType,
    Selection,
    group_key,
    split_key,
    usage_of,
    values_key,
)
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.period import Period
from tests.domain.metering.answers import answer

D = Decimal
START = datetime(2026, 3, 1, tzinfo=UTC)
MARCH = Period(START, datetime(2026, 4, 1, tzinfo=UTC))
LAST = MARCH.end - timedelta(microseconds=1)


def _events(*properties: dict[str, Any], at: datetime = START) -> list[Event]:
    return [Event(number, f"e{number}", "c", "call", at, at, each) for number, each in enumerate(properties, start=1)]


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        (Aggregation.COUNT, 4),
        (Aggregation.SUM, 13),
        (Aggregation.MAX, 7),
        (Aggregation.MIN, 1),
        (Aggregation.UNIQUE, 3),
        (Aggregation.LATEST, 1),
    ],
)
def test_an_aggregation_puts_values_together(aggregation: Aggregation, expected: int) -> None:
    events = _events({"p": 5}, {"p": 7}, {}, {"p": 1})
    definition = MetricDefinition("call", aggregation, "p")

    assert D(expected) == answer(Selection(definition, "c", MARCH), events).value


def test_events_without_a_usable_value_are_counted_as_skipped() -> None:
    usage = answer(
        Selection(MetricDefinition("call", Aggregation.SUM, "p"), "c", MARCH),
        _events({"p": 1}, {"p": "x"}, {}, {"p": True}),
    )

    assert (D(1), 1, 3) == (usage.value, usage.counted, usage.skipped)


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [(Aggregation.COUNT, D(0)), (Aggregation.SUM, D(0)), (Aggregation.UNIQUE, D(0)), (Aggregation.MAX, None)],
)
def test_no_event_amounts_to_zero_or_to_nothing(aggregation: Aggregation, expected: Decimal | None) -> None:
    usage = answer(Selection(MetricDefinition("call", aggregation, "p"), "c", MARCH), [])

    assert expected == usage.value
    assert D(0) == usage.quantity


def test_of_one_instant_the_later_accepted_is_the_latest() -> None:
    definition = MetricDefinition("call", Aggregation.LATEST, "p")
    for events in itertools.permutations(_events({"p": 1}, {"p": 2}, {"p": 3})):
        assert D(3) == answer(Selection(definition, "c", MARCH), events).value


def test_sums_of_tenths_are_exact() -> None:
    events = _events(*[{"p": D("0.1")} for _ in range(10)])

    assert D("1.0") == answer(Selection(MetricDefinition("call", Aggregation.SUM, "p"), "c", MARCH), events).value


def test_a_value_counts_once_in_each_group() -> None:
    definition = MetricDefinition("call", Aggregation.UNIQUE, "p", group_by=("g",))
    usage = answer(
        Selection(definition, "c", MARCH), _events({"p": 1, "g": "x"}, {"p": 1, "g": "y"}, {"p": 1, "g": "x"})
    )

    assert D(2) == usage.value
    assert {'["x"]': D(1), '["y"]': D(1)} == {key: group.value for key, group in usage.groups.items()}


def test_a_missing_group_is_a_group_of_its_own() -> None:
    assert "[null]" == values_key(("g",), {})
    assert '["1"]' == values_key(("g",), {"g": D("1.0")})
    assert UNGROUPED == values_key((), {"g": 1})


def test_an_average_is_exact_to_ninety_places() -> None:
    definition = MetricDefinition("call", Aggregation.AVERAGE, "p")

    assert D("2.5") == answer(Selection(definition, "c", MARCH), _events({"p": 2}, {"p": 3}, {})).value
    third = answer(Selection(definition, "c", MARCH), _events({"p": 1}, {"p": 0}, {"p": 0})).value
    assert "0." + "3" * 90 == str(third)


def test_the_average_of_groups_is_that_of_all_values() -> None:
    definition = MetricDefinition("call", Aggregation.AVERAGE, "p", group_by=("g",))
    usage = answer(
        Selection(definition, "c", MARCH), _events({"p": 1, "g": "x"}, {"p": 2, "g": "x"}, {"p": 9, "g": "y"})
    )

    assert D(4) == usage.value
    assert [D("1.5"), D(9)] == [group.value for group in usage.groups.values()]


def test_each_window_is_a_quantity_of_its_own_and_the_whole_their_sum() -> None:
    definition = MetricDefinition("call", Aggregation.MAX, "p", window=Granularity.HOUR)
    events = [
        *_events({"p": 5}, {"p": 7}),
        *_events({"p": 2}, at=START + timedelta(hours=1)),
        *_events({"p": 1}, at=START + timedelta(hours=1, microseconds=-1)),
    ]
    usage = answer(Selection(definition, "c", MARCH), events)

    assert D(9) == usage.value
    assert {
        '["2026-03-01T00:00:00Z"]': D(7),
        '["2026-03-01T01:00:00Z"]': D(2),
    } == {key: window.value for key, window in usage.groups.items()}


def test_a_grouped_window_counts_as_it_would_alone() -> None:
    definition = MetricDefinition("call", Aggregation.MAX, "p", group_by=("g",), window=Granularity.DAY)
    events = [
        *_events({"p": 5, "g": "x"}, {"p": 7, "g": "y"}),
        *_events({"p": 2, "g": "x"}, at=START + timedelta(days=1)),
    ]
    usage = answer(Selection(definition, "c", MARCH), events)

    assert D(9) == usage.value
    assert ['["2026-03-01T00:00:00Z","x"]', '["2026-03-01T00:00:00Z","y"]', '["2026-03-02T00:00:00Z","x"]'] == list(
        usage.groups
    )


@pytest.mark.parametrize(
    ("window", "start"),
    [
        (Granularity.HOUR, datetime(2026, 3, 4, 13, tzinfo=UTC)),
        (Granularity.DAY, datetime(2026, 3, 4, tzinfo=UTC)),
        (Granularity.WEEK, datetime(2026, 3, 2, tzinfo=UTC)),
        (Granularity.MONTH, datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_window_begins_on_the_hour_at_midnight_on_monday_or_on_the_first(
    window: Granularity, start: datetime
) -> None:
    definition = MetricDefinition("call", Aggregation.COUNT, group_by=("g", "h"), window=window)
    wednesday = datetime(2026, 3, 4, 13, 59, 59, 999_999, tzinfo=UTC)
    key = group_key(definition, {"g": "é"}, to_microseconds(wednesday))

    assert (start, ("é", None)) == split_key(definition, key)


def test_a_key_without_windows_has_only_values() -> None:
    assert (None, ()) == split_key(MetricDefinition("call", Aggregation.COUNT), UNGROUPED)
    grouped = MetricDefinition("call", Aggregation.COUNT, group_by=("g",))
    assert (None, ("1",)) == split_key(grouped, group_key(grouped, {"g": 1}, 0))


def test_a_ratio_divides_group_by_group_and_the_wholes() -> None:
    everything = MetricDefinition("call", Aggregation.SUM, "all", group_by=("g",))
    ratio = MetricDefinition(
        "call", Aggregation.SUM, "bad", group_by=("g",), type=MetricType.RATIO, denominator=everything
    )
    events = _events({"g": "x", "bad": 1, "all": 4}, {"g": "y", "bad": 1, "all": 0}, {"g": "y", "all": 4})
    usage = answer(Selection(ratio, "c", MARCH), events)

    assert (D("0.25"), D("0.25"), D("0.25")) == (usage.value, *(group.value for group in usage.groups.values()))
    assert (5, 1) == (usage.counted, usage.skipped)


def test_a_ratio_over_nothing_has_no_value() -> None:
    below = MetricDefinition("visit", Aggregation.COUNT)
    ratio = MetricDefinition("call", Aggregation.COUNT, type=MetricType.RATIO, denominator=below)
    usage = answer(Selection(ratio, "c", MARCH), _events({}))

    assert (None, D(0), 1) == (usage.value, usage.quantity, usage.counted)


def test_a_value_can_be_computed() -> None:
    definition = MetricDefinition("call", Aggregation.SUM, expression="input * 2 + output")
    usage = answer(Selection(definition, "c", MARCH), _events({"input": 3, "output": D("0.5")}, {"input": 3}))

    assert (D("6.5"), 1, 1) == (usage.value, usage.counted, usage.skipped)


def test_distinct_computed_texts_are_counted() -> None:
    definition = MetricDefinition("call", Aggregation.UNIQUE, expression='user + "@" + string(team)')
    events = _events({"user": "a", "team": 1}, {"user": "a", "team": D("1.0")}, {"user": "b", "team": 1}, {"user": "b"})

    assert D(2) == answer(Selection(definition, "c", MARCH), events).value


def test_the_oracle_leaves_queries_to_the_stores() -> None:
    custom = MetricDefinition("", Aggregation.COUNT, type=MetricType.CUSTOM, sql="SELECT 1")

    with pytest.raises(ValueError, match="query"):
        usage_of(Selection(custom, "c", MARCH), [])
