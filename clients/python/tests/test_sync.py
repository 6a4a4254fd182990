"""The background of `Lotus`: events are batched, delivered and accounted for."""

import threading
from concurrent.futures import Future
from decimal import Decimal

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lotus_fake import API_KEY, Answer, FakeLotus, problem

import lotus


def track(client, *names, **fields):
    return [client.track_event(event_name="e", customer_id="c", idempotency_id=name, **fields) for name in names]


def batches(fake):
    return [[event["idempotency_id"] for event in seen.json["batch"]] for seen in fake.seen]


def client_of(fake, **options):
    options = {"flush_interval_seconds": 3600, **options}
    return lotus.Lotus(API_KEY, host="http://lotus.test", transport=fake.transport(), **options)


def test_an_event_is_sent_as_it_was_given(client, fake):
    client.track_event(
        eventName="e",
        customer_id="c",
        idempotencyId="i",
        time_created="2022-01-01 00:00:00+00:00",
        properties={"amount": Decimal("0.10"), "pi": 3.1415},
    )
    client.flush()

    (seen,) = fake.seen
    assert ("POST", "/api/track/", {"verbose": ["true"]}) == (seen.method, seen.path, seen.query)
    assert {
        "event_name": "e",
        "customer_id": "c",
        "idempotency_id": "i",
        "time_created": "2022-01-01 00:00:00+00:00",
        "properties": {"amount": Decimal("0.10"), "pi": Decimal("3.1415")},
    } == seen.json["batch"][0]
    assert b'"amount":0.10' in seen.raw


def test_id_and_time_are_filled_in_at_the_call(client, fake):
    handle = client.track_event(event_name="e", customer_id="c")
    client.flush()

    event = {"event_name": "e", "customer_id": "c", "idempotency_id": "id-1", "time_created": "2026-03-04T05:06:07Z"}
    assert event == fake.seen[0].json["batch"][0]
    assert "id-1" == handle.idempotency_id


def test_generated_ids_are_uuid4_and_differ(fake):
    with client_of(fake) as client:
        handles = [client.track_event(event_name="e", customer_id="c") for _ in range(2)]

    first, second = (handle.idempotency_id for handle in handles)
    assert first != second
    assert "4" == first[14]


def test_changing_the_properties_later_changes_nothing(client, fake):
    properties = {"n": 1}
    client.track_event(event_name="e", customer_id="c", properties=properties)
    properties["n"] = 2
    client.flush()

    assert {"n": 1} == fake.seen[0].json["batch"][0]["properties"]


def test_the_handle_is_a_future_that_gives_the_verdict(client):
    accepted, duplicate = track(client, "a", "a", time_created="2026-01-01")
    client.flush()

    assert isinstance(accepted, Future)
    assert lotus.Verdict("a", "accepted") == accepted.result(timeout=10)
    assert lotus.Verdict("a", "duplicate") == duplicate.result(timeout=10)


def test_the_handle_raises_for_conflict_and_rejection(client, reports):
    track(client, "a", time_created="2026-01-01")
    (conflict,) = track(client, "a", time_created="2026-01-02")
    rejected = client.track_event(event_name="rejected", customer_id="c", idempotency_id="r")
    client.flush()

    with pytest.raises(lotus.EventRejectedError) as first:
        conflict.result(timeout=10)
    with pytest.raises(lotus.EventRejectedError) as second:
        rejected.result(timeout=10)
    assert ("conflict", "a", "other content") == (first.value.status, first.value.idempotency_id, first.value.reason)
    assert ("rejected", "r") == (second.value.status, second.value.idempotency_id)
    assert [
        ("conflict", ["a"]),
        ("rejected", ["r"]),
    ] == [(error.status, [event["idempotency_id"] for event in events]) for error, events in reports]


def test_a_handle_cannot_be_cancelled(client):
    (handle,) = track(client, "a")

    assert not handle.cancel()
    client.flush()
    assert "accepted" == handle.result(timeout=10).status


def test_a_batch_leaves_when_enough_events_wait(fake):
    with client_of(fake, flush_at=3) as client:
        handles = track(client, "a", "b", "c")
        assert ["accepted"] * 3 == [handle.result(timeout=10).status for handle in handles]


def test_a_batch_leaves_when_the_interval_is_over(fake):
    with client_of(fake, flush_interval_seconds=0.001) as client:
        (handle,) = track(client, "a")
        assert "accepted" == handle.result(timeout=10).status
        (handle,) = track(client, "b")  # also when the thread has been idle
        assert "accepted" == handle.result(timeout=10).status


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 300), st.integers(1, 40), st.integers(1, 40))
def test_closing_loses_and_reorders_nothing_however_many_wait(count, flush_at, max_batch_size):
    fake = FakeLotus()
    names = [str(number) for number in range(count)]
    with client_of(fake, flush_at=flush_at, max_batch_size=max_batch_size) as client:
        handles = track(client, *names)

    assert names == [name for batch in batches(fake) for name in batch]
    assert all(len(batch) <= max_batch_size for batch in batches(fake))
    assert all(handle.done() for handle in handles)
    assert lotus.Stats(accepted=count) == client.stats


def test_flush_returns_when_everything_tracked_before_is_told(client, fake):
    handles = track(client, *(str(number) for number in range(2500)))
    client.flush()

    assert all(handle.done() for handle in handles)
    assert 2500 == client.stats.accepted == len(fake.events)


def test_many_threads_may_share_a_client(client, fake):
    def work(thread):
        track(client, *(f"{thread}-{number}" for number in range(100)))

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.flush()

    assert 800 == len(fake.events) == client.stats.accepted
    for thread in range(8):
        assert [f"{thread}-{number}" for number in range(100)] == [
            name for name in fake.events if name.startswith(f"{thread}-")
        ]


def test_one_more_than_the_queue_holds_is_refused_and_reported(client, fake, reports):
    client.close()
    release = threading.Event()
    fake.misbehaviour.append(lambda _: release.wait(10) and None)
    with client_of(fake, max_queue_size=3, on_error=lambda *report: reports.append(report)) as small:
        kept = track(small, "a", "b", "c")
        (refused,) = track(small, "d")
        assert lotus.Stats(pending=3, dropped=1) == small.stats
        release.set()

    with pytest.raises(lotus.QueueFullError, match="3 events are pending"):
        refused.result(timeout=10)
    assert [["d"]] == [[event["idempotency_id"] for event in events] for _, events in reports]
    assert ["accepted"] * 3 == [handle.result(timeout=10).status for handle in kept]


def test_a_request_that_fails_for_good_fails_its_events_and_is_reported_once(client, fake, reports):
    fake.misbehaviour.append(problem(401, "authentication_failed", "revoked"))
    handles = track(client, "a", "b")
    client.flush()

    assert all(isinstance(handle.exception(timeout=10), lotus.AuthenticationError) for handle in handles)
    ((error, events),) = reports
    assert "authentication_failed" == error.code
    assert ["a", "b"] == [event["idempotency_id"] for event in events]
    assert lotus.Stats(failed=2) == client.stats


def test_retries_send_the_same_body_and_pause_in_between(client, fake, pauses):
    fake.misbehaviour += [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), Answer(503)]
    (handle,) = track(client, "a")
    client.flush()

    assert "accepted" == handle.result(timeout=10).status
    assert 1 == len({seen.raw for seen in fake.seen})
    assert [0.25, 0.5, 1.0] == pauses  # half of 0.5, 1 and 2


def test_a_retried_creation_keeps_its_idempotency_key(client, fake, pauses):
    fake.misbehaviour += [Answer(500), Answer(429, headers={"retry-after": "7"})]
    client.create_customer(customer_id="c1", customer_name="One")

    assert ["id-1"] * 3 == [seen.headers["idempotency-key"] for seen in fake.seen]
    assert [0.25, 7.25] == pauses


def test_a_call_does_not_wait_longer_than_a_minute_for_the_server(client, fake, pauses):
    fake.misbehaviour.append(problem(429, "rate_limited", "Later.", retry=1))
    fake.misbehaviour[0].headers["retry-after"] = "61"

    with pytest.raises(lotus.RateLimitError) as raised:
        client.get_plans()

    assert (61.0, []) == (raised.value.retry_after_seconds, pauses)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (httpx.ConnectError("refused"), lotus.LotusConnectionError),
        (httpx.ReadTimeout("slow"), lotus.LotusTimeoutError),
        (Answer(500), lotus.ServerError),
    ],
)
def test_a_call_raises_its_typed_error_after_the_retries(client, fake, fault, kind):
    fake.misbehaviour += [fault] * 4

    with pytest.raises(kind):
        client.get_plans()

    assert 4 == len(fake.seen)


def test_whatever_a_transport_raises_becomes_an_outcome(client, fake):
    fake.misbehaviour.append(ZeroDivisionError("bug"))
    (handle,) = track(client, "a")
    client.flush()
    track(client, "b")
    client.flush()

    with pytest.raises(lotus.LotusError, match="ZeroDivisionError"):
        handle.result(timeout=10)
    assert lotus.Stats(accepted=1, failed=1) == client.stats


def test_large_bodies_are_compressed_and_small_ones_are_not(client, fake):
    track(client, "small")
    client.flush()
    track(client, "large", properties={"text": "x" * 2000})
    client.flush()

    small, large = fake.seen
    assert "content-encoding" not in small.headers
    assert "gzip" == large.headers["content-encoding"]
    assert len(large.raw) < 1000
    assert {"small", "large"} == fake.events.keys()


@pytest.mark.parametrize("too_large", [1, 7, 64])
def test_a_batch_that_is_too_large_is_sent_in_parts(client, fake, too_large):
    fake.events_max = too_large
    names = [str(number) for number in range(100)]
    track(client, *names)
    client.flush()

    assert names == list(fake.events)
    assert 100 == client.stats.accepted


def test_a_failing_on_error_is_logged_and_stops_nothing(fake, caplog):
    def on_error(_error, _events):
        raise ZeroDivisionError

    with client_of(fake, on_error=on_error) as client:
        client.track_event(event_name="rejected", customer_id="c")
        client.flush()
        (handle,) = track(client, "a")

    assert "accepted" == handle.result(timeout=10).status
    assert "on_error raised" in caplog.text


def test_without_on_error_failures_are_logged(fake, caplog):
    with client_of(fake) as client:
        client.track_event(event_name="rejected", customer_id="c", idempotency_id="r")

    assert "1 event(s) not counted: event r: rejected: Invalid time_created" in caplog.text


def test_waiting_for_the_sending_thread_in_a_callback_is_an_error_not_a_deadlock(client, caplog):
    errors = []

    def callback(_handle):
        for wait in (client.flush, client.close):
            with pytest.raises(lotus.LotusError, match="cannot wait") as raised:
                wait()
            errors.append(raised.value)

    (handle,) = track(client, "a")
    handle.add_done_callback(callback)
    client.flush()

    assert 2 == len(errors)
    assert "" == caplog.text


def test_a_closed_client_takes_nothing_more(client):
    client.close()
    client.close()

    with pytest.raises(lotus.LotusError, match="closed"):
        track(client, "a")
    with pytest.raises(lotus.LotusError, match="closed"):
        client.get_plans()
    client.flush()


def test_shutdown_is_close(client, fake):
    track(client, "a")
    client.shutdown()

    assert ["a"] == list(fake.events)


def test_what_does_not_leave_in_time_is_reported_when_closing(client, fake, reports):
    client.close()
    release, arrived = threading.Event(), threading.Event()

    def hang(_seen):
        arrived.set()
        release.wait(10)

    fake.misbehaviour.append(hang)
    slow = client_of(fake, flush_at=1, max_batch_size=1, on_error=lambda *report: reports.append(report))
    handles = track(slow, "in flight")
    arrived.wait(10)
    handles += track(slow, "waiting")
    with pytest.raises(lotus.LotusTimeoutError):
        slow.flush(timeout_seconds=0.01)
    slow.close(timeout_seconds=0.01)

    assert all(isinstance(handle.exception(timeout=10), lotus.LotusTimeoutError) for handle in handles)
    assert [["in flight", "waiting"]] == [[event["idempotency_id"] for event in events] for _, events in reports]
    assert lotus.Stats(failed=2) == slow.stats
    worker = slow._worker
    release.set()
    worker.join(10)
    assert lotus.Stats(failed=2) == slow.stats  # a late verdict changes nothing that was told


def test_without_a_thread_flush_sends_by_itself(client, monkeypatch):
    def refuse(_thread):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    (handle,) = track(client, "a")
    client.flush()

    assert "accepted" == handle.result(timeout=10).status


def test_the_thread_ends_with_the_client(client):
    track(client, "a")
    worker = client._worker
    assert worker.daemon
    client.close()
    worker.join(10)

    assert not worker.is_alive()
