"""What corrections do in every event store: usage is as if the events had come so, and no id becomes free."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.metering import (
    Aggregation,
    Correction,
    CorrectionKind,
    Event,
    EventStatus,
    MetricDefinition,
    Selection,
    Verdict,
    is_series,
    parts_of,
)
from lotus_server.kernel.errors import TooLarge
from lotus_server.kernel.instants import to_microseconds
from lotus_server.ports.event_store import (
    CORRECTIONS_MAX,
    IDS_MAX,
    CorrectionOrder,
    CorrectionStatus,
    EventQuery,
    EventStore,
)
from tests.contracts.event_examples import JUNE, MAY, PROPERTIES, SELECTIONS, SENT, many
from tests.contracts.event_stores import count, quantity, send, verdicts
from tests.contracts.metering_model import NOW, Model, Sent, days

TOTAL = Selection(MetricDefinition("call", Aggregation.SUM, "n"), "acme", MAY)


def void(id_: str, reason: str = "sent by mistake") -> CorrectionOrder:
    return CorrectionOrder(id_, CorrectionKind.VOID, reason)


def amend(
    id_: str, *, customer: str | None = None, at: datetime | None = None, properties: str | None = None
) -> CorrectionOrder:
    happened_us = None if at is None else to_microseconds(at)
    text = None if properties is None else properties.encode()
    return CorrectionOrder(id_, CorrectionKind.AMEND, "wrong", customer, happened_us, text)


def correct(store: EventStore, organization: str, *orders: CorrectionOrder) -> list[CorrectionStatus]:
    results = store.correct(organization, orders, now=NOW)
    assert [order.idempotency_id for order in orders] == [result.idempotency_id for result in results]
    return [result.status for result in results]


def ids(store: EventStore, organization: str, query: EventQuery) -> str:
    return "".join(event.idempotency_id for event in store.events(organization, query))


def test_a_voided_event_counts_no_more(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a", properties='{"n":2}'), Sent("b", properties='{"n":5}'))
    assert [2, 7] == [usage.quantity for usage in store.usage(organization, [count(), TOTAL])]

    assert [CorrectionStatus.DONE] == correct(store, organization, void("a"))
    assert [1, 5] == [usage.quantity for usage in store.usage(organization, [count(), TOTAL])]
    assert [1, 5] == [usage.quantity for usage in store.usage_at_hand(organization, [count(), TOTAL]) or []]


def test_many_customers_are_asked_about_at_once(store: EventStore, organization: str) -> None:
    sent = [Sent(f"{name}-{day}", f"c{name}", at=days(day), properties="{}") for name in range(9) for day in range(3)]
    send(store, organization, *sent)
    correct(store, organization, void("3-0"), amend("4-1", customer="c5"), amend("6-2", at=JUNE.start))
    asked = [count(f"c{name}", period) for name in range(9) for period in (MAY, JUNE)]

    found = [usage.quantity for usage in store.usage(organization, asked, keeps_aggregates=False)]

    assert [3, 0] * 3 + [2, 0, 2, 0, 4, 0, 2, 1] + [3, 0] * 2 == found


def test_an_amended_event_counts_with_its_new_properties(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a", properties='{"n":2}'))
    quantity(store, organization, TOTAL)
    correct(store, organization, amend("a", properties='{"n":0.1}'))

    assert Decimal("0.1") == quantity(store, organization, TOTAL)


def test_an_event_amended_to_another_customer_or_time_counts_there_only(store: EventStore, organization: str) -> None:
    selections = [count(), count("beta"), count(period=JUNE)]
    send(store, organization, Sent("a"), Sent("b"), Sent("c"))
    store.usage(organization, selections)
    correct(store, organization, amend("a", customer="beta"), amend("b", at=days(40)))

    assert [1, 1, 1] == [usage.quantity for usage in store.usage(organization, selections)]
    assert "c" == ids(store, organization, EventQuery(customer_id="acme", end=days(31)))
    assert "b" == ids(store, organization, EventQuery(start=days(31)))
    assert "a" == ids(store, organization, EventQuery(customer_id="beta"))


def test_later_events_count_on_top_of_a_correction(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a"), Sent("b"))
    quantity(store, organization, count())
    correct(store, organization, void("a"))
    send(store, organization, Sent("c"))
    assert 2 == quantity(store, organization, count())
    send(store, organization, Sent("d"))

    assert 3 == quantity(store, organization, count())


def test_the_id_of_a_voided_or_amended_event_stays_taken_with_what_was_sent(
    store: EventStore, organization: str
) -> None:
    send(store, organization, Sent("a"), Sent("b", properties='{"n":1}'))
    correct(store, organization, void("a"), amend("b", properties='{"n":2}'))

    again = send(store, organization, Sent("a"), Sent("b", properties='{"n":1}'))
    assert [Verdict.DUPLICATE] * 2 == verdicts(again)
    assert [Verdict.CONFLICT] == verdicts(send(store, organization, Sent("b", properties='{"n":2}')))
    assert 1 == quantity(store, organization, count())


def test_repeating_a_correction_changes_nothing(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a"), Sent("b", properties='{"n":1}', at=days(1)))
    orders = [void("a"), amend("b", customer="beta", at=days(2), properties='{"n":1.50}')]
    assert [CorrectionStatus.DONE] * 2 == correct(store, organization, *orders)

    assert [CorrectionStatus.UNCHANGED] * 2 == correct(store, organization, *orders)
    assert [CorrectionStatus.UNCHANGED] == correct(store, organization, amend("b", properties='{ "n": 15e-1 }'))
    assert [1, 1] == [len(store.history(organization, id_)) for id_ in "ab"]


def test_a_voided_event_cannot_be_amended(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a"))

    statuses = correct(store, organization, void("a"), amend("a", customer="beta"))
    assert [CorrectionStatus.DONE, CorrectionStatus.VOIDED] == statuses
    assert [0, 0] == [usage.quantity for usage in store.usage(organization, [count(), count("beta")])]


def test_an_event_that_nobody_sent_cannot_be_corrected(store: EventStore, organization: str) -> None:
    assert [CorrectionStatus.UNKNOWN] == correct(store, organization, void("a"))
    send(store, organization, Sent("a"))
    send(store, f"{organization}x", Sent("b"))

    statuses = correct(store, organization, void("b"), void("a"))
    assert [CorrectionStatus.UNKNOWN, CorrectionStatus.DONE] == statuses
    assert 1 == quantity(store, f"{organization}x", count())


def test_corrections_of_one_event_follow_each_other(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a", properties='{"n":1}'))
    orders = [amend("a", properties='{"n":2}'), amend("a", customer="beta"), amend("a", customer="acme"), void("a")]

    assert [CorrectionStatus.DONE] * 4 == correct(store, organization, *orders)
    history = store.history(organization, "a")
    assert ["acme", "acme", "beta", "acme"] == [one.customer_id for one in history]
    assert [1, 2, 2, 2] == [one.properties["n"] for one in history]


def test_the_history_of_an_event_has_what_it_was_before_each_correction(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a", at=days(1), properties='{"n":0.10}'))
    correct(store, organization, amend("a", at=days(2)))
    store.correct(organization, [void("a", "refunded")], now=NOW + timedelta(hours=1))

    assert [
        Correction(CorrectionKind.AMEND, "wrong", NOW, "acme", days(1), {"n": Decimal("0.10")}),
        Correction(CorrectionKind.VOID, "refunded", NOW + timedelta(hours=1), "acme", days(2), {"n": Decimal("0.10")}),
    ] == store.history(organization, "a")
    assert [] == store.history(organization, "b")


def test_events_are_listed_with_what_counts_and_what_became_of_them(store: EventStore, organization: str) -> None:
    send(store, organization, *(Sent(id_, at=days(1), properties='{"n":1}') for id_ in "abcd"))
    correct(store, organization, void("b"), amend("c", properties='{"n":3}', at=days(9)))

    assert "dcba" == ids(store, organization, EventQuery())
    assert "c" == ids(store, organization, EventQuery(status=EventStatus.AMENDED))
    assert "b" == ids(store, organization, EventQuery(status=EventStatus.VOIDED, customer_id="acme"))
    assert "da" == ids(store, organization, EventQuery(status=EventStatus.RECORDED, event_name="call"))
    (amended,) = store.events(organization, EventQuery(idempotency_id="c"))
    assert (EventStatus.AMENDED, days(9), {"n": 3}) == (amended.status, amended.happened_at, amended.properties)
    assert "" == ids(store, organization, EventQuery(idempotency_id="c", end=days(9)))


def test_a_feed_sees_every_event_once_in_the_order_of_acceptance(store: EventStore, organization: str) -> None:
    seen, after = "", 0
    for batch in ("abc", "d", "efgh", "", "i"):
        if batch:
            send(store, organization, *(Sent(id_) for id_ in batch))
            correct(store, organization, amend(batch[0], at=days(20)))
        while events := store.events(organization, EventQuery(after=after, limit=2)):
            seen += "".join(event.idempotency_id for event in events)
            after = events[-1].sequence

    assert "abcdefghi" == seen
    assert "aceg" == ids(store, organization, EventQuery(after=0, customer_id="acme", limit=9))[::2][:4]
    assert "" == ids(store, organization, EventQuery(after=after))


def test_ids_that_were_ever_accepted_are_found(store: EventStore, organization: str) -> None:
    many = [str(number) for number in range(5_000)]
    send(store, organization, *map(Sent, many))
    correct(store, organization, void("7"))

    assert frozenset(many) == store.find(organization, [*many, "x", "y", "-1"])
    assert frozenset() == store.find(f"{organization}x", many)
    assert frozenset() == store.find(organization, [])


def test_more_ids_or_corrections_than_the_limit_are_refused(store: EventStore, organization: str) -> None:
    with pytest.raises(TooLarge):
        store.find(organization, [str(number) for number in range(IDS_MAX + 1)])
    with pytest.raises(TooLarge):
        store.correct(organization, [void("a")] * (CORRECTIONS_MAX + 1), now=NOW)


def test_corrections_survive_the_end_of_the_store(open_store: Callable[[Path], EventStore], tmp_path: Path) -> None:
    first = open_store(tmp_path)
    send(first, "org", Sent("a"), Sent("b"))
    quantity(first, "org", count())
    correct(first, "org", void("a"), amend("b", customer="beta"))
    first.close()
    second = open_store(tmp_path)

    assert [0, 1] == [usage.quantity for usage in second.usage("org", [count(), count("beta")])]
    assert [1, 1] == [len(second.history("org", id_)) for id_ in "ab"]
    assert all(drift.is_zero for drift in second.verify(lambda *_: None))
    second.close()


_orders = st.builds(
    CorrectionOrder,
    idempotency_id=st.integers(0, 12).map(str),
    kind=st.sampled_from([CorrectionKind.VOID, CorrectionKind.AMEND, CorrectionKind.AMEND]),
    reason=st.just("why not"),
    customer_id=st.sampled_from([None, None, "acme", "beta"]),
    happened_us=st.sampled_from([None, None, days(0), days(5), days(35), days(-3)]).map(
        lambda at: None if at is None else to_microseconds(at)
    ),
    properties_json=st.none() | PROPERTIES.filter(lambda text: text != "null").map(str.encode),
)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.lists(SENT, min_size=1, max_size=8)),
        st.tuples(st.just("correct"), st.lists(_orders, min_size=1, max_size=4)),
        st.tuples(st.just("ask"), st.lists(SELECTIONS, min_size=1, max_size=4)),
    ),
    min_size=1,
    max_size=14,
)


@given(steps=_steps, finally_asked=st.lists(SELECTIONS, min_size=1, max_size=6))
@many()
def test_usage_equals_a_recount_of_what_counts_after_any_sequence(
    store: EventStore, steps: list[tuple[str, Any]], finally_asked: list[Selection]
) -> None:
    organization, model = f"org_{uuid.uuid4().hex}", Model()
    asked = list(finally_asked)
    for verb, argument in steps:
        if verb == "send":
            assert [model.append(event) for event in argument] == verdicts(send(store, organization, *argument))
        elif verb == "correct":
            assert [model.correct(order) for order in argument] == correct(store, organization, *argument)
        else:
            asked += argument
            assert [model.usage(one) for one in argument] == store.usage(organization, argument)
        at_hand = [(one, store.usage_at_hand(organization, [one])) for one in asked]
        assert all(kept in (None, [model.usage(one)]) for one, kept in at_hand)

    expected = [model.usage(one) for one in asked]
    assert expected == store.usage(organization, asked)
    for one in asked:
        if not any(map(is_series, parts_of(one.definition))):
            assert [model.usage(one)] == store.usage_at_hand(organization, [one])
    _assert_listed_as_in(model, store, organization)


def _assert_listed_as_in(model: Model, store: EventStore, organization: str) -> None:
    expected = [_shown(event) for _, event in model.accepted.values()]
    assert expected == [_shown(event) for event in store.events(organization, EventQuery(after=0, limit=1_000))]
    mine = [_shown(event) for _, event in model.accepted.values() if event.customer_id == "beta"]
    listed = store.events(organization, EventQuery(customer_id="beta", limit=1_000))
    assert mine == [_shown(event) for event in reversed(listed)]
    for id_ in model.accepted:
        assert model.histories.get(id_, []) == store.history(organization, id_)


def _shown(event: Event) -> tuple[object, ...]:
    return (event.idempotency_id, event.customer_id, event.happened_at, event.properties, event.status)


def test_verification_of_a_store_with_corrections_finds_no_drift(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a", properties='{"n":1}'), Sent("b", properties='{"n":1}'), Sent("c"))
    store.usage(organization, [TOTAL])
    correct(store, organization, void("a"), amend("b", properties='{"n":7}'))
    store.usage(organization, [TOTAL])
    drifts = list(store.verify(lambda *_: None))

    assert all(drift.is_zero for drift in drifts)
    assert [7] == [drift.recounted.quantity for drift in drifts if drift.organization_id == organization]
