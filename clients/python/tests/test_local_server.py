"""Over a real socket, with a server that misbehaves."""

import asyncio
import socket
import threading

import pytest
from lotus_fake import API_KEY, Answer, Dropped, FakeLotus, serve

import lotus


@pytest.fixture
def impatient(local, runtime):
    with lotus.Lotus(API_KEY, host=local, flush_interval_seconds=3600, _runtime=runtime) as client:
        yield client


def track(client, *names):
    return [client.track_event(event_name="e", customer_id="c", idempotency_id=name) for name in names]


def test_connections_are_kept(impatient, fake):
    for number in range(5):
        track(impatient, str(number))
        impatient.flush()
        impatient.get_plans()

    assert 10 == len(fake.seen)
    assert 1 == len({seen.connection for seen in fake.seen})


def test_a_dropped_connection_is_tried_again(impatient, fake):
    fake.misbehaviour += [Dropped(), Dropped()]
    (handle,) = track(impatient, "a")
    impatient.flush()

    assert "accepted" == handle.result(timeout=10).status
    assert 3 == len(fake.seen)
    assert 1 == len({seen.raw for seen in fake.seen})


def test_an_event_that_arrived_before_the_connection_dropped_is_counted_once(impatient, fake):
    def count_and_drop(seen):
        fake.post_track(seen)
        return Dropped()

    fake.misbehaviour.append(count_and_drop)
    (handle,) = track(impatient, "a")
    impatient.flush()

    assert "duplicate" == handle.result(timeout=10).status
    assert ["a"] == list(fake.events)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_passing_failure_is_tried_again(impatient, fake, status):
    fake.misbehaviour += [Answer(status, b"<html>busy</html>"), Answer(status, {"title": "busy"})]

    assert [] == impatient.get_customers()
    assert 3 == len(fake.seen)


def test_too_large_a_batch_is_split_until_it_fits(impatient, fake):
    fake.events_max = 3
    names = [str(number) for number in range(50)]
    track(impatient, *names)
    impatient.flush()

    assert names == list(fake.events)


def test_an_answer_that_does_not_come_is_a_timeout(local, fake, runtime):
    release = threading.Event()
    fake.misbehaviour.append(lambda _: release.wait(10) and None)
    with (
        lotus.Lotus(API_KEY, host=local, timeout_seconds=0.05, max_retries=0, _runtime=runtime) as client,
        pytest.raises(lotus.LotusTimeoutError),
    ):
        client.get_plans()
    release.set()


def test_nobody_listening_is_a_connection_error(runtime):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with lotus.Lotus(API_KEY, host=host, _runtime=runtime) as client, pytest.raises(lotus.LotusConnectionError):
            client.get_plans()


def test_a_server_that_comes_back_gets_everything(runtime):
    fake = FakeLotus()
    with serve(fake) as host:
        pass
    port = int(host.rpartition(":")[2])
    running = []

    def start(_seconds):
        if not running:
            running.append(serve(fake, port))
            running[0].__enter__()

    patient = type(runtime)(now=runtime.now, random=runtime.random, new_id=runtime.new_id, sleep=start)
    with lotus.Lotus(API_KEY, host=host, _runtime=patient) as client:
        (handle,) = track(client, "a")
        client.flush()
    running[0].__exit__(None, None, None)

    assert "accepted" == handle.result(timeout=10).status


def test_closing_while_a_request_hangs_comes_back_in_time(local, fake, reports):
    release, arrived = threading.Event(), threading.Event()

    def hang(_seen):
        arrived.set()
        release.wait(10)

    fake.misbehaviour.append(hang)
    client = lotus.Lotus(API_KEY, host=local, flush_at=1, on_error=lambda *report: reports.append(report))
    (handle,) = track(client, "a")
    arrived.wait(10)
    client.close(timeout_seconds=0.01)
    release.set()
    client._worker.join(10)

    assert isinstance(handle.exception(timeout=10), lotus.LotusTimeoutError)
    assert 1 == len(reports)


def test_the_async_client_survives_the_same(local, fake):
    fake.events_max = 3
    fake.misbehaviour += [Dropped(), Answer(503, headers={"retry-after": "0"}), Dropped()]
    names = [str(number) for number in range(20)]

    async def main():
        async with lotus.AsyncLotus(API_KEY, host=local, flush_interval_seconds=3600) as client:
            handles = track(client, *names)
            client._core.runtime = type(client._core.runtime)(random=lambda: 0.0)
            await client.flush()
            await client.get_plans()
            return [(await handle).status for handle in handles]

    assert {"accepted"} == set(asyncio.run(main()))
    assert names == list(fake.events)
