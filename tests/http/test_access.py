"""`GET /api/customer_access/`: may this customer do this now."""

from typing import Any

import pytest

from tests.tenants import Tenant


@pytest.fixture
def limited(sandbox: Tenant) -> Tenant:
    """Acme may make five calls, the first two of them for nothing, and has single sign-on."""
    sandbox.metric()
    sandbox.feature("sso")
    sandbox.feature("audit")
    price = {"model": "per_unit", "unit_price": "0.10", "free_units": 2}
    sandbox.plan(components=[{"metric_id": "calls", "price": price, "limit": 5}], features=["sso"])
    sandbox.customer()
    sandbox.subscribe(subscription_id="mine")
    return sandbox


@pytest.mark.parametrize(
    ("limit_type", "used", "expected"),
    [
        ("free", 0, True),
        ("free", 1, True),
        ("free", 2, False),
        ("free", 3, False),
        ("total", 0, True),
        ("total", 4, True),
        ("total", 5, False),
        ("total", 6, False),
        (None, 4, True),
        (None, 5, False),
    ],
)
def test_access_is_granted_below_the_limit_and_not_at_it(
    limited: Tenant, limit_type: str | None, used: int, expected: bool
) -> None:
    if used:
        limited.use(used)

    question = {} if limit_type is None else {"event_limit_type": limit_type}
    answer = limited.get("/api/customer_access/", customer_id="acme", event_name="calls", **question)

    assert answer["access"] is expected
    assert ("reason" in answer) is not expected


def test_an_answer_shows_the_usage_of_each_component(limited: Tenant) -> None:
    limited.use(3)

    answer = limited.access(event_name="calls", event_limit_type="free")

    assert answer["usages"] == [
        {
            "metric_name": "name of calls",
            "metric_usage": 3,
            "metric_limit": 2,
            "access": False,
            "subscription_id": "mine",
        }
    ]


def test_a_component_without_a_limit_always_grants_access(sandbox: Tenant) -> None:
    sandbox.metric()
    sandbox.plan(components=[{"metric_id": "calls", "price": {"model": "per_unit", "unit_price": "0.10"}}])
    sandbox.customer()
    sandbox.subscribe()
    sandbox.use(50)

    answer = sandbox.access(event_name="calls")

    assert (answer["access"], answer["usages"][0]["metric_limit"]) == (True, None)


def test_one_component_at_its_limit_is_enough_to_refuse(sandbox: Tenant) -> None:
    sandbox.metric("calls")
    sandbox.metric("users", event_name="calls", aggregation_type="unique", property_name="user")
    price = {"model": "per_unit", "unit_price": "0.10"}
    components = [{"metric_id": "calls", "price": price}, {"metric_id": "users", "price": price, "limit": 1}]
    sandbox.plan(components=components)
    sandbox.customer()
    sandbox.subscribe()
    sandbox.use(1, properties={"user": "ann"})

    answer = sandbox.access(event_name="calls")

    assert answer["access"] is False
    assert [row["access"] for row in answer["usages"]] == [True, False]


def test_usage_of_an_earlier_period_takes_nothing_away(limited: Tenant) -> None:
    limited.use(5)

    limited.move_clock("2026-02-01")

    assert limited.access(event_name="calls")["access"] is True


def test_the_components_of_all_active_subscriptions_count(limited: Tenant) -> None:
    price = {"model": "per_unit", "unit_price": "0.10"}
    limited.plan("extra", components=[{"metric_id": "calls", "price": price, "limit": 1}])
    limited.subscribe(plan_id="extra", subscription_id="second")
    limited.use(1)

    answer = limited.access(event_name="calls")

    assert answer["access"] is False
    assert {row["subscription_id"]: row["access"] for row in answer["usages"]} == {"mine": True, "second": False}


def test_without_a_subscription_there_is_no_access(tenant: Tenant) -> None:
    tenant.metric()
    tenant.customer()

    answer = tenant.access(event_name="calls")

    assert (answer["access"], answer["usages"]) == (False, [])
    assert answer["reason"]


def test_a_subscription_to_come_grants_no_access_yet(limited: Tenant) -> None:
    limited.customer("later")
    limited.subscribe("later", start_date="2026-03-01")

    before = limited.access("later", event_name="calls")["access"]
    limited.move_clock("2026-03-01")

    assert (before, limited.access("later", event_name="calls")["access"]) == (False, True)


def test_an_event_that_no_component_counts_grants_no_access(limited: Tenant) -> None:
    answer = limited.access(event_name="something_else")

    assert (answer["access"], answer["usages"]) == (False, [])


def test_an_unknown_customer_is_not_found(tenant: Tenant) -> None:
    assert tenant.access("nobody", 404, event_name="calls")["title"] == "customer_not_found"


def test_a_feature_of_the_plan_grants_access(limited: Tenant) -> None:
    assert limited.access(feature_name="sso") == {"access": True, "value": True}


@pytest.mark.parametrize("name", ["audit", "never_heard_of"])
def test_a_feature_outside_the_plan_grants_no_access(limited: Tenant, name: str) -> None:
    answer = limited.access(feature_name=name)

    assert answer["access"] is False


@pytest.mark.parametrize("question", [{}, {"event_name": "calls", "feature_name": "sso"}])
def test_exactly_one_of_event_and_feature_is_asked_about(limited: Tenant, question: dict[str, Any]) -> None:
    problem = limited.access("acme", 400, **question)

    assert problem["title"] == "exactly_one"


def test_all_that_is_wrong_with_a_question_is_said_at_once(limited: Tenant) -> None:
    problem = limited.get("/api/customer_access/", 400, event_limit_type="some")

    fields = {each["field"] for each in problem["validation_errors"]}
    assert fields == {"customer_id", "event_name", "event_limit_type"}


def test_an_answer_counts_every_event_acknowledged_before_it(limited: Tenant) -> None:
    for used in range(1, 40):
        limited.use(1)

        answer = limited.access(event_name="calls")

        assert (answer["usages"][0]["metric_usage"], answer["access"]) == (used, used < 5)


def test_a_draft_counts_every_event_acknowledged_before_it(limited: Tenant) -> None:
    for used in range(1, 40):
        limited.use(1)

        (draft,) = limited.drafts()

        assert draft["line_items"]["components"]["name of calls"]["usage_qty"] == used


def test_a_new_subscription_grants_access_at_once(limited: Tenant) -> None:
    limited.customer("new")
    assert limited.access("new", event_name="calls")["access"] is False

    limited.subscribe("new")

    assert limited.access("new", event_name="calls")["access"] is True


def test_a_limit_of_a_level_is_held_against_the_present_level(sandbox: Tenant) -> None:
    gauge = {"metric_type": "gauge", "aggregation_type": "max", "property_name": "n", "event_type": "total"}
    sandbox.metric("seats", **gauge)
    component = {"metric_id": "seats", "price": {"model": "per_unit", "unit_price": 1}, "limit": 3}
    sandbox.plan("pro", components=[component])
    sandbox.customer()
    sandbox.subscribe()
    answers = []
    for number, level in enumerate((3, 2)):
        when = f"2026-01-01T0{number}:00:00Z"
        sandbox.move_clock(when)
        sandbox.track(sandbox.event("seats", properties={"n": level}, time_created=when))
        answers.append(sandbox.access(event_name="seats")["access"])

    assert [False, True] == answers


def test_a_limit_of_time_used_counts_what_was_used_until_now(sandbox: Tenant) -> None:
    gauge = {"metric_type": "gauge", "aggregation_type": "sum", "property_name": "n", "event_type": "total"}
    sandbox.metric("hours", **gauge, granularity="hours")
    component = {"metric_id": "hours", "price": {"model": "per_unit", "unit_price": 1}, "limit": 10}
    sandbox.plan("pro", components=[component])
    sandbox.customer()
    sandbox.subscribe()
    sandbox.track(sandbox.event("hours", properties={"n": 2}, time_created="2026-01-01T00:00:00Z"))
    answers = []
    for hour in (4, 5):
        sandbox.move_clock(f"2026-01-01T0{hour}:00:00Z")
        answers.append(sandbox.access(event_name="hours")["access"])

    assert [True, False] == answers
