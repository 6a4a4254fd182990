"""What the package itself cannot do with any server: facts, so that nobody looks for them in the server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.third_party.lotus_process import LotusProcess, running_lotus
from tests.clients.third_party.package import PackageClient, PackageError, running_client
from tests.clients.third_party.world import World, today


def _kind(client: PackageClient, call: str, /, *arguments: object, **named: object) -> str:
    with pytest.raises(PackageError) as caught:
        client(call, *arguments, **named)
    return caught.value.kind


@pytest.fixture
def lonely(package_python: Path, tmp_path: Path) -> Iterator[tuple[LotusProcess, PackageClient, PackageClient]]:
    """A server of its own, for what would break the lists of other tests, with a strict client and one that is not."""
    with running_lotus(tmp_path) as server:
        options = {"api_key": server.key, "host": server.url}
        with (
            running_client(package_python, **options, strict=True) as strict,
            running_client(package_python, **options) as lax,
        ):
            yield server, strict, lax


@pytest.mark.parametrize("call", ["ping", "update_addon"])
def test_some_calls_of_the_module_have_nothing_behind_them(client: PackageClient, call: str) -> None:
    with pytest.raises(PackageError) as caught:
        client.of_module(call)

    assert caught.value.kind == "AttributeError"


def test_many_customers_cannot_be_created_at_once(client: PackageClient) -> None:
    assert _kind(client, "batch_create_customers", customers=[], behavior_on_existing="merge") == "KeyError"
    customers = [{"customer_id": "a", "email": "a@example.com"}]
    assert _kind(client, "batch_create_customers", customers=customers, behavior_on_existing="merge") == (
        "AttributeError"
    )


def test_a_customer_needs_a_name_and_the_package_calls_that_the_email(client: PackageClient) -> None:
    with pytest.raises(PackageError) as caught:
        client("create_customer", customer_id="x", email="x@example.com")

    assert caught.value.kind == "AssertionError"
    assert caught.value.text.startswith("email must have")


def test_strict_models_cannot_hold_a_customer_without_email(
    lonely: tuple[LotusProcess, PackageClient, PackageClient],
) -> None:
    server, strict, lax = lonely
    server.post("/api/customers/", {"customer_id": "no email"})

    assert _kind(strict, "list_customers") == "ValidationError"
    assert _kind(strict, "get_customer", customer_id="no email") == "ValidationError"
    assert [row["email"] for row in lax("list_customers")] == [None]


def test_strict_models_know_no_weekly_plans(lonely: tuple[LotusProcess, PackageClient, PackageClient]) -> None:
    server, strict, lax = lonely
    server.post("/api/plans/", {"plan_name": "Weekly", "plan_duration": "weekly"})

    assert _kind(strict, "list_plans") == "ValidationError"
    assert [row["plan_duration"] for row in lax("list_plans")] == ["weekly"]


def test_plans_are_always_listed_without_the_filters_that_were_asked_for(client: PackageClient, world: World) -> None:
    everything = client("list_plans")

    assert everything == client("list_plans", duration="yearly", version_currency_code="EUR")


def test_a_plan_is_looked_for_among_customers(client: PackageClient, world: World) -> None:
    """The server answers ids that begin with `plan_` there; an id of one's own is only ever a customer's."""
    world.server.post("/api/plans/", {"plan_id": f"own {id(client)}", "plan_name": "Own", "plan_duration": "monthly"})

    assert world.plan_id == client("get_plan", plan_id=world.plan_id)["plan_id"]
    assert _kind(client, "get_plan", plan_id=f"own {id(client)}") == "APIError"


def test_new_metadata_of_a_subscription_is_never_sent(client: PackageClient, world: World) -> None:
    made = world.new_subscription(metadata={"order": "7"})

    found = client("update_subscription", subscription_id=made["subscription_id"], metadata={"order": "8"})

    assert found["metadata"] == {"order": "7"}


def test_a_start_must_be_a_text(client: PackageClient, world: World) -> None:
    start = {"$datetime": f"{today()}T00:00:00+00:00"}

    assert _kind(client, "create_subscription", customer_id="c", plan_id=world.plan_id, start_date=start) == (
        "AssertionError"
    )


def test_the_servers_word_for_proration_is_refused(client: PackageClient) -> None:
    """It knows `prorate`, which the server takes too."""
    named = {"subscription_id": "s", "flat_fee_behavior": "charge_prorated"}

    assert _kind(client, "cancel_subscription", **named) == "AssertionError"


def test_what_becomes_of_usage_and_invoice_at_a_switch_cannot_both_be_said(client: PackageClient) -> None:
    """The two are checked the wrong way round, and the second check looks at the first value."""
    for usage in ("keep_separate", "transfer_to_new_subscription", "invoice_now", "add_to_next_invoice"):
        for invoicing in (None, "keep_separate", "transfer_to_new_subscription", "invoice_now"):
            named = {"switch_plan_id": "p", "usage_behavior": usage, "invoicing_behavior": invoicing}
            assert _kind(client, "switch_subscription_plan", "s", **named) == "AssertionError"


def test_a_switch_cannot_name_a_version(client: PackageClient) -> None:
    assert _kind(client, "switch_subscription_plan", "s", switch_plan_version_id="v") == "TypeError"


def test_the_status_of_credits_is_never_sent(client: PackageClient, world: World) -> None:
    customer_id = world.new_customer()
    world.server.post("/api/credits/", {"customer_id": customer_id, "amount": 1})

    assert ["active"] == [row["status"] for row in client("list_credits", customer_id=customer_id, status=["inactive"])]


def test_subscription_filters_are_sent_without_their_values(client: PackageClient, world: World) -> None:
    """What arrives is `subscription_filters=property_name&subscription_filters=value`, so all subscriptions answer."""
    customer_id = world.new_customer()
    for region in ("eu", "us"):
        filters = [{"property_name": "region", "value": region}]
        world.new_subscription(customer_id, subscription_filters=filters)
    asked: dict[str, Any] = {"subscription_filters": [{"property_name": "region", "value": "eu"}]}

    found = client("check_metric_access", customer_id=customer_id, metric_id=world.metric_id, **asked)

    assert len(found["access_per_subscription"]) == 2


def test_a_synchronous_client_cannot_be_shut_down(package_python: Path, server: LotusProcess) -> None:
    with running_client(package_python, api_key=server.key, host=server.url, sync_mode=True) as client:
        assert _kind(client, "shutdown") == "TypeError"
