"""Events that the package tracks arrive, in each of its ways to send them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.clients.third_party.lotus_process import LotusProcess
from tests.clients.third_party.package import PackageError, running_client
from tests.clients.third_party.world import World

WAYS: dict[str, dict[str, Any]] = {
    "queue": {},
    "queue with gzip": {"gzip": True},
    "small batches": {"flush_at": 2},
    "several threads": {"thread": 3},
    "sync": {"sync_mode": True},
    "sync with gzip": {"sync_mode": True, "gzip": True},
}


def _usage(world: World, customer_id: str) -> int:
    (row,) = world.server.get("/api/customer_metric_access/", customer_id=customer_id, event_name=world.event_name)
    usage: int = row["usage_per_component"][0]["metric_usage"]
    return usage


@pytest.mark.parametrize("way", WAYS)
def test_each_event_counts_once(package_python: Path, server: LotusProcess, world: World, way: str) -> None:
    customer_id = world.new_customer()
    world.new_subscription(customer_id)
    # The time is given, because a repeat with the time of its repetition would be another event.
    event = {"customer_id": customer_id, "event_name": world.event_name, "time_created": f"{datetime.now(UTC)}"}
    options = {"api_key": server.key, "host": server.url, **WAYS[way]}
    with running_client(package_python, **options) as client:
        for number in (0, 1, 2, 3, 4, 4):
            client("track_event", **event, idempotency_id=f"{way} {number}", properties={"n": 1})
        if not WAYS[way].get("sync_mode"):
            client("flush")
        lost = client.lost()

    assert [] == lost
    assert 5 == _usage(world, customer_id)


def test_a_synchronous_call_returns_the_servers_answer(
    package_python: Path, server: LotusProcess, world: World
) -> None:
    with running_client(package_python, api_key=server.key, host=server.url, sync_mode=True) as client:
        found = client("track_event", customer_id="somebody", event_name=world.event_name)

    assert {"success": "all", "accepted": 1, "duplicates": 0, "failed_events": {}} == found


@pytest.mark.parametrize(
    "time_created",
    [
        None,
        {"$datetime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f+00:00}"},
        {"$datetime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S+00:00}"},
        {"$datetime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"},
        f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    ],
    ids=["none", "aware with microseconds", "aware", "naive", "text"],
)
def test_every_way_to_write_the_time_is_understood(
    package_python: Path,
    server: LotusProcess,
    world: World,
    time_created: Any,  # noqa: ANN401 - text or datetime
) -> None:
    customer_id = world.new_customer()
    world.new_subscription(customer_id)
    with running_client(package_python, api_key=server.key, host=server.url) as client:
        was_queued, message = client(
            "track_event",
            customer_id=customer_id,
            event_name=world.event_name,
            properties={"n": 3},
            time_created=time_created,
        )
        client("flush")
        assert [] == client.lost()

    assert was_queued
    assert isinstance(message["time_created"], str)
    assert 3 == _usage(world, customer_id)


def test_an_event_too_far_ahead_is_lost_and_told(package_python: Path, server: LotusProcess, world: World) -> None:
    ahead = {"$datetime": str(datetime.now(UTC) + timedelta(days=3))}
    with running_client(package_python, api_key=server.key, host=server.url, max_retries=0) as client:
        client("track_event", customer_id="c", event_name=world.event_name, time_created=ahead)
        client("flush")
        (told,) = client.lost()

    assert told.startswith("[Lotus] 400: ")
    assert "'success': 'none'" in told


def test_events_in_the_queue_arrive_when_the_program_ends(
    package_python: Path, server: LotusProcess, world: World
) -> None:
    customer_id = world.new_customer()
    world.new_subscription(customer_id)
    with running_client(package_python, api_key=server.key, host=server.url, flush_interval=0.2) as client:
        client("track_event", customer_id=customer_id, event_name=world.event_name, properties={"n": 2})
        client("shutdown")

    assert 2 == _usage(world, customer_id)


def test_a_wrong_key_is_refused(package_python: Path, server: LotusProcess, world: World) -> None:
    with (
        running_client(package_python, api_key="wrong", host=server.url) as client,
        pytest.raises(PackageError) as caught,
    ):
        client("list_plans")

    assert ("APIError", 401) == (caught.value.kind, caught.value.status)


def test_a_host_with_a_final_slash_works(package_python: Path, server: LotusProcess, world: World) -> None:
    with running_client(package_python, api_key=server.key, host=f"{server.url}/") as client:
        assert 2 <= len(client("list_plans"))
        client("track_event", customer_id="c", event_name=world.event_name)
        client("flush")
        assert [] == client.lost()
