"""Usage of a customer and previews of metrics, as clients see them."""

from decimal import Decimal

import pytest

from tests.server_process import ServerProcess
from tests.tenants import Json, Tenant


@pytest.fixture
def used(sandbox: Tenant) -> Tenant:
    """Three calls on two days, one of them without a model and with tokens that are no number."""
    sandbox.move_clock("2026-01-10T12:00:00Z")
    sandbox.customer("acme")
    sandbox.metric("calls", aggregation_type="sum", property_name="tokens", group_by=["model"])
    sandbox.track(
        sandbox.event("calls", "acme", {"tokens": 5, "model": "a"}, time_created="2026-01-01T10:00:00Z"),
        sandbox.event("calls", "acme", {"tokens": "2.5", "model": "b"}, time_created="2026-01-02T10:00:00Z"),
        sandbox.event("calls", "acme", {"tokens": "many"}, time_created="2026-01-02T11:00:00Z", idempotency_id="odd"),
    )
    return sandbox


def usage(tenant: Tenant, query: str) -> Json:
    return tenant.client.get(f"/api/customers/acme/usage/?metric_id=calls&{query}").json()


def test_usage_has_a_row_for_each_window_and_group(used: Tenant) -> None:
    rows = used.get("/api/customers/acme/usage/", metric_id="calls", window="day", start="2026-01-01", end="2026-01-03")

    assert [
        {
            "window_start": "2026-01-01T00:00:00Z",
            "window_end": "2026-01-02T00:00:00Z",
            "group": {"model": "a"},
            "value": 5,
            "counted": 1,
            "skipped": 0,
        },
        {
            "window_start": "2026-01-02T00:00:00Z",
            "window_end": "2026-01-03T00:00:00Z",
            "group": {"model": "b"},
            "value": Decimal("2.5"),
            "counted": 1,
            "skipped": 0,
        },
    ] == rows


def test_without_anything_said_usage_is_that_of_the_last_thirty_days_until_now(used: Tenant) -> None:
    (row,) = usage(used, "group_by=")

    assert {
        "window_start": "2025-12-11T00:00:00Z",
        "window_end": "2026-01-10T12:00:00.000001Z",
        "group": None,
        "value": 7.5,
        "counted": 2,
        "skipped": 1,
    } == row


@pytest.mark.parametrize("query", ["group_by=model&group_by=region", "group_by=model,region"])
def test_groups_can_be_asked_for_in_two_ways(used: Tenant, query: str) -> None:
    rows = usage(used, query)

    assert [{"model": "a", "region": None}, {"model": "b", "region": None}] == [row["group"] for row in rows]


def test_windows_can_be_filled(used: Tenant) -> None:
    rows = usage(used, "window=day&start=2026-01-01&end=2026-01-04&group_by=&fill=true")

    assert [5, 2.5, 0] == [row["value"] for row in rows]


def test_usage_reads_what_was_acknowledged_a_moment_ago(used: Tenant) -> None:
    used.use(1, properties={"tokens": 100, "model": "a"})

    assert [105, 2.5] == [row["value"] for row in usage(used, "")]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("start=2026-01-02&end=2026-01-01", ["end"]),
        ("start=soon&window=minute", ["window", "start"]),
        ("group_by=a,a", ["group_by"]),
        ("group_by=a,b,c,d,e,f", ["group_by"]),
        ("window=hour&start=2000-01-01", ["window"]),
        ("fill=perhaps", ["fill"]),
    ],
)
def test_what_cannot_be_asked_is_refused(used: Tenant, query: str, fields: list[str]) -> None:
    reply = usage(used, query)

    assert (400, fields) == (reply["status"], [each["field"] for each in reply["validation_errors"]])


def test_a_metric_must_be_named_and_exist(used: Tenant) -> None:
    used.get("/api/customers/acme/usage/", 400)
    used.get("/api/customers/acme/usage/", 404, metric_id="nothing")
    used.get("/api/customers/nobody/usage/", 404, metric_id="calls")


DEFINITION = {
    "event_name": "calls",
    "aggregation_type": "sum",
    "property_name": "tokens",
    "group_by": ["model"],
    "customer_id": "acme",
}


def test_a_preview_says_what_a_metric_would_measure(used: Tenant) -> None:
    preview = used.post("/api/metrics/preview/", {**DEFINITION, "start": "2026-01-01", "end": "2026-01-03"}, 200)

    samples = preview.pop("samples")
    assert {
        "start": "2026-01-01T00:00:00Z",
        "end": "2026-01-03T00:00:00Z",
        "quantity": Decimal("7.5"),
        "value": Decimal("7.5"),
        "counted": 2,
        "skipped": 1,
        "groups": [
            {"window_start": None, "group": {"model": "a"}, "value": 5, "counted": 1, "skipped": 0},
            {"window_start": None, "group": {"model": "b"}, "value": Decimal("2.5"), "counted": 1, "skipped": 0},
            {"window_start": None, "group": {"model": None}, "value": 0, "counted": 0, "skipped": 1},
        ],
        "windows": [],
    } == preview
    assert {
        "idempotency_id": "odd",
        "event_name": "calls",
        "time_created": "2026-01-02T11:00:00Z",
        "properties": {"tokens": "many"},
        "value": None,
        "reason": "The property 'tokens' has no number for it.",
    } == samples[0]
    assert [None, Decimal("2.5"), 5] == [sample["value"] for sample in samples]


def test_a_preview_shows_windows(used: Tenant) -> None:
    preview = used.post("/api/metrics/preview/", {**DEFINITION, "window": "day", "group_by": []}, 200)

    assert [("2026-01-01T00:00:00Z", 5), ("2026-01-02T00:00:00Z", Decimal("2.5"))] == [
        (each["window_start"], each["value"]) for each in preview["windows"]
    ]


def test_a_preview_writes_nothing(used: Tenant) -> None:
    before = used.get("/api/metrics/")
    used.post("/api/metrics/preview/", {**DEFINITION, "metric_id": "new", "metric_name": "New"}, 200)

    assert before == used.get("/api/metrics/")


def test_everything_wrong_with_a_preview_is_named(used: Tenant) -> None:
    reply = used.post("/api/metrics/preview/", {"event_name": " ", "metric_type": "dial", "start": "soon"}, 400)

    assert {"customer_id", "event_name", "metric_type", "aggregation_type", "start"} == {
        each["field"] for each in reply["validation_errors"]
    }


def test_keys_that_read_may_preview(used: Tenant, server: ServerProcess) -> None:
    key = used.post("/api/api_keys/", {"name": "k", "scope": "read"})["api_key"]
    with server.new_client(key) as client:
        assert 200 == client.post("/api/metrics/preview/", json=DEFINITION).status_code


def test_another_organizations_usage_does_not_exist(used: Tenant, other_tenant: Tenant) -> None:
    other_tenant.get("/api/customers/acme/usage/", 404, metric_id="calls")
    other_tenant.post("/api/metrics/preview/", DEFINITION, 404)
    other_tenant.customer("acme")
    other_tenant.metric("calls")

    assert [] == other_tenant.get("/api/customers/acme/usage/", metric_id="calls")


LEVEL = {"metric_type": "gauge", "event_name": "seats", "property_name": "seats", "aggregation_type": "max"}
CALLS = {"event_name": "calls", "aggregation_type": "count"}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (LEVEL, [3, 5, 5, 2]),
        ({**LEVEL, "aggregation_type": "latest"}, [3, 5, 5, 2]),
        ({**LEVEL, "aggregation_type": "sum", "granularity": "hours"}, [36, 96, 120, 48]),
        ({**LEVEL, "granularity": "hours", "proration": "minutes"}, [36, 96, 120, 48]),
        ({**CALLS, "metric_type": "rate", "granularity": "hour"}, [1, 1]),
        (
            {
                "metric_type": "ratio",
                "event_name": "seats",
                "aggregation_type": "sum",
                "property_name": "seats",
                "denominator": CALLS,
            },
            [3, 2.5, None],
        ),
        ({"metric_type": "custom", "custom_sql": "SELECT count(*) AS usage_qty FROM events"}, [2, 3, 1]),
        ({**CALLS, "aggregation_type": "percentile", "percentile": 50, "property_name": "tokens"}, [5, 2.5]),
    ],
)
def test_usage_by_days_of_every_type_of_metric(used: Tenant, definition: Json, expected: list[float | None]) -> None:
    used.track(
        *(
            used.event("seats", "acme", {"seats": seats}, time_created=f"2026-01-0{day}")
            for day, seats in [("1T12:00:00Z", 3), ("2T12:00:00Z", 5), ("4T00:00:00Z", 2)]
        )
    )
    made = used.post("/api/metrics/", {"metric_name": "M", **definition})
    rows = used.get(
        "/api/customers/acme/usage/",
        metric_id=made["metric_id"],
        start="2026-01-01",
        end="2026-01-05",
        window="day",
    )

    assert expected == [row["value"] for row in rows]
