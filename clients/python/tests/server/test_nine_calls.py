"""The nine calls against a real server, blocking, on asyncio and on the module: what one wrote, the server counted."""

import asyncio
import inspect
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import httpx
import pytest

import lotus

pytestmark = pytest.mark.server


async def answer_of(value):
    """The answer of a call, whether it blocked or is to be awaited: one story serves all three ways in."""
    return await value if inspect.isawaitable(value) else value


async def verdict_of(handle):
    return await handle if inspect.isawaitable(handle) else handle.result(timeout=30)


def today():
    return datetime.now(timezone.utc).date()


async def story(calls, world):
    """Use all nine calls once, as a program would, and check each answer."""
    customer = await answer_of(
        calls.create_customer(
            customer_id=world.customer, customer_name="Ada", currency="USD", payment_provider_id="cus_1"
        )
    )
    assert (world.customer, "Ada") == (customer["customer_id"], customer["customer_name"])

    customers = await answer_of(calls.get_customers())
    (row,) = [each for each in customers if each["customer_id"] == world.customer]
    assert {"customer_id", "customer_name", "balance"} <= row.keys()
    assert row["balance"] == 0
    assert not isinstance(row["balance"], float)

    plans = await answer_of(calls.get_plans())
    assert world.plan in [each["billing_plan_id"] for each in plans]

    name = f"subscription of {world.customer}"
    subscription = await answer_of(
        calls.create_subscription(
            customerId=world.customer, billing_plan_id=world.plan, start_date=today(), subscription_id=name
        )
    )
    assert name == subscription["subscription_id"]

    subscriptions = await answer_of(calls.get_subscriptions())
    (mine,) = [each for each in subscriptions if each["subscription_id"] == name]
    assert (world.customer, "active") == (mine["customer"]["customer_id"], mine["status"])
    assert today().isoformat() == mine["start_date"]

    event = {"event_name": world.event, "customer_id": world.customer, "idempotency_id": f"{world.event}-1"}
    event["time_created"] = datetime.now(timezone.utc)
    first = calls.track_event({**event, "properties": {"n": Decimal("12.5")}})
    again = calls.track_event({**event, "properties": {"n": Decimal("12.5")}})
    other = calls.track_event({**event, "properties": {"n": 99}})
    second = calls.track_event(eventName=world.event, customerId=world.customer, properties={"n": Decimal("2.5")})
    await answer_of(calls.flush())
    verdicts = [await verdict_of(each) for each in (first, again, second)]
    assert ["accepted", "duplicate", "accepted"] == [verdict.status for verdict in verdicts]
    with pytest.raises(lotus.EventRejectedError) as conflict:
        await verdict_of(other)
    assert "conflict" == conflict.value.status

    (usage,) = await answer_of(calls.get_current_usage(customer_id=world.customer))
    assert Decimal("0.50") == usage["cost_due"]  # (12.5 + 2.5 - 10 free) x 0.10
    assert not isinstance(usage["cost_due"], float)
    assert "USD" == usage["cost_due_currency"]
    assert world.customer == usage["customer"]["customer_id"]
    assert name == usage["subscription"]["subscription_id"]

    has = {"customer_id": world.customer}
    assert (await answer_of(calls.get_customer_access(**has, feature_name=world.feature)))["access"] is True
    assert (await answer_of(calls.get_customer_access(**has, feature_name="no such feature")))["access"] is False
    total = await answer_of(calls.get_customer_access(**has, event_name=world.event, event_limit_type="total"))
    assert total["access"] is True  # 15 of 20
    free = await answer_of(calls.get_customer_access(**has, event_name=world.event, event_limit_type="free"))
    assert free["access"] is False  # 15 of 10

    cancelled = await answer_of(calls.cancel_subscription(subscription_id=name, bill_now=False, revoke_access=True))
    assert "success" == cancelled["status"]
    assert [] == await answer_of(calls.get_current_usage(customer_id=world.customer))
    assert (await answer_of(calls.get_customer_access(**has, feature_name=world.feature)))["access"] is False


def test_all_nine_calls_on_a_blocking_client(client, world):
    asyncio.run(story(client, world))


@pytest.mark.usefixtures("server")
def test_all_nine_calls_on_asyncio(world):
    async def main():
        async with lotus.AsyncLotus() as client:
            await story(client, world)

    asyncio.run(main())


def test_all_nine_calls_on_the_module(server, world, monkeypatch):
    host, key = server
    monkeypatch.delenv("LOTUS_HOST")
    monkeypatch.delenv("LOTUS_API_KEY")
    monkeypatch.setattr(lotus, "api_key", key)
    monkeypatch.setattr(lotus, "host", host + "/")
    asyncio.run(story(lotus, world))
    lotus.shutdown()


def test_a_large_batch_is_counted_to_the_last_event(client, world):
    client.create_customer(customer_id=world.customer, customer_name="Ada")
    client.create_subscription(customer_id=world.customer, billing_plan_id=world.plan, start_date=today())
    handles = [
        client.track_event(event_name=world.event, customer_id=world.customer, properties={"n": Decimal("0.01")})
        for _ in range(2500)
    ]
    client.flush()

    assert {"accepted"} == {handle.result(timeout=30).status for handle in handles}
    (usage,) = client.get_current_usage(customer_id=world.customer)
    assert Decimal("1.50") == usage["cost_due"]  # (2500 x 0.01 - 10 free) x 0.10


def test_tracking_again_after_a_restart_of_the_program_counts_nothing_twice(world):
    event = {"event_name": world.event, "customer_id": world.customer, "idempotency_id": world.event}
    event["time_created"] = datetime.now(timezone.utc)
    statuses = []
    for _ in range(2):
        with lotus.Lotus() as client:
            handle = client.track_event(event)
        statuses.append(handle.result(timeout=30).status)

    assert ["accepted", "duplicate"] == statuses


def test_an_event_far_in_the_future_is_rejected_and_its_neighbours_are_not(world, caplog):
    with lotus.Lotus() as client:
        good = client.track_event(event_name=world.event, customer_id=world.customer)
        bad = client.track_event(
            event_name=world.event,
            customer_id=world.customer,
            time_created=datetime.now(timezone.utc) + timedelta(days=30),
        )
    assert "accepted" == good.result(timeout=30).status
    with pytest.raises(lotus.EventRejectedError) as raised:
        bad.result(timeout=30)
    assert "rejected" == raised.value.status
    assert raised.value.reason
    assert "1 event(s) not counted" in caplog.text


@pytest.mark.parametrize(
    "written",
    [
        "2022-09-01T00:00:00Z",
        "2022-09-01 00:00:00+00:00",
        "2022-09-01T02:00:00.123+02:00",
        "2022-09-01",
        "2022-09-01T00:00:00",
    ],
)
def test_times_may_be_written_in_many_ways(client, world, written):
    handle = client.track_event(event_name=world.event, customer_id=world.customer, time_created=written)
    client.flush()

    assert "accepted" == handle.result(timeout=30).status


def test_a_wrong_key_is_refused(server):
    host, _ = server
    with lotus.Lotus("wrong.key", host=host) as client, pytest.raises(lotus.AuthenticationError) as raised:
        client.get_customers()

    assert 401 == raised.value.status
    assert raised.value.code


def test_a_customer_id_is_taken_once(client, world):
    client.create_customer(customer_id=world.customer, customer_name="Ada")

    with pytest.raises(lotus.ConflictError) as raised:
        client.create_customer(customer_id=world.customer, customer_name="Ada")
    assert 409 == raised.value.status
    assert raised.value.code


class Twice(httpx.HTTPTransport):
    """Carries each request twice and loses the first answer, like a network that fails after delivery."""

    def handle_request(self, request):
        super().handle_request(request).read()
        return super().handle_request(request)


def test_a_creation_that_arrives_twice_is_one_creation(world):
    with lotus.Lotus(transport=Twice()) as client:
        row = client.create_customer(customer_id=world.customer, customer_name="Ada")

    assert world.customer == row["customer_id"]


def test_what_does_not_exist_is_not_found(client):
    nobody = f"nobody-{uuid.uuid4()}"

    with pytest.raises(lotus.NotFoundError):
        client.get_current_usage(customer_id=nobody)
    with pytest.raises(lotus.NotFoundError):
        client.get_customer_access(customer_id=nobody, feature_name="f")
    with pytest.raises(lotus.NotFoundError):
        client.cancel_subscription(subscription_id=nobody)


def test_an_unknown_currency_is_a_validation_error_with_its_field(client, world):
    with pytest.raises(lotus.ValidationError) as raised:
        client.create_customer(customer_id=world.customer, customer_name="Ada", currency="XQX")

    assert raised.value.status in (400, 422)
    assert "currency" in str(raised.value)


def test_the_server_decides_what_was_not_chosen(client, world):
    client.create_customer(customer_id=world.customer, customer_name="Ada")
    created = client.create_subscription(customer_id=world.customer, billing_plan_id=world.plan, start_date=today())
    name = created["subscription_id"]

    with pytest.raises(lotus.ValidationError):  # bill_now is true by default, and does not go with this
        client.cancel_subscription(subscription_id=name, revoke_access=False)
    assert "success" == client.cancel_subscription(subscription_id=name)["status"]
    with pytest.raises(lotus.ValidationError):  # a second time
        client.cancel_subscription(subscription_id=name)


def test_a_subscription_that_runs_out_keeps_its_access(client, world):
    client.create_customer(customer_id=world.customer, customer_name="Ada")
    created = client.create_subscription(
        customer_id=world.customer, billing_plan_id=world.plan, start_date=today().isoformat()
    )
    client.cancel_subscription(subscription_id=created["subscription_id"], bill_now=False, revoke_access=False)

    assert client.get_customer_access(customer_id=world.customer, feature_name=world.feature)["access"] is True
