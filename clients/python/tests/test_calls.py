"""What each of the nine calls puts on the wire and reads back, through the public client."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from lotus_fake import API_KEY, Answer

import lotus


def last(fake):
    return fake.seen[-1]


def problems_of(error):
    return [(each["field"], each["code"]) for each in error.validation_errors]


@pytest.fixture
def world(fake):
    fake.customers["c1"] = {"customer_id": "c1", "customer_name": "One", "balance": 0}
    fake.metrics["m1"] = {"metric_id": "m1", "metric_name": "calls", "event_name": "call", "property_name": "n"}
    component = {"metric_id": "m1", "price": {"unit_price": "0.10", "free_units": 10}, "limit": 100}
    fake.plans["p1"] = {"plan_id": "p1", "billing_plan_id": "p1", "components": [component], "features": ["sso"]}
    return fake


def test_every_request_carries_the_key_and_names_the_library(client, fake):
    client.get_plans()

    assert API_KEY == last(fake).headers["x-api-key"]
    assert f"lotus-python/{lotus.__version__}" == last(fake).headers["user-agent"]


@pytest.mark.parametrize(
    ("call", "path"),
    [("get_customers", "/api/customers/"), ("get_plans", "/api/plans/"), ("get_subscriptions", "/api/subscriptions/")],
)
def test_lists_are_one_get_without_a_body(client, fake, call, path):
    assert [] == getattr(client, call)()
    assert ("GET", path, {}, b"") == (last(fake).method, last(fake).path, last(fake).query, last(fake).raw)


def test_subscriptions_can_be_filtered_with_several_statuses(client, fake):
    client.get_subscriptions(customer_id="c1", status=["active", "ended"])

    assert {"customer_id": ["c1"], "status": ["active", "ended"]} == last(fake).query


def test_a_customer_is_created_with_all_that_was_given(client, fake):
    row = client.create_customer(
        customer_id="c1",
        customer_name="One",
        currency="EUR",
        payment_provider_id="cus_1",
        properties={"vat": Decimal("0.20")},
    )

    assert ("POST", "/api/customers/") == (last(fake).method, last(fake).path)
    assert {
        "customer_id": "c1",
        "customer_name": "One",
        "currency": "EUR",
        "payment_provider_id": "cus_1",
        "properties": {"vat": Decimal("0.20")},
    } == last(fake).json
    assert "c1" == row["customer_id"]


def test_none_means_not_given(client, fake):
    client.create_customer(customer_id="c1", customer_name="One", currency=None, email=None)

    assert {"customer_id": "c1", "customer_name": "One"} == last(fake).json


@pytest.mark.parametrize(
    "fields",
    [
        {"customer_id": "c1", "customer_name": "One", "payment_provider_id": "p"},
        {"customerId": "c1", "customerName": "One", "paymentProviderId": "p"},
        {"customerId": "c1", "customer_name": "One", "paymentProviderId": "p"},
    ],
)
def test_names_may_be_snake_case_or_camel_case_in_a_mapping_or_as_keywords(client, fake, fields):
    client.create_customer(fields)
    by_mapping = last(fake).json
    fake.customers.clear()
    client.create_customer(**fields)

    assert {"customer_id": "c1", "customer_name": "One", "payment_provider_id": "p"} == by_mapping == last(fake).json


def test_a_mapping_and_keywords_can_be_combined(client, fake):
    client.create_customer({"customerId": "c1"}, customer_name="One")

    assert {"customer_id": "c1", "customer_name": "One"} == last(fake).json


def test_a_customer_may_have_an_email_instead_of_a_name(client, fake):
    client.create_customer(customer_id="c1", email="a@b.c")

    assert {"customer_id": "c1", "email": "a@b.c"} == last(fake).json


def test_current_usage_is_asked_for_one_customer_and_has_exact_amounts(client, world):
    client.create_subscription(customer_id="c1", billing_plan_id="p1", start_date="2026-03-01")
    client.track_event(event_name="call", customer_id="c1", properties={"n": Decimal(15)})
    client.flush()

    (usage,) = client.get_current_usage(customer_id="c1")

    assert Decimal("0.50") == usage["cost_due"]  # (15 - 10 free) x 0.10
    assert isinstance(usage["cost_due"], Decimal)
    assert {"customer_id": ["c1"]} == last(world).query


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2022-02-23", "2022-02-23"),
        (date(2022, 2, 23), "2022-02-23"),
        (datetime(2022, 2, 23, 12, tzinfo=timezone(timedelta(hours=1))), "2022-02-23T11:00:00Z"),
        (datetime(2022, 2, 23, 12), "2022-02-23T12:00:00Z"),  # noqa: DTZ001 - without a zone it is UTC
    ],
)
def test_a_subscription_starts_on_a_text_a_date_or_a_datetime(client, world, given, sent):
    client.create_subscription(customer_id="c1", billing_plan_id="p1", start_date=given, end_date=given)

    body = {"customer_id": "c1", "billing_plan_id": "p1", "start_date": sent, "end_date": sent}
    assert body == last(world).json


def test_false_is_sent_when_it_is_given(client, world):
    client.create_subscription(
        customer_id="c1", billing_plan_id="p1", start_date="2022-02-23", auto_renew=False, is_new=False
    )

    assert (False, False) == (last(world).json["auto_renew"], last(world).json["is_new"])


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"bill_now": False},
        {"revoke_access": False},
        {"bill_now": False, "revoke_access": False},
        {"bill_now": True},
    ],
)
def test_cancelling_sends_only_what_the_caller_chose(client, world, choices):
    client.create_subscription(customer_id="c1", billing_plan_id="p1", start_date="2022-02-23", subscription_id="s1")
    if choices != {"revoke_access": False}:
        client.cancel_subscription(subscription_id="s1", **choices)
    else:  # the server's bill_now is true, which does not go together with it
        with pytest.raises(lotus.ValidationError):
            client.cancel_subscription(subscription_id="s1", **choices)

    assert "/api/cancel_subscription/" == last(world).path
    assert {"subscription_id": "s1", **choices} == last(world).json


def test_access_is_asked_by_event_or_by_feature(client, world):
    client.get_customer_access(customer_id="c1", event_name="call", event_limit_type="free")
    by_event = last(world)
    client.get_customer_access(customerId="c1", featureName="sso")

    assert "/api/customer_access/" == by_event.path == last(world).path
    assert {"customer_id": ["c1"], "event_name": ["call"], "event_limit_type": ["free"]} == by_event.query
    assert {"customer_id": ["c1"], "feature_name": ["sso"]} == last(world).query


def test_every_post_but_track_has_an_idempotency_key_of_its_own(client, world):
    client.create_customer(customer_id="c2", customer_name="Two")
    client.create_subscription(customer_id="c2", billing_plan_id="p1", start_date="2022-02-23", subscription_id="s")
    client.cancel_subscription(subscription_id="s")
    client.get_plans()

    assert ["id-1", "id-2", "id-3", None] == [each.headers.get("idempotency-key") for each in world.seen]


def test_ids_may_be_uuids(client, fake):
    client.create_customer(customer_id=UUID(int=1), customer_name="One")

    assert "00000000-0000-0000-0000-000000000001" == last(fake).json["customer_id"]


@pytest.mark.parametrize(
    ("call", "fields", "found"),
    [
        ("create_customer", {}, [("customer_id", "required"), ("customer_name", "required")]),
        (
            "create_customer",
            {"customer_id": 7, "customer_name": ""},
            [("customer_id", "invalid"), ("customer_name", "invalid")],
        ),
        ("create_customer", {"customer_id": "c", "email": "e", "curency": "EUR"}, [("curency", "unknown")]),
        ("create_customer", {"customer_id": "c", "customerId": "d", "email": "e"}, [("customer_id", "invalid")]),
        ("create_customer", {"customer_id": "c", "email": "e", "properties": []}, [("properties", "invalid")]),
        ("get_current_usage", {}, [("customer_id", "required")]),
        ("get_subscriptions", {"status": 7}, [("status", "invalid")]),
        (
            "create_subscription",
            {},
            [("customer_id", "required"), ("start_date", "required"), ("billing_plan_id", "required")],
        ),
        (
            "create_subscription",
            {"customer_id": "c", "start_date": 5, "plan_id": "p", "version_id": "v", "auto_renew": "no"},
            [("start_date", "invalid"), ("auto_renew", "invalid"), ("billing_plan_id", "exactly_one")],
        ),
        ("cancel_subscription", {"bill_now": 1}, [("subscription_id", "required"), ("bill_now", "invalid")]),
        (
            "cancel_subscription",
            {"subscription_id": "s", "bill_now": True, "revoke_access": False},
            [("revoke_access", "bill_now_needs_revoke")],
        ),
        ("get_customer_access", {}, [("customer_id", "required"), ("feature_name", "required")]),
        (
            "get_customer_access",
            {"customer_id": "c", "feature_name": "f", "event_name": "e", "event_limit_type": "all"},
            [("event_limit_type", "invalid"), ("feature_name", "exactly_one")],
        ),
        ("track_event", {}, [("event_name", "required"), ("customer_id", "required")]),
        (
            "track_event",
            {"event_name": "e", "customer_id": "c" * 201, "time_created": 5, "properties": {"a": {1}}},
            [("customer_id", "invalid"), ("time_created", "invalid"), ("properties", "invalid")],
        ),
    ],
)
def test_all_problems_are_found_at_once_and_nothing_is_sent(client, fake, call, fields, found):
    with pytest.raises(lotus.ValidationError) as raised:
        getattr(client, call)(fields)

    assert found == problems_of(raised.value)
    assert raised.value.status is None
    assert all(field in str(raised.value) for field, _ in found)
    assert [] == fake.seen


def test_the_single_argument_must_be_a_mapping(client):
    with pytest.raises(lotus.ValidationError, match="must be a mapping, not str"):
        client.create_customer("c1")


def test_limits_hold_at_their_edge(client):
    client.track_event(event_name="e", customer_id="c" * 200, properties={"a": "x" * (32 * 1024 - len('{"a":""}'))})

    with pytest.raises(lotus.ValidationError, match="at most 32768 bytes as JSON, has 32769"):
        client.track_event(event_name="e", customer_id="c", properties={"a": "x" * (32 * 1024 + 1 - len('{"a":""}'))})


@pytest.mark.parametrize("content", [b"<html>", b"", b"{}", b'"text"'])
def test_a_success_in_an_unknown_form_is_an_error(client, fake, content):
    fake.misbehaviour.append(Answer(200, content))

    with pytest.raises(lotus.ApiError) as raised:
        client.get_customers()

    assert ("malformed_response", 200) == (raised.value.code, raised.value.status)


def test_usage_names_the_customer_in_the_path_and_the_rest_in_the_query(client, fake):
    fake.metrics["m"] = {}

    rows = client.get_usage(
        customer_id="a/b", metricId="m", start=date(2026, 1, 1), window="day", group_by=["model", "region"], fill=True
    )

    assert 1 == len(rows)
    asked = {"metric_id": ["m"], "start": ["2026-01-01"], "window": ["day"], "group_by": ["model", "region"]}
    assert ({**asked, "fill": ["true"]}, "/usage/") == (last(fake).query, last(fake).path[-7:])


@pytest.mark.parametrize(
    ("call", "fields", "path"),
    [
        ("void_events", {"idempotency_ids": ["a", "b"], "reason": "r"}, "/api/events/void/"),
        ("amend_event", {"idempotency_id": "a", "properties": {"n": 5}, "reason": "r"}, "/api/events/amend/"),
        ("verify_events_received", {"idempotency_ids": ["a"], "customer_id": "c"}, "/api/verify_idems_received/"),
    ],
)
def test_calls_about_events_send_what_was_given(client, fake, call, fields, path):
    getattr(client, call)(**fields)

    assert (path, fields) == (last(fake).path, last(fake).json)


@pytest.mark.parametrize(
    ("call", "fields", "wrong"),
    [
        ("get_usage", {"window": "minute"}, {"customer_id", "metric_id", "window"}),
        ("void_events", {"idempotency_ids": [5]}, {"idempotency_ids", "reason"}),
        ("amend_event", {"idempotency_id": "a", "reason": "r"}, {"properties"}),
        ("verify_events_received", {"idempotency_ids": "a", "number_days_lookback": -1}, {"number_days_lookback"}),
    ],
)
def test_everything_wrong_with_calls_about_events_is_reported(client, call, fields, wrong):
    with pytest.raises(lotus.ValidationError) as raised:
        getattr(client, call)(**fields)

    assert wrong == {each["field"] for each in raised.value.validation_errors}
