"""Every call of the package works: with the answer held against the package's own models, and without."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.clients.third_party.package import PackageClient, PackageError
from tests.clients.third_party.world import World, today

NOW = datetime.now(UTC)


def _at(moment: datetime) -> dict[str, str]:
    return {"$datetime": moment.isoformat()}


def _ids(rows: list[dict[str, Any]], key: str) -> list[str]:
    return [row[key] for row in rows]


def test_customers_are_created_listed_and_read(client: PackageClient, world: World) -> None:
    customer_id = f"customer of {id(client)}"
    made = client(
        "create_customer",
        customer_id=customer_id,
        customer_name="Søren's",
        email="soren@example.com",
        payment_provider="stripe",
        payment_provider_id="cus_1",
        properties={"seats": 3},
    )
    rows = client("list_customers")

    assert (customer_id, "Søren's", "soren@example.com") == (
        made["customer_id"],
        made["customer_name"],
        made["email"],
    )
    assert made == client("get_customer", customer_id=customer_id)
    assert made in rows


def test_a_customer_shows_subscriptions_and_invoices(client: PackageClient, world: World) -> None:
    customer_id = world.new_customer(
        address={"line1": "1 Main St", "city": "Springfield", "country": "US", "postal_code": "1", "state": "IL"},
        tax_rate="7.5",
    )
    subscription = world.new_subscription(customer_id)

    found = client("get_customer", customer_id=customer_id)

    assert [subscription["subscription_id"]] == _ids(found["subscriptions"], "subscription_id")
    (invoice,) = found["invoices"]
    assert (32.25, "unpaid", "USD") == (invoice["amount"], invoice["payment_status"], invoice["currency"]["code"])
    assert 32.25 == found["total_amount_due"]
    assert "Springfield" == found["address"]["city"]
    assert 7.5 == found["tax_rate"]


def test_plans_are_listed_and_read(client: PackageClient, world: World) -> None:
    rows = client("list_plans")
    one = client("get_plan", plan_id=world.plan_id)

    (basic,) = [row for row in rows if row["plan_id"] == world.plan_id]
    assert basic == one
    assert "Basic" == one["plan_name"]
    assert [world.metric_id] == [each["billable_metric"]["metric_id"] for each in one["display_version"]["components"]]


@pytest.mark.parametrize("form", ["plan", "version", "all fields"])
def test_subscriptions_are_created(client: PackageClient, world: World, form: str) -> None:
    customer_id = world.new_customer()
    forms: dict[str, dict[str, Any]] = {
        "plan": {"plan_id": world.plan_id, "start_date": today()},
        "version": {"version_id": world.version_id, "start_date": f"{today()}T00:00:00Z"},
        "all fields": {
            "plan_id": world.plan_id,
            "start_date": today(),
            "end_date": f"{NOW + timedelta(days=80):%Y-%m-%d}",
            "auto_renew": True,
            "is_new": True,
            "subscription_filters": [{"property_name": "region", "value": "eu"}],
            "metadata": {"order": "7", "seats": 3},
        },
    }
    fields = forms[form]

    made = client("create_subscription", customer_id=customer_id, **fields)

    assert customer_id == made["customer"]["customer_id"]
    assert (world.plan_id, world.version_id) == (made["billing_plan"]["plan_id"], made["billing_plan"]["version_id"])
    assert fields.get("metadata", {}) == made["metadata"]
    assert fields.get("subscription_filters", []) == made["subscription_filters"]
    assert not made["fully_billed"]
    assert [] == made["addons"]


def test_subscriptions_are_listed_by_status_plan_and_customer(client: PackageClient, world: World) -> None:
    customer_id = world.new_customer()
    active = world.new_subscription(customer_id)["subscription_id"]
    tomorrow = f"{NOW + timedelta(days=1):%Y-%m-%d}"
    coming = world.new_subscription(customer_id, plan_id=world.other_plan_id, start_date=tomorrow)["subscription_id"]

    def listed(**query: object) -> set[str]:
        return set(_ids(client("list_subscriptions", customer_id=customer_id, **query), "subscription_id"))

    assert {active, coming} == listed()
    assert {active} == listed(status=["active"])
    assert {coming} == listed(status=["not_started", "ended"])
    assert {coming} == listed(plan_id=world.other_plan_id)
    assert {active} == listed(range_end=_at(NOW + timedelta(minutes=1)))
    assert {active, coming} == listed(range_start=_at(NOW), range_end=_at(NOW + timedelta(days=2)))


def test_a_subscription_is_updated(client: PackageClient, world: World) -> None:
    made = world.new_subscription()
    end = f"{NOW + timedelta(days=50):%Y-%m-%d}"

    stopped = client("update_subscription", subscription_id=made["subscription_id"], turn_off_auto_renew=True)
    moved = client("update_subscription", subscription_id=made["subscription_id"], end_date=end)

    assert made["auto_renew"]
    assert not stopped["auto_renew"]
    assert moved["end_date"].startswith(end)


@pytest.mark.parametrize("flat_fee_behavior", [None, "refund", "prorate", "charge_full"])
@pytest.mark.parametrize("usage_behavior", [None, "bill_full", "bill_none"])
def test_a_subscription_is_cancelled(
    client: PackageClient, world: World, flat_fee_behavior: str | None, usage_behavior: str | None
) -> None:
    made = world.new_subscription()

    ended = client(
        "cancel_subscription",
        subscription_id=made["subscription_id"],
        flat_fee_behavior=flat_fee_behavior,
        usage_behavior=usage_behavior,
        invoicing_behavior="invoice_now",
    )

    assert ended["fully_billed"]
    assert not ended["auto_renew"]
    with pytest.raises(PackageError) as again:
        client("cancel_subscription", subscription_id=made["subscription_id"])
    assert 400 == again.value.status


@pytest.mark.parametrize("usage", [None, "keep_separate", "transfer_to_new_subscription"])
def test_a_subscription_is_switched_to_another_plan(client: PackageClient, world: World, usage: str | None) -> None:
    """The package sends what to do with usage as `invoicing_behavior`; no server can mistake one for the other."""
    customer_id = world.new_customer()
    filters = [{"property_name": "region", "value": "eu"}]
    made = world.new_subscription(customer_id, subscription_filters=filters, metadata={"order": "7"})

    new = client(
        "switch_subscription_plan",
        made["subscription_id"],
        switch_plan_id=world.other_plan_id,
        invoicing_behavior=usage,
    )

    assert world.other_plan_id == new["billing_plan"]["plan_id"]
    assert (filters, {"order": "7"}) == (new["subscription_filters"], new["metadata"])
    both = client("list_subscriptions", customer_id=customer_id)
    assert {made["subscription_id"], new["subscription_id"]} == set(_ids(both, "subscription_id"))
    active = client("list_subscriptions", customer_id=customer_id, status=["active"])
    assert [new["subscription_id"]] == _ids(active, "subscription_id")


def test_credits_are_created_listed_changed_and_voided(client: PackageClient, world: World) -> None:
    customer_id = world.new_customer()
    effective, expires = NOW - timedelta(days=1), NOW + timedelta(days=9)

    made = client(
        "create_credit",
        customer_id=customer_id,
        amount={"$decimal": "12.5"},
        currency_code="USD",
        description="Welcome",
        effective_at=_at(effective),
        expires_at=_at(expires),
        amount_paid=10,
        amount_paid_currency_code="USD",
    )
    assert (12.5, 12.5, 10, "active") == (
        made["amount"],
        made["amount_remaining"],
        made["amount_paid"],
        made["status"],
    )
    assert [made] == client("list_credits", customer_id=customer_id)

    changed = client(
        "update_credit", credit_id=made["credit_id"], description="Hello", expires_at=_at(expires + timedelta(days=1))
    )
    assert {**made, "description": "Hello", "expires_at": changed["expires_at"]} == changed

    voided = client("void_credit", credit_id=made["credit_id"])
    assert (0, "inactive") == (voided["amount_remaining"], voided["status"])
    assert [-12.5] == [drawdown["amount"] for drawdown in voided["drawdowns"]]


def test_credit_pays_the_next_invoice_and_shows_it(client: PackageClient, world: World) -> None:
    customer_id = world.new_customer()
    made = client("create_credit", customer_id=customer_id, amount=50, currency_code="USD")
    world.new_subscription(customer_id)

    (left,) = client("list_credits", customer_id=customer_id)
    found = client("get_customer", customer_id=customer_id)

    assert 20 == left["amount_remaining"]
    assert [(made["credit_id"], -30)] == [(each["credit_id"], each["amount"]) for each in left["drawdowns"]]
    assert [(0, "paid")] == [(invoice["amount"], invoice["payment_status"]) for invoice in found["invoices"]]


def test_credits_are_listed_by_what_is_asked(client: PackageClient, world: World) -> None:
    customer_id = world.new_customer()
    for amount, code, effective_days, expires_days in ((1, "USD", 0, 5), (2, "EUR", 3, 9), (3, "USD", 3, None)):
        client(
            "create_credit",
            customer_id=customer_id,
            amount=amount,
            currency_code=code,
            effective_at=_at(NOW + timedelta(days=effective_days)),
            expires_at=None if expires_days is None else _at(NOW + timedelta(days=expires_days)),
        )

    def listed(**query: object) -> list[float]:
        return sorted(row["amount"] for row in client("list_credits", customer_id=customer_id, **query))

    assert [1, 2, 3] == listed()
    assert [2] == listed(currency_code="EUR")
    assert [2, 3] == listed(effective_after=_at(NOW + timedelta(days=2)))
    assert [1] == listed(effective_before=_at(NOW + timedelta(days=2)))
    assert [2] == listed(expires_after=_at(NOW + timedelta(days=6)))
    assert [1] == listed(expires_before=_at(NOW + timedelta(days=6)))
    assert [1, 2, 3] == listed(issued_after=_at(NOW - timedelta(days=1)), issued_before=_at(NOW + timedelta(days=1)))
    assert [] == listed(issued_before=_at(NOW - timedelta(days=1)))


def test_access_to_a_metric_is_checked(client: PackageClient, world: World) -> None:
    customer_id = world.new_customer()
    world.new_subscription(customer_id)

    found = client("check_metric_access", customer_id=customer_id, metric_id=world.metric_id)
    (by_event,) = client("get_customer_metric_access", customer_id=customer_id, event_name=world.event_name)
    (by_metric,) = client("get_customer_metric_access", customer_id=customer_id, metric_id=world.metric_id)

    assert found["access"]
    (row,) = found["access_per_subscription"]
    assert (0, 10, 100) == (row["metric_usage"], row["metric_free_limit"], row["metric_total_limit"])
    assert world.plan_id == row["subscription"]["plan"]["plan_id"]
    assert by_event == by_metric
    assert world.plan_id == by_event["plan_id"]
    assert [100] == [each["metric_total_limit"] for each in by_event["usage_per_component"]]


def test_access_to_a_feature_is_checked(client: PackageClient, world: World) -> None:
    customer_id = world.new_customer()
    world.new_subscription(customer_id)

    found = client("check_feature_access", customer_id=customer_id, feature_id=world.feature_id)
    (row,) = client("get_customer_feature_access", customer_id=customer_id, feature_name=world.feature_name)

    assert found["access"]
    assert ("sso", "Single sign-on") == (found["feature"]["feature_name"], found["feature"]["feature_description"])
    assert [True] == [each["access"] for each in found["access_per_subscription"]]
    assert (True, "sso", world.plan_id) == (row["access"], row["feature_name"], row["plan_id"])
    nobody = world.new_customer()
    assert not client("check_feature_access", customer_id=nobody, feature_id=world.feature_id)["access"]


def test_what_does_not_exist_is_told(client: PackageClient, world: World) -> None:
    with pytest.raises(PackageError) as caught:
        client("get_customer", customer_id="nobody")

    assert ("APIError", 404) == (caught.value.kind, caught.value.status)
    assert "customer_not_found" == caught.value.payload["title"]


def test_the_module_itself_makes_the_calls_of_a_client(client: PackageClient, world: World) -> None:
    customer_id = world.new_customer()

    assert customer_id == client.of_module("get_customer", customer_id=customer_id)["customer_id"]
    assert 2 <= len(client.of_module("list_plans"))
    was_queued, _ = client.of_module("track_event", customer_id=customer_id, event_name=world.event_name)
    assert was_queued
    client.of_module("flush")


def test_what_is_due_at_a_cancellation_can_wait_for_the_next_invoice(client: PackageClient, world: World) -> None:
    customer_id = world.new_customer()
    made = world.new_subscription(customer_id)["subscription_id"]

    client("cancel_subscription", subscription_id=made, invoicing_behavior="add_to_next_invoice")

    waiting = world.server.get(f"/api/customers/{customer_id}/pending_lines/")
    assert [made] == [row["subscription_id"] for row in waiting]


def test_an_addon_is_attached_shown_with_its_subscription_and_cancelled(client: PackageClient, world: World) -> None:
    addon = {"addon_name": "Support", "recurring_charges": [{"name": "Support", "amount": 5}]}
    addon_id = world.server.post("/api/addons/", {**addon, "billing_frequency": "recurring"})["addon_id"]
    customer_id = world.new_customer()
    made = world.new_subscription(customer_id)["subscription_id"]

    attached = client("attach_addon", subscription_id=made, addon_id=addon_id, quantity=2, metadata={"why": "asked"})
    (listed,) = client("list_subscriptions", customer_id=customer_id)
    cancelled = client("cancel_addon", subscription_id=made, addon_id=addon_id, flat_fee_behavior="charge_full")

    assert (addon_id, {"why": "asked"}) == (attached["addon"]["addon_id"], attached["metadata"])
    assert [addon_id] == [each["addon"]["addon_id"] for each in listed["addons"]]
    assert attached["addon_subscription_id"] == cancelled["addon_subscription_id"]
    assert cancelled["fully_billed"]


def test_an_addon_that_does_not_exist_is_told(client: PackageClient, world: World) -> None:
    made = world.new_subscription()["subscription_id"]
    for call in ("attach_addon", "cancel_addon"):
        with pytest.raises(PackageError) as caught:
            client(call, subscription_id=made, addon_id="a")
        assert ("addon_not_found", 404) == (caught.value.payload["title"], caught.value.status)
