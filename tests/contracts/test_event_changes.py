"""Whose past has changed, in every event store: nobody is left out, and hardly anybody is named without a reason."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.metering import CorrectionKind, LogPosition
from lotus_server.ports.event_store import CorrectionOrder, EventStore, Since
from tests.contracts.event_stores import run, send
from tests.contracts.metering_model import NOW, Sent, days, submission

CUSTOMERS = ("acme", "boots", "corner")
INSTANT = timedelta(microseconds=1)


def changed(
    store: EventStore, organization: str, since: LogPosition, before: datetime, *customers: str
) -> frozenset[str]:
    return store.changed(organization, dict.fromkeys(customers or CUSTOMERS, Since(since, before)))


def test_an_event_of_the_past_is_noticed(store: EventStore, organization: str) -> None:
    start = store.position(organization)
    send(store, organization, Sent("a", "acme", at=days(3)), Sent("b", "boots", at=days(5)))

    assert {"acme"} == changed(store, organization, start, days(5))
    assert {"acme", "boots"} == changed(store, organization, start, days(5) + INSTANT)
    assert frozenset() == changed(store, organization, start, days(3))


def test_what_came_before_a_position_is_not_noticed(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a", "acme", at=days(3)))
    later = store.position(organization)
    send(store, organization, Sent("b", "boots", at=days(3)))

    assert {"boots"} == changed(store, organization, later, days(5))


def test_an_event_that_was_sent_again_changes_nothing(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a", "acme", at=days(3)))
    later = store.position(organization)
    send(store, organization, Sent("a", "acme", at=days(3)))

    assert frozenset() == changed(store, organization, later, days(5))


def test_each_customer_is_asked_about_on_its_own(store: EventStore, organization: str) -> None:
    start = store.position(organization)
    send(store, organization, Sent("a", "acme", at=days(3)), Sent("b", "boots", at=days(3)))
    later = store.position(organization)
    asked = {"acme": Since(start, days(2)), "boots": Since(start, days(4)), "corner": Since(later, days(4))}

    assert {"boots"} == store.changed(organization, asked)


def test_voided_and_amended_events_are_noticed(store: EventStore, organization: str) -> None:
    send(store, organization, *(Sent(str(place), name, at=days(3)) for place, name in enumerate(CUSTOMERS[:2])))
    later = store.position(organization)
    void = CorrectionOrder("0", CorrectionKind.VOID, "wrong")
    amend = CorrectionOrder("1", CorrectionKind.AMEND, "wrong", customer_id="corner")

    assert frozenset() == changed(store, organization, later, days(5))
    store.correct(organization, [void], now=NOW)
    assert {"acme"} == changed(store, organization, later, days(5))
    store.correct(organization, [amend], now=NOW)
    assert set(CUSTOMERS) == changed(store, organization, later, days(5))
    assert frozenset() == changed(store, organization, store.position(organization), days(5))


def test_organizations_do_not_see_each_other(store: EventStore, organization: str) -> None:
    start = store.position(organization)
    send(store, f"{organization}_other", Sent("a", "acme", at=days(3)))

    assert frozenset() == changed(store, organization, start, days(5))


def test_a_position_beyond_the_end_is_doubted(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a", "acme", at=days(3)))
    end = store.position(organization)
    future = LogPosition(end.event + 1, end.correction)

    assert {"boots"} == changed(store, organization, future, days(1), "boots")


def test_nothing_is_asked_about_nobody(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a", "acme", at=days(3)))

    assert frozenset() == store.changed(organization, {})


def test_changes_are_found_in_a_long_log(store: EventStore, organization: str) -> None:
    """More events than any buffer or index block holds, so that every way to find a customer's events takes part."""
    for size in range(5):
        batch = [
            Sent(f"{size}-{index}", f"c{index % 50}", at=days(10 + index % 5), properties="{}")
            for index in range(2_500)
        ]
        run(store.append(submission(organization, *batch, wants_results=False)))
        if size == 0:
            later = store.position(organization)
            send(store, organization, Sent("late", "c7", at=days(3)))
    everybody = [f"c{number}" for number in range(50)]

    assert {"c7"} == changed(store, organization, later, days(10), *everybody)
    assert frozenset(everybody) == changed(store, organization, later, days(20), *everybody)
    assert frozenset() == changed(store, organization, store.position(organization), days(20), *everybody)


_sent = st.tuples(st.sampled_from(CUSTOMERS), st.integers(0, 9))


@given(
    batches=st.lists(st.lists(_sent, min_size=1, max_size=4), min_size=1, max_size=5),
    asked=st.dictionaries(st.sampled_from(CUSTOMERS), st.tuples(st.integers(0, 5), st.integers(0, 10))),
)
def test_exactly_what_came_in_is_noticed(
    store: EventStore, batches: list[list[tuple[str, int]]], asked: Mapping[str, tuple[int, int]]
) -> None:
    organization = f"org_{uuid.uuid4().hex}"
    positions = [store.position(organization)]
    for number, batch in enumerate(batches):
        send(store, organization, *(Sent(f"{number}-{n}", name, at=days(day)) for n, (name, day) in enumerate(batch)))
        positions.append(store.position(organization))
    places = {name: min(place, len(batches)) for name, (place, _) in asked.items()}
    since = {name: Since(positions[places[name]], days(day)) for name, (_, day) in asked.items()}

    expected = {
        name
        for name, (_, before) in asked.items()
        if any(who == name and day < before for batch in batches[places[name] :] for who, day in batch)
    }
    assert expected == store.changed(organization, since)
