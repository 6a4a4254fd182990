"""`POST /api/track/`: one verdict for each event, every acknowledged one counted exactly once."""

import gzip
import json
from typing import Any

import pytest

from tests.tenants import Tenant, exact


@pytest.fixture
def metered(sandbox: Tenant) -> Tenant:
    """Acme's calls cost a cent each."""
    sandbox.metric()
    sandbox.plan(components=[{"metric_id": "calls", "price": {"model": "per_unit", "unit_price": "0.01"}}])
    sandbox.customer()
    sandbox.subscribe()
    return sandbox


def usage(tenant: Tenant) -> int:
    (draft,) = tenant.drafts()
    quantity: int = draft["line_items"]["components"]["name of calls"]["usage_qty"]
    return quantity


def test_a_reply_has_every_key(tenant: Tenant) -> None:
    reply = tenant.post("/api/track/", {"batch": [tenant.event()]})

    assert reply == {"success": "all", "accepted": 1, "duplicates": 0, "failed_events": {}}


@pytest.mark.parametrize("form", ["envelope", "one event", "list", "gzip", "envelope with noise"])
def test_a_body_may_have_any_form_that_clients_send(metered: Tenant, form: str) -> None:
    event = metered.event()
    bodies: dict[str, Any] = {
        "envelope": {"batch": [event]},
        "one event": {**event, "sentAt": "2026-01-01"},
        "list": [event],
        "gzip": {"batch": [event]},
        "envelope with noise": {
            "batch": [{**event, "$type": "track_event", "library": "lotus-python", "library_version": "0.12.0"}],
            "sentAt": "2026-01-01 00:00:00+00:00",
        },
    }
    content = json.dumps(bodies[form]).encode()
    headers = {"Content-Encoding": "gzip"} if form == "gzip" else {}

    response = metered.client.post(
        "/api/track/", content=gzip.compress(content) if form == "gzip" else content, headers=headers
    )

    assert (response.status_code, response.json()["accepted"]) == (201, 1)
    assert usage(metered) == 1


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"]
)
def test_a_body_is_json_whatever_its_type_is_called(metered: Tenant, content_type: str | None) -> None:
    request = metered.client.build_request("POST", "/api/track/", content=json.dumps(metered.event()))
    request.headers.pop("content-type", None)
    if content_type is not None:
        request.headers["content-type"] = content_type

    assert metered.client.send(request).status_code == 201
    assert usage(metered) == 1


@pytest.mark.parametrize("is_batch", [False, True])
def test_cloudevents_are_taken(metered: Tenant, is_batch: bool) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/app", "type": "calls", "subject": "acme", "data": {}}
    kind = "application/cloudevents-batch+json" if is_batch else "application/cloudevents+json"

    response = metered.client.post(
        "/api/track/", content=json.dumps([event] if is_batch else event), headers={"Content-Type": kind}
    )

    assert response.status_code == 201
    assert usage(metered) == 1


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-10T12:00:00Z",
        "2026-01-10T12:00:00.123456Z",
        "2026-01-10T14:00:00+02:00",
        "2026-01-10 12:00:00+00:00",
        "2026-01-10 12:00:00.960033+00:00",
        "2026-01-10T12:00:00",
        "2026-01-10",
        "2026-01-10T12:00:00.000Z",
    ],
)
def test_the_time_of_an_event_may_have_any_form(metered: Tenant, text: str) -> None:
    metered.move_clock("2026-01-20")

    metered.track(metered.event(time_created=text))

    assert usage(metered) == 1


def test_an_event_counts_in_the_period_of_its_own_time(metered: Tenant) -> None:
    metered.move_clock("2026-02-05")
    metered.track(
        metered.event(time_created="2026-02-01T00:00:00Z"),
        metered.event(time_created="2026-01-31T23:59:59.999999Z"),
        metered.event(),
    )

    assert usage(metered) == 2


def test_an_event_without_a_time_happens_now(metered: Tenant) -> None:
    metered.move_clock("2026-02-05")
    metered.use(1)

    metered.move_clock("2026-03-01")

    (invoice, *_) = metered.invoices()
    assert (invoice["start_date"], invoice["line_items"][0]["quantity"]) == ("2026-02-01", 1)


def test_a_repeated_event_is_a_duplicate_and_counts_once(metered: Tenant) -> None:
    event = metered.event(time_created="2026-01-01")
    metered.track(event)

    reply = metered.post("/api/track/", {"batch": [event, event]})

    assert (reply["success"], reply["accepted"], reply["duplicates"]) == ("all", 0, 2)
    assert usage(metered) == 1


def test_an_id_with_other_content_is_a_conflict_and_the_first_one_stands(metered: Tenant) -> None:
    event = metered.event(properties={"n": 1})
    metered.track(event)

    reply = metered.post("/api/track/", {"batch": [{**event, "properties": {"n": 2}}, metered.event()]})

    assert (reply["success"], reply["accepted"]) == ("some", 1)
    assert list(reply["failed_events"]) == [event["idempotency_id"]]
    assert usage(metered) == 2


def test_verdicts_are_listed_when_they_are_wanted(metered: Tenant) -> None:
    known, new, broken = metered.event(), metered.event(), metered.event(time_created="yesterday")
    metered.track(known)

    reply = metered.post("/api/track/?verbose=true", {"batch": [new, known, {**known, "event_name": "x"}, broken]})

    assert [(row["idempotency_id"], row["status"]) for row in reply["results"]] == [
        (new["idempotency_id"], "accepted"),
        (known["idempotency_id"], "duplicate"),
        (known["idempotency_id"], "conflict"),
        (broken["idempotency_id"], "rejected"),
    ]


def test_one_bad_event_does_not_fail_its_neighbours(metered: Tenant) -> None:
    bad = [
        {"customer_id": "acme"},
        {"event_name": "calls", "customer_id": 5},
        "nonsense",
        None,
        metered.event(properties=[1]),
        metered.event(time_created=17),
    ]

    reply = metered.post("/api/track/", {"batch": [metered.event(), *bad, metered.event()]})

    assert (reply["success"], reply["accepted"], len(reply["failed_events"])) == ("some", 2, len(bad))
    assert usage(metered) == 2


def test_when_every_event_fails_the_request_fails(tenant: Tenant) -> None:
    response = tenant.client.post("/api/track/", json={"batch": [{"event_name": "calls"}]})

    reply = response.json()
    assert (response.status_code, reply["success"], reply["title"]) == (400, "none", "events_rejected")
    assert response.headers["content-type"] == "application/problem+json"


def test_an_empty_batch_is_a_success(tenant: Tenant) -> None:
    assert tenant.post("/api/track/", {"batch": []})["success"] == "all"


def test_an_event_more_than_a_day_ahead_is_rejected(metered: Tenant) -> None:
    ahead = metered.event(time_created="2026-01-02T00:00:00.000001Z")

    reply = metered.post("/api/track/", {"batch": [ahead, metered.event(time_created="2026-01-02T00:00:00Z")]})

    assert list(reply["failed_events"]) == [ahead["idempotency_id"]]


def test_events_of_a_customer_count_once_the_customer_exists(sandbox: Tenant) -> None:
    sandbox.metric()
    sandbox.plan(components=[{"metric_id": "calls", "price": {"model": "per_unit", "unit_price": "0.01"}}])
    sandbox.use(3)

    sandbox.customer()
    sandbox.subscribe()

    assert usage(sandbox) == 3


def test_events_count_once_their_metric_is_defined(sandbox: Tenant) -> None:
    sandbox.customer()
    sandbox.use(3)

    sandbox.metric()
    sandbox.plan(components=[{"metric_id": "calls", "price": {"model": "per_unit", "unit_price": "0.01"}}])
    sandbox.subscribe()
    sandbox.use(1)

    assert usage(sandbox) == 4


def test_strict_calls_turn_unknown_customers_away_one_by_one(metered: Tenant) -> None:
    known, unknown = metered.event(), metered.event(customer_id="nobody")

    reply = metered.post("/api/track/?strict=true", {"batch": [known, unknown]})

    assert (reply["accepted"], list(reply["failed_events"])) == (1, [unknown["idempotency_id"]])


def test_numbers_keep_every_digit_on_the_way_to_the_invoice(sandbox: Tenant) -> None:
    sandbox.metric("bytes", aggregation_type="sum", property_name="n")
    sandbox.plan(components=[{"metric_id": "bytes", "price": {"model": "per_unit", "unit_price": "1"}}])
    sandbox.customer()
    sandbox.subscribe()
    body = (
        '[{"event_name":"bytes","customer_id":"acme","properties":{"n":12345678901234567.1}},'
        '{"event_name":"bytes","customer_id":"acme","properties":{"n":"0.000000000000000000000000000001"}}]'
    )

    assert sandbox.client.post("/api/track/", content=body).status_code == 201

    (draft,) = sandbox.drafts()
    quantity = draft["line_items"]["components"]["name of bytes"]["usage_qty"]
    assert f"{quantity:f}" == "12345678901234567.100000000000000000000000000001"


def test_ten_thousand_events_are_taken_at_once(metered: Tenant) -> None:
    reply = metered.track(*(metered.event() for _ in range(10_000)))

    assert reply["accepted"] == 10_000
    assert usage(metered) == 10_000


def test_the_same_id_counts_for_each_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    event = tenant.event(properties={"who": 1})
    tenant.track(event)

    assert other_tenant.track({**event, "properties": {"who": 2}})["accepted"] == 1


def test_an_idempotency_key_makes_a_request_without_event_ids_count_once(metered: Tenant) -> None:
    body = {"batch": [{"event_name": "calls", "customer_id": "acme"}]}
    headers = {"Idempotency-Key": "once"}

    first = metered.client.post("/api/track/", json=body, headers=headers)
    second = metered.client.post("/api/track/", json=body, headers=headers)

    assert exact(first) == exact(second)
    assert second.headers["idempotent-replayed"] == "true"
    assert usage(metered) == 1
