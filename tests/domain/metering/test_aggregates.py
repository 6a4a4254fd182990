"""Running aggregates answer what the oracle answers, in whatever order the events come."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.metering import (
    UNGROUPED,
    Aggregation,
    Event,
    Filter,
    Granularity,
    MetricDefinition,
    Operator,
    PropertyMatch,
    Selection,
    State,
    Usage,
    ValuesInMemory,
    advance,
    combine,
    compile_filters,
    group_key,
    usage_of,
    values_key,
)
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import add

D = Decimal
START = datetime(2026, 3, 1, tzinfo=UTC)
MARCH = Period(START, datetime(2026, 4, 1, tzinfo=UTC))
LAST = MARCH.end - timedelta(microseconds=1)

values = st.one_of(
    st.integers(min_value=-(10**20), max_value=10**20),
    st.decimals(min_value=-1000, max_value=1000, places=6),
    st.sampled_from(["1", "1.0", "2", "many", "", "true"]),
    st.none(),
    st.booleans(),
    st.just([1]),
    st.just({"a": 1}),
)
property_sets = st.fixed_dictionaries(
    {}, optional={"p": values, "g": st.sampled_from(["x", "y", 1, None]), "f": values}
)
times = st.sampled_from([START, START + timedelta(days=1), START + timedelta(days=1, microseconds=1), LAST])
outside = st.sampled_from([START - timedelta(microseconds=1), MARCH.end])


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    count = draw(st.integers(min_value=0, max_value=12))
    return [
        Event(
            sequence=number,
            idempotency_id=f"e{number}",
            customer_id=draw(st.sampled_from(["c", "c", "c", "other"])),
            event_name=draw(st.sampled_from(["call", "call", "call", "visit"])),
            happened_at=draw(times | outside),
            received_at=START,
            properties=draw(property_sets),
        )
        for number in range(1, count + 1)
    ]


definitions = st.builds(
    MetricDefinition,
    event_name=st.just("call"),
    aggregation=st.sampled_from([each for each in Aggregation if each is not Aggregation.PERCENTILE]),
    property_name=st.just("p"),
    filters=st.sampled_from([(), (Filter("f", Operator.NE, "2"),), (Filter("f", Operator.GTE, D(0)),)]),
    group_by=st.sampled_from([(), ("g",), ("g", "f")]),
    window=st.sampled_from([None, Granularity.HOUR, Granularity.DAY, Granularity.WEEK, Granularity.MONTH]),
)


def _running(selection: Selection, events: list[Event]) -> Usage:
    """The answer of running states that take the events one by one, in the order given."""
    definition = selection.definition
    passes = compile_filters(definition.filters, selection.matches)
    states: dict[str, State] = {}
    seen = ValuesInMemory()
    for event in events:
        if (event.customer_id, event.event_name) != (selection.customer_id, definition.event_name):
            continue
        if not selection.period.contains(event.happened_at) or (passes and not passes(event.properties)):
            continue
        at = to_microseconds(event.happened_at)
        group = group_key(definition, event.properties, at)
        state = State.from_text(states.pop(group, State()).to_text())  # a state survives as text at any moment
        advance(definition, state, event.properties, group=group, at=at, order=event.sequence, seen=seen)
        states[group] = state
    return combine(definition, states)


@given(event_lists(), definitions, st.randoms(use_true_random=False))
def test_running_aggregates_equal_the_oracle_in_any_order(
    events: list[Event], definition: MetricDefinition, order: random.Random
) -> None:
    selection = Selection(definition, "c", MARCH)
    expected = usage_of(selection, events)
    order.shuffle(events)

    assert expected == _running(selection, events)


@given(event_lists(), definitions)
def test_a_subscriptions_own_condition_narrows_the_events(events: list[Event], definition: MetricDefinition) -> None:
    narrowed = Selection(definition, "c", MARCH, (PropertyMatch("g", "1"),))
    matching = [event for event in events if event.properties.get("g") == 1]

    assert usage_of(Selection(definition, "c", MARCH), matching) == usage_of(narrowed, events)
    assert usage_of(narrowed, events) == _running(narrowed, events)


@given(event_lists(), st.sampled_from([Aggregation.COUNT, Aggregation.SUM]))
def test_two_adjacent_periods_add_up_to_the_whole(events: list[Event], aggregation: Aggregation) -> None:
    definition = MetricDefinition("call", aggregation, "p")
    middle = START + timedelta(days=1)
    whole, first, second = (
        usage_of(Selection(definition, "c", period), events).quantity
        for period in (MARCH, Period(START, middle), Period(middle, MARCH.end))
    )

    assert whole == add(first, second)


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

    assert D(expected) == usage_of(Selection(definition, "c", MARCH), events).value


def test_events_without_a_usable_value_are_counted_as_skipped() -> None:
    usage = usage_of(
        Selection(MetricDefinition("call", Aggregation.SUM, "p"), "c", MARCH),
        _events({"p": 1}, {"p": "x"}, {}, {"p": True}),
    )

    assert (D(1), 1, 3) == (usage.value, usage.counted, usage.skipped)


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [(Aggregation.COUNT, D(0)), (Aggregation.SUM, D(0)), (Aggregation.UNIQUE, D(0)), (Aggregation.MAX, None)],
)
def test_no_event_amounts_to_zero_or_to_nothing(aggregation: Aggregation, expected: Decimal | None) -> None:
    usage = usage_of(Selection(MetricDefinition("call", aggregation, "p"), "c", MARCH), [])

    assert expected == usage.value
    assert D(0) == usage.quantity


def test_of_one_instant_the_later_accepted_is_the_latest() -> None:
    definition = MetricDefinition("call", Aggregation.LATEST, "p")
    for events in itertools.permutations(_events({"p": 1}, {"p": 2}, {"p": 3})):
        assert D(3) == _running(Selection(definition, "c", MARCH), list(events)).value


def test_sums_of_tenths_are_exact() -> None:
    events = _events(*[{"p": D("0.1")} for _ in range(10)])

    assert D("1.0") == usage_of(Selection(MetricDefinition("call", Aggregation.SUM, "p"), "c", MARCH), events).value


def test_a_value_counts_once_in_each_group() -> None:
    definition = MetricDefinition("call", Aggregation.UNIQUE, "p", group_by=("g",))
    usage = usage_of(
        Selection(definition, "c", MARCH), _events({"p": 1, "g": "x"}, {"p": 1, "g": "y"}, {"p": 1, "g": "x"})
    )

    assert D(2) == usage.value
    assert {'["x"]': D(1), '["y"]': D(1)} == {key: group.value for key, group in usage.groups.items()}


def test_a_missing_group_is_a_group_of_its_own() -> None:
    assert "[null]" == values_key(("g",), {})
    assert '["1"]' == values_key(("g",), {"g": D("1.0")})
    assert UNGROUPED == values_key((), {"g": 1})
