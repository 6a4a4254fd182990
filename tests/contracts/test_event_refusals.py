"""What every event store remembers of the events that it refused."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from lotus_server.domain.metering import Verdict
from lotus_server.ports.event_store import REFUSED_BYTES_MAX, EventStore, RefusedQuery, Submission
from tests.contracts.event_stores import run, send
from tests.contracts.metering_model import NOW, Sent, days, submission

BAD = '{"idempotency_id":"bad","event_name":"","customer_id":"acme","properties":{"n":1.10}, "more": [1]}'


def post(store: EventStore, organization: str, *texts: str) -> None:
    run(store.append(Submission(organization, f"[{','.join(texts)}]".encode(), NOW)))


def ids(store: EventStore, organization: str, query: RefusedQuery) -> list[str | None]:
    return [refused.idempotency_id for refused in store.refused(organization, query)]


def test_a_rejected_event_is_kept_as_it_was_sent(store: EventStore, organization: str) -> None:
    post(store, organization, Sent("a").to_json(), BAD)

    (refused,) = store.refused(organization, RefusedQuery())
    assert (1, NOW, "bad", Verdict.REJECTED, BAD) == (
        refused.number,
        refused.received_at,
        refused.idempotency_id,
        refused.status,
        refused.content,
    )
    assert "event_name must not be empty." == refused.reason


def test_an_event_without_the_shape_of_one_is_kept_too(store: EventStore, organization: str) -> None:
    texts = ["17", '{"event_name":"call"}', '{"event_name":"call","customer_id":3,"idempotency_id":"x"}']
    post(store, organization, *texts, Sent("a").to_json(), BAD)

    assert [BAD, *reversed(texts)] == [one.content for one in store.refused(organization, RefusedQuery())]
    assert ["bad", "x", None, None] == ids(store, organization, RefusedQuery())


def test_a_conflict_is_kept_with_its_content(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a", at=days(1), properties='{"n":1}'))
    send(store, organization, Sent("a", customer="ünü", at=days(2), properties='{"n": 2.50}'), Sent("b"), Sent("b"))

    (refused,) = store.refused(organization, RefusedQuery())
    assert ("a", Verdict.CONFLICT) == (refused.idempotency_id, refused.status)
    assert "customer_id" in refused.reason
    assert '{"n": 2.50}' in refused.content
    content = json.loads(refused.content)
    assert ("ünü", "call", "2026-05-03T00:00:00Z") == (
        content["customer_id"],
        content["event_name"],
        content["time_created"],
    )


def test_events_of_unknown_customers_are_kept_when_they_are_turned_away(store: EventStore, organization: str) -> None:
    plain = submission(organization, Sent("a", customer="stranger"))
    run(store.append(Submission(organization, plain.body, NOW, known_customers=frozenset({"acme"}))))

    assert ["a"] == ids(store, organization, RefusedQuery(reason="DOES NOT exist"))


def test_a_very_long_event_is_cut_off(store: EventStore, organization: str) -> None:
    post(store, organization, Sent("a", properties=f'{{"t":"{"ü" * REFUSED_BYTES_MAX}"}}').to_json())

    (refused,) = store.refused(organization, RefusedQuery())
    assert REFUSED_BYTES_MAX - 1 <= len(refused.content.encode()) <= REFUSED_BYTES_MAX


def test_refused_events_are_listed_newest_first_and_filtered(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a"))
    post(store, organization, BAD, BAD.replace("bad", "worse").replace('"customer_id":"acme",', ""))
    send(store, organization, Sent("a", name="other"))
    later = submission(organization, Sent("a", customer="beta"), now=NOW + timedelta(hours=1))
    run(store.append(later))
    send(store, f"{organization}x", Sent("z", name=" "))

    assert ["a", "a", "worse", "bad"] == ids(store, organization, RefusedQuery())
    assert ["a", "a"] == ids(store, organization, RefusedQuery(status=Verdict.CONFLICT))
    assert ["worse", "bad"] == ids(store, organization, RefusedQuery(status=Verdict.REJECTED))
    assert ["bad"] == ids(store, organization, RefusedQuery(idempotency_id="bad"))
    assert ["worse"] == ids(store, organization, RefusedQuery(reason="CUSTOMER_ID is missing"))
    assert ["a", "a"] == ids(store, organization, RefusedQuery(limit=2))
    numbers = [refused.number for refused in store.refused(organization, RefusedQuery())]
    assert [4, 3, 2, 1] == numbers
    assert ["worse", "bad"] == ids(store, organization, RefusedQuery(before=3))
    assert [] == ids(store, f"{organization}y", RefusedQuery())
    assert [NOW + timedelta(hours=1)] == [
        refused.received_at for refused in store.refused(organization, RefusedQuery(limit=1))
    ]


def test_refused_events_are_numbered_on_after_the_end_of_the_store(
    open_store: Callable[[Path], EventStore], tmp_path: Path
) -> None:
    first = open_store(tmp_path)
    post(first, "org", BAD, BAD)
    first.close()
    second = open_store(tmp_path)
    post(second, "org", BAD)

    assert [3, 2, 1] == [refused.number for refused in second.refused("org", RefusedQuery())]
    second.close()
