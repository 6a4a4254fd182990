"""`AsyncLotus` does what `Lotus` does, on an event loop."""

import asyncio
import gc
from decimal import Decimal

import httpx
import pytest
from lotus_fake import API_KEY, Answer, problem

import lotus


def client_of(fake, **options):
    options = {"flush_interval_seconds": 3600, **options}
    return lotus.AsyncLotus(API_KEY, host="http://lotus.test", transport=fake.async_transport(), **options)


def track(client, *names, **fields):
    return [client.track_event(event_name="e", customer_id="c", idempotency_id=name, **fields) for name in names]


def run(fake, work, **options):
    async def main():
        async with client_of(fake, **options) as client:
            return await work(client)

    return asyncio.run(main())


def test_each_call_is_the_same_request_as_that_of_the_sync_client(client, fake):
    calls = [
        ("create_customer", {"customer_id": "c1", "customer_name": "One"}),
        (
            "create_subscription",
            {"customerId": "c1", "billing_plan_id": "p1", "start_date": "2026-01-01", "subscription_id": "s"},
        ),
        ("get_customers", {}),
        ("get_plans", {}),
        ("get_subscriptions", {"customer_id": "c1"}),
        ("get_current_usage", {"customer_id": "c1"}),
        ("get_customer_access", {"customer_id": "c1", "feature_name": "f"}),
        ("cancel_subscription", {"subscription_id": "s", "bill_now": False}),
    ]
    fake.plans["p1"] = {"plan_id": "p1", "components": [], "features": ["f"]}

    async def work(other):
        return [await getattr(other, call)(**fields) for call, fields in calls]

    sync_answers = [getattr(client, call)(**fields) for call, fields in calls]
    sync_seen = fake.seen[:]
    fake.seen.clear()
    fake.customers.clear()
    fake.subscriptions.clear()
    async_answers = run(fake, work)

    assert sync_answers == async_answers
    assert [(each.method, each.path, each.query, each.json) for each in sync_seen] == [
        (each.method, each.path, each.query, each.json) for each in fake.seen
    ]
    keys = [each.headers.get("idempotency-key") for each in fake.seen]
    assert [True, True, False, False, False, False, False, True] == [key is not None for key in keys]


def test_track_event_returns_at_once_and_its_handle_can_be_awaited(fake):
    async def work(client):
        (handle,) = track(client, "a", properties={"n": Decimal("0.10")})
        assert not handle.done()
        with pytest.raises(asyncio.InvalidStateError):
            handle.result()
        await client.flush()
        return await handle, await handle, handle.result()

    assert (lotus.Verdict("a", "accepted"),) * 3 == run(fake, work)
    assert b'"n":0.10' in fake.seen[0].raw


def test_a_handle_raises_for_conflict_and_rejection(fake):
    async def work(client):
        track(client, "a", time_created="2026-01-01")
        (conflict,) = track(client, "a", time_created="2026-01-02")
        await client.flush()
        return await asyncio.gather(conflict, return_exceptions=True)

    (error,) = run(fake, work, on_error=lambda *_: None)
    assert ("conflict", "a") == (error.status, error.idempotency_id)


def test_a_wait_that_times_out_cancels_neither_event_nor_handle(fake):
    async def work(client):
        (handle,) = track(client, "a")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(handle, 0.001)
        await client.flush()
        return await handle

    assert "accepted" == run(fake, work).status


def test_ignored_failures_warn_about_nothing(fake, reports, caplog):
    fake.misbehaviour.append(problem(401, "authentication_failed", "revoked"))

    async def work(client):
        track(client, "a", "b")

    run(fake, work, on_error=lambda *report: reports.append(report))
    gc.collect()

    assert [2] == [len(events) for _, events in reports]
    assert "" == caplog.text


def test_leaving_the_block_loses_and_reorders_nothing(fake):
    names = [str(number) for number in range(2500)]

    async def work(client):
        return client, track(client, *names)

    client, handles = run(fake, work, flush_at=7, max_batch_size=30)

    assert names == list(fake.events)
    assert all(handle.done() for handle in handles)
    assert lotus.Stats(accepted=2500) == client.stats
    assert all(len(seen.json["batch"]) <= 30 for seen in fake.seen)


def test_a_batch_leaves_when_enough_events_wait(fake):
    async def work(client):
        return await asyncio.gather(*track(client, "a", "b", "c"))

    assert ["accepted"] * 3 == [verdict.status for verdict in run(fake, work, flush_at=3)]


def test_a_batch_leaves_when_the_interval_is_over(fake):
    async def work(client):
        for name in "ab":
            (handle,) = track(client, name)
            await handle

    run(fake, work, flush_interval_seconds=0.001)

    assert ["a", "b"] == list(fake.events)


def test_one_more_than_the_queue_holds_is_refused(fake, reports):
    async def work(client):
        handles = track(client, "a", "b", "c")
        assert lotus.Stats(pending=2, dropped=1) == client.stats
        with pytest.raises(lotus.QueueFullError):
            await handles[2]

    run(fake, work, max_queue_size=2, on_error=lambda *report: reports.append(report))

    assert [["c"]] == [[event["idempotency_id"] for event in events] for _, events in reports]
    assert ["a", "b"] == list(fake.events)


def test_retries_keep_body_and_idempotency_key(fake, runtime, pauses):
    fake.misbehaviour += [httpx.ConnectError("refused"), Answer(503)]

    async def work(client):
        await client.create_customer(customer_id="c1", customer_name="One")

    run(fake, work, _runtime=runtime)

    assert ["id-1"] * 3 == [seen.headers["idempotency-key"] for seen in fake.seen]
    assert [0.25, 0.5] == pauses


def test_errors_are_those_of_the_sync_client(fake, runtime):
    fake.misbehaviour += [httpx.ReadTimeout("slow")] * 4

    async def work(client):
        with pytest.raises(lotus.LotusTimeoutError):
            await client.get_plans()
        with pytest.raises(lotus.NotFoundError):
            await client.get_current_usage(customer_id="nobody")
        with pytest.raises(lotus.ValidationError):
            await client.get_current_usage()
        with pytest.raises(lotus.ValidationError):
            client.track_event(event_name="e")

    run(fake, work, _runtime=runtime)


def test_whatever_a_transport_raises_becomes_an_outcome(fake, reports):
    fake.misbehaviour.append(ZeroDivisionError("bug"))

    async def work(client):
        (first,) = track(client, "a")
        await client.flush()
        (second,) = track(client, "b")
        await client.flush()
        with pytest.raises(lotus.LotusError, match="ZeroDivisionError"):
            await first
        return await second

    assert "accepted" == run(fake, work, on_error=lambda *report: reports.append(report)).status


def test_what_does_not_leave_in_time_is_reported_when_closing(reports):
    async def main():
        async def hang(_request):
            await asyncio.Event().wait()

        client = lotus.AsyncLotus(
            API_KEY,
            host="http://lotus.test",
            transport=httpx.MockTransport(hang),
            on_error=lambda *report: reports.append(report),
        )
        (handle,) = track(client, "a")
        with pytest.raises(lotus.LotusTimeoutError):
            await client.flush(timeout_seconds=0.001)
        await client.close(timeout_seconds=0.001)
        await client.shutdown()
        with pytest.raises(lotus.LotusTimeoutError):
            await handle
        with pytest.raises(lotus.LotusError, match="closed"):
            track(client, "b")
        with pytest.raises(lotus.LotusError, match="closed"):
            await client.get_plans()
        return client.stats

    assert lotus.Stats(failed=1) == asyncio.run(main())
    assert 1 == len(reports)


def test_a_loop_that_ends_without_close_reports_what_was_left(fake, reports):
    async def main():
        client = client_of(fake, on_error=lambda *report: reports.append(report))
        track(client, "a", "b")
        await asyncio.sleep(0)

    asyncio.run(main())

    ((error, events),) = reports
    assert "close()" in str(error)
    assert ["a", "b"] == [event["idempotency_id"] for event in events]


def test_an_idle_client_leaves_no_task_behind(fake):
    async def work(client):
        track(client, "a")
        await client.flush()
        await asyncio.sleep(0)
        return [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "lotus"]

    assert [] == run(fake, work)


def test_without_a_running_loop_tracking_is_refused(fake):
    with pytest.raises(RuntimeError, match="no running event loop"):
        track(client_of(fake), "a")
