"""Laws of quantities, with random events: order and batches do not matter, and parts make the whole."""

import itertools
import random
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.metering import (
    Aggregation,
    Event,
    Granularity,
    LevelForm,
    MetricDefinition,
    MetricType,
    PropertyMatch,
    Selection,
    State,
    Usage,
    ValuesInMemory,
    advance,
    combine,
    group_key,
    split_key,
    usage_of,
    usage_of_points,
    values_of_points,
)
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.period import Period
from tests.domain.metering.answers import answer, points_of
from tests.domain.metering.strategies import (
    CUSTOMER,
    EVENT_NAME,
    MARCH,
    counters,
    definitions,
    event_lists,
    gauges,
    questions,
    rates,
)

D = Decimal
Question = tuple[Selection, list[Event]]
MIDDLE = MARCH.start + timedelta(days=12)
FIRST, SECOND = Period(MARCH.start, MIDDLE), Period(MIDDLE, MARCH.end)


def _sum_of(*usages: Usage) -> Fraction:
    return sum((Fraction(usage.quantity) for usage in usages), Fraction(0))


@given(questions(), st.randoms(use_true_random=False))
def test_the_order_in_which_events_come_does_not_matter(question: Question, order: random.Random) -> None:
    selection, events = question
    expected = answer(selection, events)
    order.shuffle(events)

    assert expected == answer(selection, events)


@given(questions(gauges() | rates()))
def test_sorted_points_are_answered_alike(question: Question) -> None:
    selection, events = question
    points = points_of(selection, events)
    in_order = sorted(points, key=lambda point: (point.at_us, point.order))

    assert usage_of_points(selection, points) == usage_of_points(selection, in_order, is_sorted=True)


@given(
    event_lists(), counters([each for each in Aggregation if each is not Aggregation.PERCENTILE]), st.integers(0, 12)
)
def test_a_state_that_was_written_down_between_two_batches_goes_on(
    events: list[Event], definition: MetricDefinition, cut: int
) -> None:
    whole: dict[str, State] = {}
    parts: dict[str, State] = {}
    seen_whole, seen_parts = ValuesInMemory(), ValuesInMemory()
    for number, event in enumerate(events):
        at = to_microseconds(event.happened_at)
        group = group_key(definition, event.properties, at)
        if number == cut:
            parts = {key: State.from_text(state.to_text()) for key, state in parts.items()}
        for states, seen in ((whole, seen_whole), (parts, seen_parts)):
            state = states.setdefault(group, State())
            advance(definition, state, event.properties, group=group, at=at, order=event.sequence, seen=seen)

    assert combine(definition, whole) == combine(definition, parts)


@given(event_lists(), counters([Aggregation.COUNT, Aggregation.SUM]))
def test_counts_and_sums_of_adjacent_periods_add_up_to_the_whole(
    events: list[Event], definition: MetricDefinition
) -> None:
    whole, first, second = (
        answer(Selection(definition, CUSTOMER, period), events) for period in (MARCH, FIRST, SECOND)
    )

    assert _sum_of(whole) == _sum_of(first, second)


@given(event_lists(), st.sampled_from(LevelForm))
def test_a_level_weighed_in_adjacent_periods_adds_up_to_the_whole(events: list[Event], form: LevelForm) -> None:
    for granularity in (Granularity.DAY, Granularity.MONTH, Granularity.TOTAL):
        definition = MetricDefinition(
            EVENT_NAME, Aggregation.SUM, "q", type=MetricType.GAUGE, granularity=granularity, level_form=form
        )
        whole, first, second = (
            answer(Selection(definition, CUSTOMER, period, cycle=MARCH), events) for period in (MARCH, FIRST, SECOND)
        )

        assert abs(_sum_of(whole) - _sum_of(first, second)) < Fraction(1, 10**85)


@given(event_lists(), gauges())
def test_the_finer_the_proration_the_smaller_the_quantity(events: list[Event], definition: MetricDefinition) -> None:
    quantities = []
    for proration in (None, Granularity.SECOND, Granularity.HOUR, Granularity.DAY):
        changed = msgspec.structs.replace(
            definition,
            aggregation=Aggregation.SUM,
            granularity=Granularity.DAY,
            proration=proration,
            window=None,
        )
        quantities.append(answer(Selection(changed, CUSTOMER, MARCH), events).quantity)

    assert all(finer <= coarser for finer, coarser in itertools.pairwise(quantities))


@given(questions(counters([Aggregation.AVERAGE, Aggregation.PERCENTILE, Aggregation.LATEST])))
def test_what_lies_between_is_between_the_least_and_the_greatest(question: Question) -> None:
    selection, events = question
    least, greatest = (
        msgspec.structs.replace(
            selection,
            definition=msgspec.structs.replace(selection.definition, aggregation=aggregation, percentile=None),
        )
        for aggregation in (Aggregation.MIN, Aggregation.MAX)
    )
    usages = [answer(each, events) for each in (least, selection, greatest)]

    for key in ("", *usages[0].groups):
        low, between, high = (usage.groups[key].value if key else usage.value for usage in usages)
        assert (low is None) == (between is None) == (high is None)
        assert low is None or between is None or high is None or low <= between <= high


@given(event_lists(), rates())
def test_no_rate_is_above_the_aggregate_of_the_period(events: list[Event], definition: MetricDefinition) -> None:
    counting = msgspec.structs.replace(definition, aggregation=Aggregation.COUNT)
    whole = msgspec.structs.replace(counting, type=MetricType.COUNTER, granularity=None)

    assert answer(Selection(counting, CUSTOMER, MARCH), events).quantity <= _count_of(whole, events)


def _count_of(definition: MetricDefinition, events: list[Event]) -> Decimal:
    return answer(Selection(definition, CUSTOMER, MARCH), events).quantity


@given(questions(counters() | gauges()))
def test_windows_are_answered_like_periods_of_their_own(question: Question) -> None:
    selection, events = question
    definition = msgspec.structs.replace(selection.definition, window=Granularity.WEEK)
    windowed = answer(msgspec.structs.replace(selection, definition=definition), events)
    alone = msgspec.structs.replace(definition, window=None)
    cycle = selection.cycle or selection.period
    quantities = []
    for start in {split_key(definition, key)[0] for key in windowed.groups}:
        assert isinstance(start, datetime)
        end = min(start + timedelta(weeks=1), selection.period.end)
        period = Period(max(start, selection.period.start), end)
        own = Selection(alone, CUSTOMER, period, selection.matches, cycle, selection.without)
        quantities.append(answer(own, events).quantity)

    assert Fraction(windowed.quantity) == sum(map(Fraction, quantities), Fraction(0))


@given(questions(counters([Aggregation.SUM])))
def test_the_values_of_single_events_add_up_to_each_groups_sum(question: Question) -> None:
    selection, events = question
    values = dict(values_of_points(selection, points_of(selection, events)))
    usage = answer(selection, events)
    groups = usage.groups or {"": usage}

    assert {key: Fraction(part.quantity) for key, part in groups.items() if part.counted} == {
        key: sum(map(Fraction, found), Fraction(0)) for key, found in values.items()
    }


@given(event_lists(), definitions)
def test_a_subscriptions_own_condition_narrows_the_events(events: list[Event], definition: MetricDefinition) -> None:
    if definition.window is Granularity.HOUR:
        definition = msgspec.structs.replace(definition, window=Granularity.DAY)
    narrowed = Selection(definition, CUSTOMER, MARCH, (PropertyMatch("g", "1"),))
    matching = [event for event in events if event.properties.get("g") == 1]

    assert usage_of(Selection(definition, CUSTOMER, MARCH), matching) == usage_of(narrowed, events)


@given(st.lists(definitions, min_size=2, max_size=2), st.sampled_from([None, MARCH]))
def test_two_questions_have_one_fingerprint_only_when_they_are_equal(
    pair: list[MetricDefinition], cycle: Period | None
) -> None:
    one, other = (Selection(definition, CUSTOMER, MARCH, cycle=cycle) for definition in pair)

    assert (pair[0] == pair[1]) == (one.fingerprint("o") == other.fingerprint("o"))
