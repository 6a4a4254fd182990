"""What all customers used, in one question, as every event store answers it: what each of them alone would be told."""

import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.metering import (
    Aggregation,
    CorrectionKind,
    Filter,
    MetricDefinition,
    Operator,
    has_states,
    parts_of,
)
from lotus_server.kernel.period import Period
from lotus_server.ports.event_store import CorrectionOrder, EventStore
from tests.contracts.event_examples import DEFINITIONS, MAY, SENT, SERIES, many
from tests.contracts.event_stores import send
from tests.contracts.metering_model import EVERYBODY, NOW, Model, Sent, as_one, by_customer, days

SUM = MetricDefinition("call", Aggregation.SUM, "n")
COUNT = MetricDefinition("call", Aggregation.COUNT)
TWO_WEEKS = (Period(days(0), days(7)), Period(days(7), days(14)))


def _of(n: object, name: str, customer: str = "acme", at: float = 1) -> Sent:
    return Sent(name, customer, at=days(at), properties=f'{{"n":{n}}}')


def quantities(store: EventStore, organization: str, definition: MetricDefinition = SUM) -> list[dict[str, Decimal]]:
    found = store.usage_by_customer(organization, definition, TWO_WEEKS)
    assert found is not None
    return [{customer: usage.quantity for customer, usage in usages.items()} for usages in found]


def test_each_customer_s_usage_is_told_for_each_period(store: EventStore, organization: str) -> None:
    send(store, organization, _of(1, "a"), _of(2, "b", "beta"), _of(4, "c", at=7), _of(8, "d", at=14))
    send(store, f"{organization}x", _of(16, "a"))
    assert [{"acme": 1, "beta": 2}, {"acme": 4}] == quantities(store, organization)
    assert [3, 4] == [usage.quantity for usage in store.usage_together(organization, SUM, TWO_WEEKS)]


def test_nobody_has_used_anything(store: EventStore, organization: str) -> None:
    assert [{}, {}] == quantities(store, organization)
    assert [0, 0] == [usage.quantity for usage in store.usage_together(organization, SUM, TWO_WEEKS)]


def test_what_comes_in_later_and_what_is_corrected_counts(store: EventStore, organization: str) -> None:
    send(store, organization, _of(1, "a"), _of(2, "b"))
    assert [{"acme": 3}, {}] == quantities(store, organization)
    send(store, organization, _of(4, "c", "beta", at=8))
    assert [{"acme": 3}, {"beta": 4}] == quantities(store, organization)
    store.correct(organization, [CorrectionOrder("a", CorrectionKind.VOID, "no")], now=NOW)
    assert [{"acme": 2}, {"beta": 4}] == quantities(store, organization)
    store.correct(organization, [CorrectionOrder("b", CorrectionKind.AMEND, "no", customer_id="beta")], now=NOW)
    assert [{"beta": 2}, {"beta": 4}] == quantities(store, organization)
    assert [2, 4] == [usage.quantity for usage in store.usage_together(organization, SUM, TWO_WEEKS)]


def test_the_number_one_and_true_are_two_questions_of_everybody(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a", at=days(1), properties='{"n":1}'))
    found = []
    for value in (Decimal(1), True):
        definition = MetricDefinition("call", Aggregation.COUNT, filters=(Filter("n", Operator.EQ, value),))
        found += quantities(store, organization, definition)[:1]
    assert [{"acme": 1}, {}] == found


@pytest.mark.parametrize("definition", SERIES)
def test_what_has_no_states_is_asked_customer_by_customer(
    store: EventStore, organization: str, definition: MetricDefinition
) -> None:
    assert store.usage_by_customer(organization, definition, (MAY,)) is None


_orders = st.builds(
    CorrectionOrder,
    idempotency_id=st.integers(0, 30).map(str),
    kind=st.just(CorrectionKind.AMEND),
    reason=st.just("why"),
    customer_id=st.sampled_from(["acme", "beta", "gamma"]),
) | st.builds(
    CorrectionOrder,
    idempotency_id=st.integers(0, 30).map(str),
    kind=st.just(CorrectionKind.VOID),
    reason=st.just("why"),
)
_steps = st.lists(
    st.tuples(st.just("send"), st.lists(SENT, min_size=1, max_size=8))
    | st.tuples(st.just("correct"), _orders)
    | st.tuples(st.just("ask"), st.none()),
    min_size=1,
    max_size=12,
)
_periods = st.sampled_from([(MAY,), TWO_WEEKS, tuple(Period(days(day), days(day + 1)) for day in range(-4, 20))])


@given(steps=_steps, definition=DEFINITIONS.filter(lambda each: all(map(has_states, parts_of(each)))), periods=_periods)
@many()
def test_everybody_at_once_is_told_what_each_alone_would_be(
    store: EventStore, steps: list[tuple[str, Any]], definition: MetricDefinition, periods: tuple[Period, ...]
) -> None:
    organization, model = f"org_{uuid.uuid4().hex}", Model()
    for verb, argument in [*steps, ("ask", None)]:
        if verb == "send":
            for event in argument:
                model.append(event)
            send(store, organization, *argument)
        elif verb == "correct":
            expected = model.correct(argument)
            assert [expected] == [result.status for result in store.correct(organization, [argument], now=NOW)]
        else:
            counting = model.counting()
            expected_all = [by_customer(definition, period, counting) for period in periods]
            assert expected_all == store.usage_by_customer(organization, definition, periods)
            if has_states(definition):
                together = [by_customer(definition, period, as_one(counting)) for period in periods]
                found = store.usage_together(organization, definition, periods)
                assert [each.get(EVERYBODY) for each in together] == [
                    usage if usage.counted or usage.skipped else None for usage in found
                ]
