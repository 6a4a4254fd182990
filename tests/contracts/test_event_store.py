"""What every event store does, with the oracle of `domain/metering` as judge."""

import asyncio
import itertools
import random
import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.metering import (
    Aggregation,
    Filter,
    MetricDefinition,
    MetricType,
    Operator,
    Selection,
    Verdict,
    is_series,
    parts_of,
)
from lotus_server.kernel.errors import Invalid, TooLarge, Unavailable
from lotus_server.kernel.period import Period
from lotus_server.ports.event_store import EventQuery, EventStore, Receipt, Submission
from tests.contracts.event_examples import JUNE, MAY, SELECTIONS, SENT, many
from tests.contracts.event_stores import count, quantity, run, send, verdicts
from tests.contracts.metering_model import NOW, Model, Sent, days, submission

# -- verdicts


def test_new_events_are_accepted(store: EventStore, organization: str) -> None:
    receipt = send(store, organization, Sent("a"), Sent("b"))

    assert (2, 0, ()) == (receipt.accepted, receipt.duplicates, receipt.failures)
    assert [Verdict.ACCEPTED] * 2 == verdicts(receipt)


def test_the_same_event_again_is_a_duplicate(store: EventStore, organization: str) -> None:
    event = Sent("a", properties='{"n":1,"m":[1,{"x":null}]}')
    send(store, organization, event)
    receipt = send(store, organization, event)

    assert (0, 1, ()) == (receipt.accepted, receipt.duplicates, receipt.failures)
    assert 1 == store.event_count(organization)


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (Sent("a", customer="other", at=days(1)), "customer_id"),
        (Sent("a", name="other", at=days(1)), "event_name"),
        (Sent("a", at=days(2)), "time_created"),
        (Sent("a", at=days(1), properties='{"n":2}'), "properties"),
    ],
)
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_an_id_used_for_something_else_is_a_conflict_and_the_first_one_stands(
    store: EventStore, organization: str, other: Sent, field: str, is_one_batch: bool
) -> None:
    first = Sent("a", at=days(1))
    if is_one_batch:
        receipt = send(store, organization, first, other)
    else:
        send(store, organization, first)
        receipt = send(store, organization, other)

    assert Verdict.CONFLICT is receipt.failures[0].status
    assert field in str(receipt.failures[0].reason)
    assert ["call"] == [event.event_name for event in store.events(organization, EventQuery())]
    assert 1 == quantity(store, organization, count())


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ('{"n":1}', '{ "n" : 1.0 }', Verdict.DUPLICATE),
        ('{"n":1,"m":2}', '{"m":2,"n":1}', Verdict.DUPLICATE),
        ("{}", "null", Verdict.DUPLICATE),
        ('{"n":100}', '{"n":1e2}', Verdict.DUPLICATE),
        ('{"n":1}', '{"n":true}', Verdict.CONFLICT),
        ('{"n":1}', '{"n":"1"}', Verdict.CONFLICT),
        ('{"n":0.1}', '{"n":0.10000000000000001}', Verdict.CONFLICT),
        ('{"n":[1,2]}', '{"n":[2,1]}', Verdict.CONFLICT),
        ('{"n":null}', "{}", Verdict.CONFLICT),
    ],
)
def test_properties_are_compared_as_json_values(
    store: EventStore, organization: str, one: str, other: str, expected: Verdict
) -> None:
    send(store, organization, Sent("a", properties=one))

    assert [expected] == verdicts(send(store, organization, Sent("a", properties=other)))


def test_a_time_that_the_sender_left_out_is_not_compared(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a"), Sent("b", at=days(1)))

    receipt = run(store.append(submission(organization, Sent("a"), Sent("b"), now=NOW + timedelta(hours=1))))
    assert [Verdict.DUPLICATE] * 2 == verdicts(receipt)
    assert [Verdict.DUPLICATE] == verdicts(send(store, organization, Sent("a", at=days(3))))


def test_the_first_of_equal_ids_in_a_batch_stands(store: EventStore, organization: str) -> None:
    receipt = send(store, organization, Sent("a"), Sent("a"), Sent("a", customer="other"), Sent("b"))

    assert [Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.CONFLICT, Verdict.ACCEPTED] == verdicts(receipt)


def test_organizations_do_not_share_ids(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a"))
    receipt = send(store, f"{organization}x", Sent("a", customer="other"))

    assert [Verdict.ACCEPTED] == verdicts(receipt)
    assert (1, 1) == (store.event_count(organization), store.event_count(f"{organization}x"))


def test_one_bad_event_does_not_fail_its_neighbours(store: EventStore, organization: str) -> None:
    good = Sent("a").to_json()
    bad = '{"idempotency_id":"b","event_name":""}'
    body = f'{{"batch":[{good},{bad},{Sent("c").to_json()}]}}'.encode()
    receipt = run(store.append(Submission(organization, body, NOW, wants_results=True)))

    assert [Verdict.ACCEPTED, Verdict.REJECTED, Verdict.ACCEPTED] == verdicts(receipt)
    assert ["b"] == [failure.idempotency_id for failure in receipt.failures]
    assert 2 == store.event_count(organization)


def test_results_are_left_out_unless_wanted(store: EventStore, organization: str) -> None:
    assert run(store.append(submission(organization, Sent("a"), wants_results=False))).results is None


def test_unknown_customers_are_turned_away_when_the_submission_says_so(store: EventStore, organization: str) -> None:
    plain = submission(organization, Sent("a"), Sent("b", customer="stranger"))
    strict = Submission(organization, plain.body, NOW, wants_results=True, known_customers=frozenset({"acme", "other"}))

    assert [Verdict.ACCEPTED, Verdict.REJECTED] == verdicts(run(store.append(strict)))
    assert [Verdict.DUPLICATE, Verdict.ACCEPTED] == verdicts(run(store.append(plain)))


@pytest.mark.parametrize("body", [b"", b"{", b"\x1f\x8b\x00", b"\xff", b"[1,2", b'"text"'])
def test_a_body_that_cannot_be_read_is_refused_as_a_whole(store: EventStore, organization: str, body: bytes) -> None:
    with pytest.raises(Invalid):
        run(store.append(Submission(organization, body, NOW)))

    assert 0 == store.event_count(organization)


def test_a_body_beyond_the_limit_is_refused_as_a_whole(store: EventStore, organization: str) -> None:
    event = Sent("a").to_json()
    with pytest.raises(TooLarge):
        run(store.append(Submission(organization, f"[{','.join([event] * 10_001)}]".encode(), NOW)))


def test_a_bad_submission_does_not_fail_those_that_come_with_it(store: EventStore, organization: str) -> None:
    async def work() -> list[Receipt | BaseException]:
        bodies = [
            submission(organization, Sent(str(index))) if index % 5 else Submission(organization, b"{", NOW)
            for index in range(25)
        ]
        return await asyncio.gather(*map(store.append, bodies), return_exceptions=True)

    outcomes = run(work())
    assert [index % 5 == 0 for index in range(25)] == [isinstance(outcome, Invalid) for outcome in outcomes]
    assert 20 == store.event_count(organization)


# -- usage


def test_what_is_acknowledged_is_counted_at_once(store: EventStore, organization: str) -> None:
    store.usage(organization, [count()])
    for index in range(1, 30):
        send(store, organization, Sent(str(index)))
        assert index == quantity(store, organization, count())


def test_usage_is_at_hand_once_it_was_asked_for(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a"))
    assert store.usage_at_hand(organization, [count(), count("other")]) is None

    made = store.usage(organization, [count(), count("other")])
    assert made == store.usage_at_hand(organization, [count(), count("other")])
    assert [1, 0] == [usage.quantity for usage in made]


def test_periods_are_half_open(store: EventStore, organization: str) -> None:
    instant = timedelta(microseconds=1)
    times = [days(0) - instant, days(0), days(31) - instant, days(31)]
    send(store, organization, *(Sent(str(index), at=at) for index, at in enumerate(times[:2])))
    assert [1, 0] == [usage.quantity for usage in store.usage(organization, [count(), count(period=JUNE)])]

    async def later() -> None:
        future = submission(organization, Sent("2", at=times[2]), Sent("3", at=times[3]), now=days(40))
        await store.append(future)

    run(later())
    assert [2, 1] == [usage.quantity for usage in store.usage(organization, [count(), count(period=JUNE)])]


def test_late_events_count_in_the_period_in_which_they_happened(store: EventStore, organization: str) -> None:
    store.usage(organization, [count(), count(period=JUNE)])
    run(store.append(submission(organization, Sent("a", at=days(3)), now=days(500))))

    assert [1, 0] == [usage.quantity for usage in store.usage(organization, [count(), count(period=JUNE)])]


def test_an_empty_store_answers(store: EventStore, organization: str) -> None:
    nothing = [count(), Selection(MetricDefinition("call", Aggregation.MAX, "n"), "acme", MAY)]

    assert [Decimal(0), None] == [usage.value for usage in store.usage(organization, nothing)]
    assert [] == store.events(organization, EventQuery())
    assert 0 == store.event_count(organization)


def test_events_are_counted_on_the_day_on_which_they_happened(store: EventStore, organization: str) -> None:
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    late = midnight + timedelta(days=1, microseconds=-1)
    send(store, organization, Sent("a", at=midnight), Sent("b", at=late), Sent("c", at=midnight - timedelta(days=2)))
    send(store, organization, Sent("a", at=midnight), Sent("d", at=late))
    window = Period(midnight - timedelta(days=2), midnight + timedelta(days=1))

    assert {midnight - timedelta(days=2): 1, midnight: 3} == store.event_days(organization, window)
    assert {} == store.event_days(organization, Period(midnight - timedelta(days=1), midnight))
    assert {} == store.event_days(f"{organization}x", window)


@pytest.mark.parametrize("series", [False, True])
def test_the_number_one_and_true_are_two_questions(store: EventStore, organization: str, series: bool) -> None:
    definition = MetricDefinition("call", Aggregation.SUM, "n")
    if series:
        definition = MetricDefinition("call", Aggregation.PERCENTILE, "n", percentile=Decimal(50))
    is_one, is_true = (
        Selection(msgspec.structs.replace(definition, filters=(Filter("g", Operator.EQ, value),)), "acme", MAY)
        for value in (Decimal(1), True)
    )
    send(
        store,
        organization,
        Sent("a", at=days(1), properties='{"g":1,"n":10}'),
        Sent("b", at=days(1), properties='{"g":true,"n":7}'),
    )

    assert [10, 7] == [usage.quantity for usage in store.usage(organization, [is_one, is_true])]
    assert [7, 10] == [quantity(store, organization, each) for each in (is_true, is_one)]


def test_sums_are_exact(store: EventStore, organization: str) -> None:
    total = Selection(MetricDefinition("call", Aggregation.SUM, "n"), "acme", MAY)
    numbers = ["0.1", "0.2", "999999999999999999999999999999", "0.000000000000000000000000000001", "-3e-5", '"7.25"']
    store.usage(organization, [total])
    send(store, organization, *(Sent(str(place), properties=f'{{"n":{text}}}') for place, text in enumerate(numbers)))

    expected = sum((Decimal(text.strip('"')) for text in numbers), Decimal(0)).normalize()
    exact = Decimal("1000000000000000000000000000006.549970000000000000000000000001")
    assert exact == quantity(store, organization, total), expected


# -- any sequence of anything

_batch = st.lists(SENT, min_size=1, max_size=8)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), _batch),
        st.tuples(st.just("ask"), st.lists(SELECTIONS, min_size=1, max_size=4)),
    ),
    min_size=1,
    max_size=12,
)


@given(steps=_steps, finally_asked=st.lists(SELECTIONS, min_size=1, max_size=6))
@many()
def test_every_sequence_gives_the_verdicts_and_numbers_of_the_model(
    store: EventStore, steps: list[tuple[str, Any]], finally_asked: list[Selection]
) -> None:
    organization, model = f"org_{uuid.uuid4().hex}", Model()
    asked = list(finally_asked)
    for verb, argument in steps:
        if verb == "send":
            assert [model.append(event) for event in argument] == verdicts(send(store, organization, *argument))
        else:
            asked += argument
            assert [model.usage(selection) for selection in argument] == store.usage(organization, argument)

    expected = [model.usage(selection) for selection in asked]
    assert expected == store.usage(organization, asked)
    running = [one for one in asked if not any(map(is_series, parts_of(one.definition)))]
    assert [model.usage(one) for one in running] == store.usage_at_hand(organization, running)
    assert all(store.usage_at_hand(organization, [one]) in (None, [model.usage(one)]) for one in asked)
    newest_first = sorted((event for _, event in model.accepted.values()), key=lambda event: -event.sequence)
    listed = store.events(organization, EventQuery(limit=1_000))
    assert [(event.idempotency_id, event.properties) for event in newest_first] == [
        (event.idempotency_id, event.properties) for event in listed
    ]


@given(
    events=st.lists(SENT, min_size=1, max_size=25, unique_by=lambda event: event.id),
    shuffled=st.randoms(use_true_random=False),
    asked=st.lists(SELECTIONS, min_size=1, max_size=4),
)
@many()
def test_order_and_batching_change_nothing(
    store: EventStore, events: list[Sent], shuffled: random.Random, asked: list[Selection]
) -> None:
    # What depends on the order of acceptance between events of one instant takes no part here.
    asked = [one for one in asked if one.definition.aggregation is not Aggregation.LATEST]
    asked = [one for one in asked if one.definition.type is not MetricType.GAUGE]
    answers = []
    for _ in range(3):
        organization = f"org_{uuid.uuid4().hex}"
        remaining = list(events)
        shuffled.shuffle(remaining)
        while remaining:
            size = shuffled.randint(1, len(remaining))
            send(store, organization, *remaining[:size])
            store.usage(organization, asked[:1])
            remaining = remaining[size:]
        answers.append(store.usage(organization, asked))

    assert answers[0] == answers[1] == answers[2]


@given(batches=st.lists(_batch, min_size=1, max_size=5), asked=st.lists(SELECTIONS, min_size=1, max_size=4))
@many()
def test_replay_changes_nothing(store: EventStore, batches: list[list[Sent]], asked: list[Selection]) -> None:
    organization = f"org_{uuid.uuid4().hex}"
    for batch in batches:
        send(store, organization, *batch)
    before = (store.usage(organization, asked), store.event_count(organization))
    for batch in batches:
        assert 0 == send(store, organization, *batch).accepted

    assert before == (store.usage(organization, asked), store.event_count(organization))


def test_concurrent_submissions_are_each_counted_once(store: EventStore, organization: str) -> None:
    store.usage(organization, [count()])

    async def work() -> list[Receipt]:
        one = [submission(organization, Sent(str(index)), wants_results=False) for index in range(200)]
        return await asyncio.gather(*map(store.append, one + one))

    receipts = run(work())
    assert (200, 200) == (sum(one.accepted for one in receipts), sum(one.duplicates for one in receipts))
    assert 200 == quantity(store, organization, count())


def test_verification_finds_no_drift(store: EventStore, organization: str) -> None:
    store.usage(organization, [count()])
    send(store, organization, Sent("a"))
    steps: list[tuple[int, int]] = []
    drifts = list(store.verify(lambda read, total: steps.append((read, total))))

    assert organization in {drift.organization_id for drift in drifts}
    assert all(drift.is_zero for drift in drifts)
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]


# -- listing


def test_events_are_listed_newest_accepted_first_and_filtered(store: EventStore, organization: str) -> None:
    sent = [
        Sent("0", at=days(9), properties='{"n":0.10}'),
        Sent("1", customer="beta", at=days(1)),
        Sent("2", name="other", at=days(3)),
        Sent("3", at=days(2)),
    ]
    send(store, organization, *sent)

    def ids(query: EventQuery) -> str:
        return "".join(event.idempotency_id for event in store.events(organization, query))

    assert "3210" == ids(EventQuery())
    assert "32" == ids(EventQuery(limit=2))
    assert "320" == ids(EventQuery(customer_id="acme"))
    assert "1" == ids(EventQuery(customer_id="beta", event_name="call"))
    assert "2" == ids(EventQuery(event_name="other"))
    assert "3" == ids(EventQuery(idempotency_id="3"))
    assert "" == ids(EventQuery(idempotency_id="4"))
    assert "" == ids(EventQuery(idempotency_id="3", customer_id="beta"))
    assert "32" == ids(EventQuery(start=days(2), end=days(9)))
    assert "0" == ids(EventQuery(customer_id="acme", start=days(9)))
    second = store.events(organization, EventQuery())[1]
    assert "10" == ids(EventQuery(before=second.sequence))
    assert {"n": Decimal("0.10")} == store.events(organization, EventQuery(limit=1, idempotency_id="0"))[0].properties


# -- a store's life


def test_a_store_that_is_opened_again_knows_everything(
    open_store: Callable[[Path], EventStore], tmp_path: Path
) -> None:
    first = open_store(tmp_path)
    send(first, "org", Sent("a"), Sent("b", properties='{"n":2}'))
    unique = Selection(MetricDefinition("call", Aggregation.UNIQUE, "n"), "acme", MAY)
    first.usage("org", [count(), unique])
    first.close()
    second = open_store(tmp_path)

    assert [Verdict.DUPLICATE, Verdict.CONFLICT] == verdicts(send(second, "org", Sent("a"), Sent("b")))
    at_hand = second.usage_at_hand("org", [count(), unique])
    assert at_hand is not None
    assert [2, 1] == [usage.quantity for usage in at_hand]
    send(second, "org", Sent("c", properties='{"n":2.0}'), Sent("d", properties='{"n":3}'))
    assert [4, 2] == [usage.quantity for usage in second.usage("org", [count(), unique])]
    assert all(drift.is_zero for drift in second.verify(lambda *_: None))
    second.close()


def test_a_closed_store_refuses_submissions(open_store: Callable[[Path], EventStore], tmp_path: Path) -> None:
    opened = open_store(tmp_path)
    opened.close()

    with pytest.raises(Unavailable):
        send(opened, "org", Sent("a"))


def test_one_customer_among_many_is_found(store: EventStore, organization: str) -> None:
    """More events than any buffer or index block holds, so that every way to find a customer's events takes part."""
    total = Selection(MetricDefinition("call", Aggregation.SUM, "n"), "c7", MAY)
    sizes = itertools.repeat(2_500, 8)
    number = 0
    for size in sizes:
        batch = [
            Sent(str(index), customer=f"c{index % 50}", at=days(index % 15), properties=f'{{"n":{index % 3}}}')
            for index in range(number, number + size)
        ]
        number += size
        run(store.append(submission(organization, *batch, wants_results=False)))
        if number == 5_000:
            store.usage(organization, [total])

    mine = [index for index in range(number) if index % 50 == 7]
    assert sum(index % 3 for index in mine) == quantity(store, organization, total)
    assert len(mine) == quantity(store, organization, count("c7"))
    everyone = store.usage(organization, [count(f"c{customer}") for customer in range(50)], keeps_aggregates=False)
    assert [number // 50] * 50 == [usage.quantity for usage in everyone]
    listed = store.events(organization, EventQuery(customer_id="c7", limit=3))
    assert [str(index) for index in mine[:-4:-1]] == [event.idempotency_id for event in listed]
    in_time = store.events(organization, EventQuery(customer_id="c7", start=days(2), end=days(3), limit=1_000))
    assert [str(index) for index in reversed(mine) if index % 15 == 2] == [event.idempotency_id for event in in_time]
