"""What earlier client libraries put on the wire, byte for byte as far as it matters, and the keys they read back.

Three generations: Node of October 2022, Node of November 2022, and TypeScript 1.2.7. Their paths, bodies and noise are
sent as they are, past any HTTP library that would tidy them up.
"""

import gzip
import http.client
import itertools
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.clients.third_party.lotus_process import LotusProcess
from tests.clients.third_party.world import World, today

NOW = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
_numbers = itertools.count(1)

# What axios sends when a caller says nothing.
AXIOS = {"Accept": "application/json, text/plain, */*"}
JSON = {"Content-Type": "application/json"}
OCTOBER = {**AXIOS, "user-agent": "lotus-node"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Answer(msgspec.Struct):
    """Status and body of an answer."""

    status: int
    body: Any

    def keys_at(self, *path: str | int) -> set[str]:
        """The keys of an object within the body."""
        found = self.body
        for step in path:
            found = found[step]
        return set(found)


def send(
    server: LotusProcess,
    method: str,
    target: str,
    body: object = None,
    headers: dict[str, str] = AXIOS,
) -> Answer:
    """Send a request line, headers and body just as given; a dict or list is sent as JSON."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in {**headers, "X-API-KEY": server.key}.items():
        connection.putheader(name, value)
    if content or method == "POST":
        connection.putheader("Content-Length", str(len(content)))
    connection.endheaders(content)
    response = connection.getresponse()
    received = response.read()
    connection.close()
    return Answer(response.status, json.loads(received) if received else None)


def _new(kind: str) -> str:
    return f"{kind}_{next(_numbers)}_of_old_wires"


# Node, October 2022


def _october_event(world: World, customer_id: str, idempotency_id: str) -> dict[str, Any]:
    return {
        "event_name": world.event_name,
        "customer_id": customer_id,
        "idempotency_id": idempotency_id,
        "properties": {"n": 2, "$lib": "lotus-node"},
        "type": "trackEvent",
        "library": "lotus-node",
        "time_created": NOW,
    }


def test_october_tracks_batches_and_nothing_of_the_noise_matters(world: World) -> None:
    customer_id = world.new_customer()
    world.new_subscription(customer_id)
    events = [_october_event(world, customer_id, _new("event")) for _ in range(3)]
    batch = {"batch": events, "timestamp": NOW, "sentAt": NOW}

    first = send(world.server, "POST", "/api/track/", batch, OCTOBER | JSON)
    again = send(world.server, "POST", "/api/track/", batch, OCTOBER | JSON)
    access = send(
        world.server,
        "GET",
        f"/api/customer_access/?customer_id={customer_id.replace(' ', '%20')}&event_name={world.event_name}"
        "&event_limit_type=total",
    )

    assert (first.status, first.body["success"]) == (201, "all")
    assert again.status == 201
    assert [usage["metric_usage"] for usage in access.body["usages"]] == [6]


@pytest.mark.parametrize("form", ["bare event", "bare list", "gzip", "without content type"])
def test_events_are_taken_in_every_form(world: World, form: str) -> None:
    event = _october_event(world, "somebody", _new("event"))
    headers = OCTOBER | JSON
    body: object = event
    if form == "bare list":
        body = [event]
    elif form == "gzip":
        body, headers = gzip.compress(json.dumps({"batch": [event]}).encode()), headers | {"Content-Encoding": "gzip"}
    elif form == "without content type":
        body, headers = {"batch": [event]}, OCTOBER

    found = send(world.server, "POST", "/api/track/", body, headers)

    assert (found.status, found.body["success"], found.body["accepted"]) == (201, "all", 1)


def test_october_reads_customers_with_their_balance(world: World) -> None:
    customer_id = _new("customer")
    body = {"customer_name": "Acme", "customer_id": customer_id, "currency": "USD"}

    made = send(world.server, "POST", "/api/customers/", body, OCTOBER | JSON)
    listed = send(world.server, "GET", "/api/customers/")
    again = send(world.server, "POST", "/api/customers/", body, OCTOBER | JSON)

    assert (made.status, made.body["customer_id"], made.body["balance"]) == (201, customer_id, 0)
    assert listed.status == 200
    assert all({"customer_name", "customer_id", "balance"} <= set(row) for row in listed.body)
    assert again.status == 409


def test_october_subscribes_reads_usage_and_cancels(world: World) -> None:
    customer_id, subscription_id = _new("customer"), _new("subscription")
    send(world.server, "POST", "/api/customers/", {"customer_id": customer_id, "customer_name": "A"}, OCTOBER | JSON)
    body = {
        "customer_id": customer_id,
        "billing_plan_id": world.plan_id,
        "start_date": today(),
        "subscription_id": subscription_id,
    }

    made = send(world.server, "POST", "/api/subscriptions/", body, AXIOS | JSON)
    usage = send(world.server, "GET", f"/api/draft_invoice/?customer_id={customer_id}")
    feature = send(world.server, "GET", f"/api/customer_access/?customer_id={customer_id}&feature_name=sso")
    listed = send(world.server, "GET", "/api/subscriptions/")
    cancel = {"subscription_id": subscription_id, "bill_now": True, "revoke_access": True}
    cancelled = send(world.server, "POST", "/api/cancel_subscription/", cancel, AXIOS | JSON)

    assert made.status == 201
    wanted = {"customer_id", "billing_plan_id", "start_date", "end_date", "status", "auto_renew", "is_new"}
    assert wanted | {"subscription_id"} <= made.keys_at()
    assert made.body["start_date"] == today()
    wanted = {"cost_due", "cost_due_currency", "line_items", "organization", "customer", "subscription"}
    assert wanted <= usage.keys_at(0)
    assert {"start_date", "end_date", "billing_plan", "subscription_id"} == usage.keys_at(0, "subscription")
    assert feature.body == {"access": True, "value": True}
    (row,) = [each for each in listed.body if each["subscription_id"] == subscription_id]
    assert {"customer", "billing_plan", "start_date", "end_date", "status"} <= set(row)
    assert {"currency", "interval", "flat_rate", "pay_in_advance", "name", "description"} <= set(row["billing_plan"])
    assert (cancelled.status, cancelled.body["status"]) == (200, "success")


def test_october_reads_plans_with_components_and_features(world: World) -> None:
    found = send(world.server, "GET", "/api/plans/")

    wanted = {"currency", "interval", "flat_rate", "pay_in_advance", "billing_plan_id", "name", "description"}
    wanted |= {"components", "features", "time_created", "active_subscriptions"}
    assert wanted <= found.keys_at(0)
    wanted = {"billable_metric", "free_metric_units", "cost_per_batch", "metric_units_per_batch", "max_metric_units"}
    assert wanted <= found.keys_at(0, "components", 0)


# Node, November 2022


def test_november_subscribes_by_plan_and_reads_one_without_a_final_slash(world: World) -> None:
    customer_id = world.new_customer()
    body = {"customer_id": customer_id, "plan_id": world.plan_id, "start_date": f"{today()}T00:00:00.000Z"}

    made = send(world.server, "POST", "/api/subscriptions/", body, AXIOS | JSON)
    subscription_id = made.body["subscription_id"]
    one = send(world.server, "GET", f"/api/subscriptions/{subscription_id}")
    detail = send(world.server, "GET", f"/api/customer_detail/?customer_id={customer_id.replace(' ', '%20')}")

    assert (made.status, one.status, detail.status) == (201, 200, 200)
    wanted = {"customer", "billing_plan", "start_date", "status", "auto_renew", "is_new", "subscription_id"}
    assert wanted <= one.keys_at()
    assert one.body["start_date"].startswith(f"{today()}T00:00:00")
    assert {"customer_name", "customer_id", "email", "integrations"} <= detail.keys_at()


@pytest.mark.parametrize(
    ("body", "status", "auto_renew"),
    [
        ({"auto_renew": False}, "active", False),
        ({"status": "ended", "replace_immediately_type": "end_current_subscription_and_bill"}, "ended", False),
        ({"status": "ended", "replace_immediately_type": "end_current_subscription_dont_bill"}, "ended", False),
    ],
)
def test_november_cancels_by_patching(
    world: World,
    body: dict[str, Any],
    status: str,
    auto_renew: bool,
) -> None:
    subscription_id = world.new_subscription()["subscription_id"]

    found = send(world.server, "PATCH", f"/api/subscriptions/{subscription_id}/", body, AXIOS | JSON)

    assert (found.status, found.body["status"], found.body["auto_renew"]) == (200, status, auto_renew)


@pytest.mark.parametrize(
    ("kind", "last_invoices"),
    [
        ("change_subscription_plan", 1),
        ("end_current_subscription_and_bill", 1),
        ("end_current_subscription_dont_bill", 0),
    ],
)
def test_november_changes_the_plan_by_patching(world: World, kind: str, last_invoices: int) -> None:
    customer_id = world.new_customer()
    subscription_id = world.new_subscription(customer_id)["subscription_id"]
    body = {"plan_id": world.other_plan_id, "replace_immediately_type": kind}

    found = send(world.server, "PATCH", f"/api/subscriptions/{subscription_id}", body, AXIOS | JSON)

    assert (found.status, found.body["billing_plan"]["plan_id"]) == (200, world.other_plan_id)
    invoices = world.server.get("/api/invoices/", customer_id=customer_id)
    # One at each start, and one for the end of the first if it is wanted.
    assert len(invoices) == 2 + last_invoices


def test_what_november_cannot_combine_is_refused(world: World) -> None:
    subscription_id = world.new_subscription()["subscription_id"]
    body = {"plan_id": world.other_plan_id, "replace_immediately_type": "now", "auto_renew": False}

    found = send(world.server, "PATCH", f"/api/subscriptions/{subscription_id}/", body, AXIOS | JSON)

    assert found.status == 400
    fields = [each["field"] for each in found.body["validation_errors"]]
    assert fields == ["replace_immediately_type", "auto_renew"]


def test_november_asks_for_access_with_a_limit_type(world: World) -> None:
    customer_id = world.new_customer()
    world.new_subscription(customer_id)
    query = f"customer_id={customer_id.replace(' ', '%20')}&event_name={world.event_name}&event_limit_type=free"

    found = send(world.server, "GET", f"/api/customer_access/?{query}")

    assert (found.status, found.body["access"]) == (200, True)


def test_the_last_node_client_creates_many_customers(world: World) -> None:
    ids = [_new("customer") for _ in range(3)]
    body = {"customers": [{"customer_id": each, "email": f"{each}@example.com"} for each in ids]}

    found = send(
        world.server, "POST", "/api/batch_create_customers/", body | {"behavior_on_existing": "merge"}, AXIOS | JSON
    )

    assert (found.status, found.body["success"]) == (201, "all")


# TypeScript 1.2.7


def test_typescript_creates_and_reads_a_customer(world: World) -> None:
    customer_id = _new("customer")
    body = {"customer_id": customer_id, "email": "ts@example.com", "customer_name": "Ts"}

    made = send(world.server, "POST", "/api/customers/", body, AXIOS | JSON)
    one = send(world.server, "GET", f"/api/customers/{customer_id}/?customer_id={customer_id}")

    assert (made.status, one.status) == (201, 200)
    wanted = {"customer_id", "email", "customer_name", "invoices", "total_amount_due", "subscriptions", "integrations"}
    wanted |= {"default_currency", "payment_provider", "payment_provider_id", "has_payment_method", "address"}
    wanted |= {"billing_address", "shipping_address", "tax_rate", "timezone", "tax_providers"}
    assert wanted <= one.keys_at()


def test_typescript_lists_subscriptions_by_an_array_of_statuses(world: World) -> None:
    customer_id = world.new_customer()
    subscription_id = world.new_subscription(customer_id)["subscription_id"]
    base = f"/api/subscriptions/?customer_id={customer_id.replace(' ', '%20')}"

    both = send(world.server, "GET", f"{base}&status[]=active&status[]=ended")
    encoded = send(world.server, "GET", f"{base}&status%5B%5D=ended")

    assert [row["subscription_id"] for row in both.body] == [subscription_id]
    assert encoded.body == []


def test_typescript_asks_for_access_with_indexed_filters(world: World) -> None:
    customer_id = world.new_customer()
    for region in ("eu", "us"):
        filters = [{"property_name": "region", "value": region}]
        world.new_subscription(customer_id, subscription_filters=filters)
    filters_text = "subscription_filters[0][property_name]=region&subscription_filters[0][value]=eu"
    quoted = customer_id.replace(" ", "%20")

    metric = send(
        world.server, "GET", f"/api/metric_access/?customer_id={quoted}&metric_id={world.metric_id}&{filters_text}"
    )
    feature = send(
        world.server, "GET", f"/api/feature_access/?customer_id={quoted}&feature_id={world.feature_id}&{filters_text}"
    )

    for found in (metric, feature):
        assert found.body["access"]
        (row,) = found.body["access_per_subscription"]
        assert row["subscription"]["subscription_filters"] == [{"property_name": "region", "value": "eu"}]


def test_typescript_cancels_updates_and_reads_a_plan(world: World) -> None:
    subscription_id = world.new_subscription()["subscription_id"]
    update = {"subscription_id": subscription_id, "turn_off_auto_renew": True, "metadata": {"order": "8"}}

    updated = send(world.server, "POST", f"/api/subscriptions/{subscription_id}/update/", update, AXIOS | JSON)
    cancel = {"flat_fee_behavior": "prorate", "usage_behavior": "bill_full", "invoicing_behavior": "invoice_now"}
    cancelled = send(world.server, "POST", f"/api/subscriptions/{subscription_id}/cancel/", cancel, AXIOS | JSON)
    plan = send(world.server, "GET", f"/api/plans/{world.plan_id}/?plan_id={world.plan_id}")

    assert (updated.status, updated.body["auto_renew"], updated.body["metadata"]) == (200, False, {"order": "8"})
    assert (cancelled.status, cancelled.body["fully_billed"]) == (200, True)
    assert plan.body["plan_id"] == world.plan_id


def test_typescript_switches_the_plan(world: World) -> None:
    subscription_id = world.new_subscription()["subscription_id"]
    body = {
        "subscription_id": subscription_id,
        "switch_plan_id": world.other_plan_id,
        "invoicing_behavior": "invoice_now",
        "usage_behavior": "transfer_to_new_subscription",
    }

    found = send(world.server, "POST", f"/api/subscriptions/{subscription_id}/switch_plan/", body, AXIOS | JSON)

    assert (found.status, found.body["billing_plan"]["plan_id"]) == (200, world.other_plan_id)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["switch_plan_id"]),
        ({"switch_plan_id": "p", "usage_behavior": "forget", "invoicing_behavior": "never"}, None),
        (
            {"switch_plan_id": "p", "component_fixed_charges_initial_units": [{"metric_id": "m", "units": "three"}]},
            ["component_fixed_charges_initial_units[0].units"],
        ),
    ],
)
def test_a_switch_that_cannot_be_honoured_is_refused(
    world: World, body: dict[str, Any], fields: list[str] | None
) -> None:
    subscription_id = world.new_subscription()["subscription_id"]

    found = send(world.server, "POST", f"/api/subscriptions/{subscription_id}/switch_plan/", body, AXIOS | JSON)

    assert found.status == 400
    told = [each["field"] for each in found.body["validation_errors"]]
    assert told == (fields or ["usage_behavior", "invoicing_behavior"])


def test_typescript_updates_credit_without_a_final_slash_and_voids_it_with_an_empty_form(world: World) -> None:
    body = {"customer_id": world.new_customer(), "amount": 12.5, "currency_code": "USD"}
    made = send(world.server, "POST", "/api/credits/", body, AXIOS | JSON)
    credit_id = made.body["credit_id"]
    update = {"credit_id": credit_id, "description": "Hello", "expires_at": "2090-01-01T00:00:00.000Z"}

    updated = send(world.server, "POST", f"/api/credits/{credit_id}/update", update, AXIOS | JSON)
    voided = send(world.server, "POST", f"/api/credits/{credit_id}/void/", b"", AXIOS | FORM)

    assert made.status == 201
    wanted = {"credit_id", "customer", "amount", "amount_remaining", "currency", "description", "effective_at"}
    wanted |= {"expires_at", "status", "amount_paid", "amount_paid_currency", "drawdowns"}
    assert wanted <= made.keys_at()
    assert (updated.body["description"], updated.body["expires_at"]) == ("Hello", "2090-01-01T00:00:00Z")
    assert (voided.status, voided.body["status"], voided.body["amount_remaining"]) == (200, "inactive", 0)


def test_a_change_of_what_never_changes_is_refused_with_every_field(world: World) -> None:
    body = {"customer_id": world.new_customer(), "amount": 12.5}
    credit_id = world.server.post("/api/credits/", body)["credit_id"]
    update = {"amount": 13, "priority": 1, "expires_at": "soon"}

    found = send(world.server, "POST", f"/api/credits/{credit_id}/update/", update, AXIOS | JSON)

    assert found.status == 400
    assert {each["field"] for each in found.body["validation_errors"]} == {"amount", "priority", "expires_at"}


def test_typescript_sends_what_it_asks_about_invoices_in_the_body_of_a_get(world: World) -> None:
    customer_id = world.new_customer()
    world.new_subscription(customer_id)

    listed = send(world.server, "GET", "/api/invoices/", {"customer_id": customer_id}, AXIOS | JSON)
    invoice_id = next(row["invoice_id"] for row in listed.body if row["customer"]["customer_id"] == customer_id)
    one = send(world.server, "GET", f"/api/invoices/{invoice_id}/")

    assert (listed.status, one.status) == (200, 200)
    wanted = {"invoice_id", "invoice_number", "cost_due", "amount", "currency", "issue_date", "due_date", "seller"}
    wanted |= {"payment_status", "line_items", "customer", "start_date", "end_date", "invoice_pdf"}
    wanted |= {"external_payment_obj_id", "external_payment_obj_type"}
    assert wanted <= one.keys_at()
    wanted = {"name", "start_date", "end_date", "quantity", "billing_type", "metadata", "plan", "subscription_filters"}
    assert wanted | {"base", "adjustments", "amount", "subtotal"} <= one.keys_at("line_items", 0)


# What several of them do


@pytest.mark.parametrize("target", ["//api/plans/", "/api/plans", "//api//plans", "/api/plans/?library=lotus&sentAt=1"])
def test_paths_are_understood_however_many_slashes_they_have(world: World, target: str) -> None:
    found = send(world.server, "GET", target)

    assert found.status == 200
    assert world.plan_id in [row["plan_id"] for row in found.body]


def test_a_get_that_announces_json_and_has_none_is_answered(world: World) -> None:
    """The Python clients send the header with every request."""
    assert send(world.server, "GET", "/api/customers/", None, AXIOS | JSON).status == 200


def test_noise_in_a_body_is_ignored(world: World) -> None:
    noise = {"$type": "create_subscription", "library": "lotus-python", "library_version": "0.9.2", "sentAt": NOW}
    body = {"customer_id": world.new_customer(), "plan_id": world.plan_id, "start_date": today()}

    assert send(world.server, "POST", "/api/subscriptions/add/", body | noise, JSON).status == 201


def test_python_0_9_cancels_and_updates_by_plan_and_customer(world: World) -> None:
    customer_id = world.new_customer()
    filters = [{"property_name": "region", "value": "eu"}]
    made = world.new_subscription(customer_id, subscription_filters=filters)
    query = (
        f"plan_id={world.plan_id}&customer_id={customer_id.replace(' ', '+')}"
        "&subscription_filters=%5B%7B%22property_name%22%3A+%22region%22%2C+%22value%22%3A+%22eu%22%7D%5D"
    )
    body = {"flat_fee_behavior": "prorate", "usage_behavior": "bill_none", "invoicing_behavior": "invoice_now"}

    found = send(world.server, "POST", f"/api/subscriptions/cancel/?{query}", body, JSON)

    assert found.status == 200
    assert [row["subscription_id"] for row in found.body] == [made["subscription_id"]]
