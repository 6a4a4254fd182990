"""Events are listed, followed, verified and corrected, and those that were refused can be looked up."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.server_process import ServerProcess
from tests.tenants import Json, Tenant, exact


@pytest.fixture
def used(sandbox: Tenant) -> Tenant:
    """Three events of one customer, one of another; `e0` is the oldest accepted."""
    sandbox.move_clock("2026-01-20T00:00:00Z")
    sandbox.customer("acme")
    sandbox.customer("other")
    sandbox.metric("calls", aggregation_type="sum", property_name="n")
    for number, (customer_id, name) in enumerate(
        [("acme", "calls"), ("acme", "calls"), ("acme", "logins"), ("other", "calls")]
    ):
        send(sandbox, f"e{number}", name, customer_id, n=number + 1, time_created=f"2026-01-0{number + 1}T00:00:00Z")
    return sandbox


def send(tenant: Tenant, event_id: str, name: str = "calls", customer_id: str = "acme", **more: Json) -> None:
    properties = {key: more.pop(key) for key in list(more) if key != "time_created"}
    tenant.track(tenant.event(name, customer_id, properties, idempotency_id=event_id, **more))


def ids(rows: Json) -> list[str]:
    return [row["idempotency_id"] for row in rows]


def usage(tenant: Tenant, customer_id: str = "acme") -> Json:
    rows = tenant.get(f"/api/customers/{customer_id}/usage/", metric_id="calls")
    return rows[0]["value"] if rows else 0


def pages(tenant: Tenant, url: str) -> Iterator[httpx.Response]:
    """The pages of a list, as long as a link leads on to one that has rows."""
    while url:
        response = tenant.client.get(url)
        assert response.status_code == 200, response.text
        if not response.json():
            return
        yield response
        url = response.links.get("next", {}).get("url", "")


def test_events_are_listed_newest_accepted_first(used: Tenant) -> None:
    rows = used.get("/api/events/")

    assert ["e3", "e2", "e1", "e0"] == ids(rows)
    assert {
        "idempotency_id": "e0",
        "event_name": "calls",
        "customer_id": "acme",
        "time_created": "2026-01-01T00:00:00Z",
        "properties": {"n": 1},
        "status": "recorded",
        "received_at": "2026-01-20T00:00:00Z",
    } == rows[-1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"customer_id": "other"}, ["e3"]),
        ({"event_name": "logins"}, ["e2"]),
        ({"idempotency_id": "e1"}, ["e1"]),
        ({"start": "2026-01-02", "end": "2026-01-03T00:00:00Z"}, ["e1"]),
        ({"status": "voided"}, []),
        ({"customer_id": "nobody"}, []),
    ],
)
def test_events_can_be_searched(used: Tenant, query: dict[str, str], expected: list[str]) -> None:
    assert expected == ids(used.get("/api/events/", **query))


@pytest.mark.parametrize(("order", "expected"), [("desc", "e3e2e1e0"), ("asc", "e0e1e2e3")])
def test_pages_joined_are_the_whole_list(used: Tenant, order: str, expected: str) -> None:
    found = [ids(page.json()) for page in pages(used, f"/api/events/?limit=3&order={order}")]

    assert [3, 1] == [len(page) for page in found]
    assert expected == "".join(each for page in found for each in page)


def test_a_feed_leads_on_to_what_is_still_to_come(used: Tenant) -> None:
    first = used.client.get("/api/events/?order=asc&customer_id=acme")
    following = first.links["next"]["url"]
    nothing = used.client.get(following)
    send(used, "e4")
    send(used, "e5", customer_id="other")

    assert ["e0", "e1", "e2"] == ids(first.json())
    assert [] == nothing.json()
    assert ["e4"] == ids(used.client.get(nothing.links["next"]["url"]).json())


def test_a_feed_of_nothing_leads_on_too(sandbox: Tenant) -> None:
    nothing = sandbox.client.get("/api/events/?order=asc")
    send(sandbox, "e0")

    assert ["e0"] == ids(sandbox.client.get(nothing.links["next"]["url"]).json())


def test_events_that_arrive_while_a_feed_is_read_come_once(used: Tenant) -> None:
    seen: list[str] = []
    for number, page in enumerate(pages(used, "/api/events/?order=asc&limit=2")):
        seen += ids(page.json())
        if number < 3:
            send(used, f"late{number}")

    assert ["e0", "e1", "e2", "e3", "late0", "late1", "late2"] == seen


def test_a_voided_event_counts_for_nothing_and_keeps_its_id(used: Tenant) -> None:
    before = usage(used)
    reply = used.post("/api/events/void/", {"idempotency_ids": ["e1", "nothing"], "reason": "a test"}, 200)
    used.track(used.event("calls", "acme", {"n": 2}, idempotency_id="e1", time_created="2026-01-02T00:00:00Z"))

    assert {
        "corrected": 1,
        "results": [{"idempotency_id": "e1", "status": "done"}, {"idempotency_id": "nothing", "status": "unknown"}],
    } == reply
    assert (3, 1) == (before, usage(used))
    assert ["e1"] == ids(used.get("/api/events/", status="voided"))


def test_an_amended_event_counts_as_if_it_had_come_so(used: Tenant) -> None:
    amendment = {"idempotency_id": "e1", "properties": {"n": "10.5"}, "reason": "wrong unit"}
    reply = used.post("/api/events/amend/", amendment, 200)

    assert {"corrected": 1, "results": [{"idempotency_id": "e1", "status": "done"}]} == reply
    assert "11.5" == str(usage(used))


def test_an_event_can_move_to_another_time_and_customer(used: Tenant) -> None:
    changes = [
        {"idempotency_id": "e1", "customer_id": "other"},
        {"idempotency_id": "e0", "time_created": "2025-06-01", "reason": "the clock was wrong"},
    ]
    reply = used.post("/api/events/amend/", {"amendments": changes, "reason": "mixed up"}, 200)

    assert 2 == reply["corrected"]
    assert (0, 6) == (usage(used), usage(used, "other"))
    reasons = [used.get(f"/api/events/{each}/")["history"][0]["reason"] for each in ("e1", "e0")]
    assert ["mixed up", "the clock was wrong"] == reasons


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/events/void/", {"idempotency_ids": ["e1"], "reason": "twice"}),
        ("/api/events/amend/", {"idempotency_id": "e1", "properties": {"n": 5}, "reason": "twice"}),
    ],
)
def test_correcting_again_changes_nothing(used: Tenant, path: str, body: Json) -> None:
    used.post(path, body, 200)
    before = (usage(used), used.get("/api/events/e1/"))

    reply = used.post(path, body, 200)

    assert {"corrected": 0, "results": [{"idempotency_id": "e1", "status": "unchanged"}]} == reply
    assert before == (usage(used), used.get("/api/events/e1/"))


def test_a_voided_event_cannot_be_amended(used: Tenant) -> None:
    used.post("/api/events/void/", {"idempotency_ids": ["e1"], "reason": "wrong"}, 200)

    reply = used.post("/api/events/amend/", {"idempotency_id": "e1", "properties": {}, "reason": "late"}, 200)

    assert [{"idempotency_id": "e1", "status": "voided"}] == reply["results"]


def test_an_event_shows_its_history(used: Tenant) -> None:
    used.post("/api/events/amend/", {"idempotency_id": "e1", "properties": {"n": 5}, "reason": "first"}, 200)
    used.post("/api/events/void/", {"idempotency_ids": ["e1"], "reason": "second"}, 200)

    event = used.get("/api/events/e1/")

    assert ("voided", {"n": 5}) == (event["status"], event["properties"])
    assert [
        {
            "kind": kind,
            "reason": reason,
            "made_at": "2026-01-20T00:00:00Z",
            "before": {"customer_id": "acme", "time_created": "2026-01-02T00:00:00Z", "properties": {"n": number}},
        }
        for kind, reason, number in [("amend", "first", 2), ("void", "second", 5)]
    ] == event["history"]


def test_a_correction_with_an_idempotency_key_is_replayed(used: Tenant) -> None:
    body = {"idempotency_ids": ["e1"], "reason": "a test"}
    first, second = (
        used.client.post("/api/events/void/", json=body, headers={"Idempotency-Key": "once"}) for _ in range(2)
    )

    assert (first.content, "true") == (second.content, second.headers["Idempotent-Replayed"])


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["missing"]),
        ({"customer_id": "acme"}, ["missing", "e3"]),
        ({"number_days_lookback": 18}, ["missing", "e0"]),
    ],
)
def test_what_was_received_can_be_verified(used: Tenant, more: dict[str, Any], expected: list[str]) -> None:
    used.post("/api/events/void/", {"idempotency_ids": ["e2"], "reason": "still received"}, 200)
    asked = ["missing", "e0", "e2", "e3", "missing"]

    reply = used.post("/api/verify_idems_received/", {"idempotency_ids": asked, **more}, 200)

    assert {"status": "success", "ids_not_found": expected} == reply


def test_what_was_refused_is_listed_with_the_reason(used: Tenant) -> None:
    bad = [{"idempotency_id": "bad", "event_name": "calls"}, used.event("calls", "acme", {"n": 9}, idempotency_id="e0")]
    used.post("/api/track/", {"batch": bad}, 400)

    rows = used.get("/api/events/rejected/")
    found = {row["idempotency_id"]: row for row in rows}

    assert {"bad": "rejected", "e0": "conflict"} == {key: row["status"] for key, row in found.items()}
    assert "customer_id" in found["bad"]["reason"]
    assert '"event_name":"calls"' in found["bad"]["content"].replace(" ", "")
    assert ["bad"] == ids(used.get("/api/events/rejected/", status="rejected", reason="CUSTOMER"))
    assert ["e0"] == ids(used.get("/api/events/rejected/", idempotency_id="e0"))


def test_refused_events_come_in_pages(sandbox: Tenant) -> None:
    for number in range(3):
        sandbox.post("/api/track/", {"idempotency_id": f"bad{number}", "event_name": "calls"}, 400)

    found = [ids(page.json()) for page in pages(sandbox, "/api/events/rejected/?limit=2")]

    assert [["bad2", "bad1"], ["bad0"]] == found


FUTURE = "2026-02-01T00:00:00Z"


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("void", {}, {("idempotency_ids", "required"), ("reason", "required")}),
        ("void", {"idempotency_ids": [], "reason": " "}, {("idempotency_ids", "required"), ("reason", "invalid")}),
        ("void", {"idempotency_ids": ["e1", 5], "reason": "x"}, {("idempotency_ids[1]", "invalid")}),
        ("void", {"idempotency_ids": ["e1"], "reason": "x" * 501}, {("reason", "invalid")}),
        (
            "amend",
            {},
            {("idempotency_id", "required"), ("reason", "required"), ("properties", "required")},
        ),
        ("amend", {"amendments": [], "reason": "x"}, {("amendments", "required")}),
        (
            "amend",
            {"idempotency_id": "e1", "amendments": [{"idempotency_id": "e1", "properties": {}}], "reason": "x"},
            {("idempotency_id", "ambiguous")},
        ),
        (
            "amend",
            {
                "amendments": [
                    {"idempotency_id": "e1", "time_created": FUTURE, "customer_id": " ", "reason": "x"},
                    {"idempotency_id": "e2", "event_name": "logins", "properties": [], "time_created": "yesterday"},
                    "e3",
                ]
            },
            {
                ("amendments[0].time_created", "invalid_time"),
                ("amendments[0].customer_id", "invalid"),
                ("amendments[1].event_name", "unchangeable"),
                ("amendments[1].properties", "invalid"),
                ("amendments[1].time_created", "invalid_time"),
                ("amendments[1].reason", "required"),
                ("amendments[2]", "invalid"),
            },
        ),
    ],
)
def test_a_correction_is_checked_as_a_whole(
    used: Tenant, path: str, body: Json, expected: set[tuple[str, str]]
) -> None:
    reply = used.post(f"/api/events/{path}/", body, 400)

    assert expected == {(each["field"], each["code"]) for each in reply["validation_errors"]}
    assert ["e3", "e2", "e1", "e0"] == ids(used.get("/api/events/", status="recorded"))


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/events/?status=gone", "status"),
        ("/api/events/?start=yesterday", "start"),
        ("/api/events/?cursor=x", "cursor"),
        ("/api/events/?cursor=-1", "cursor"),
        ("/api/events/?cursor=99999999999999999999", "cursor"),
        ("/api/events/?order=up", "order"),
        ("/api/events/?limit=1001", "limit"),
        ("/api/events/?limit=0", "limit"),
        ("/api/events/rejected/?status=accepted", "status"),
        ("/api/events/rejected/?cursor=x", "cursor"),
    ],
)
def test_what_cannot_be_listed_is_refused(sandbox: Tenant, path: str, field: str) -> None:
    response = sandbox.client.get(path)

    assert response.status_code == 400
    assert [field] == [each["field"] for each in response.json()["validation_errors"]]


def test_the_number_of_corrections_and_of_ids_is_limited(sandbox: Tenant) -> None:
    many = [f"e{number}" for number in range(10_001)]

    sandbox.post("/api/events/void/", {"idempotency_ids": many[:1_001], "reason": "x"}, 413)
    sandbox.post("/api/verify_idems_received/", {"idempotency_ids": many}, 413)


def test_an_organization_that_takes_known_customers_only_moves_events_to_none_other(used: Tenant) -> None:
    used.patch("/api/organization/", {"rejects_unknown_customers": True})
    body = {"idempotency_id": "e1", "customer_id": "nobody", "reason": "x"}

    reply = used.post("/api/events/amend/", body, 400)

    assert ("customer_id", "customer_not_found") == tuple(reply["validation_errors"][0].values())[:2]
    assert 1 == used.post("/api/events/amend/", body | {"customer_id": "other"}, 200)["corrected"]


CALLS: list[tuple[str, str, Json]] = [
    ("GET", "/api/events/", None),
    ("GET", "/api/events/rejected/", None),
    ("GET", "/api/events/e1/", None),
    ("POST", "/api/verify_idems_received/", {"idempotency_ids": ["e1"]}),
    ("POST", "/api/events/void/", {"idempotency_ids": ["e1"], "reason": "x"}),
    ("POST", "/api/events/amend/", {"idempotency_id": "e1", "properties": {}, "reason": "x"}),
]


@pytest.mark.parametrize(("scope", "expected"), [("ingest", [403] * 6), ("read", [200] * 4 + [403] * 2)])
def test_only_full_keys_correct_events_and_ingest_keys_do_not_even_read_them(
    used: Tenant, server: ServerProcess, scope: str, expected: list[int]
) -> None:
    key = used.post("/api/api_keys/", {"name": "k", "scope": scope})["api_key"]
    with server.new_client(key) as client:
        assert expected == [client.request(method, path, json=body).status_code for method, path, body in CALLS]


def test_another_organizations_events_do_not_exist(used: Tenant, other_tenant: Tenant) -> None:
    used.post("/api/track/", {"idempotency_id": "bad", "event_name": "calls"}, 400)
    before = used.get("/api/events/e1/")

    answers = [exact(other_tenant.client.request(method, path, json=body)) for method, path, body in CALLS]

    listed, refused, one, verified, voided, amended = answers
    assert ([], [], 404, ["e1"]) == (listed, refused, one["status"], verified["ids_not_found"])
    assert ["unknown"] * 2 == [reply["results"][0]["status"] for reply in (voided, amended)]
    assert before == used.get("/api/events/e1/")
