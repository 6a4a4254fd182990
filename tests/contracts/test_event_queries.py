"""Custom metrics in every event store that runs queries: they see what counts for one customer and period, no more."""

import pytest

from lotus_server.domain.metering import (
    Aggregation,
    CorrectionKind,
    MetricDefinition,
    MetricType,
    PropertyMatch,
    Selection,
)
from lotus_server.kernel.errors import Invalid
from lotus_server.ports.event_store import CorrectionOrder, EventStore
from tests.contracts.event_examples import MAY
from tests.contracts.event_stores import quantity, send
from tests.contracts.metering_model import NOW, Sent, days

SUM = "SELECT sum(properties ->> 'n') AS usage_qty FROM events"


def custom(sql: str, customer: str = "acme", *matches: PropertyMatch) -> Selection:
    definition = MetricDefinition("", Aggregation.COUNT, type=MetricType.CUSTOM, sql=sql)
    return Selection(definition, customer, MAY, matches)


def test_a_query_sees_the_events_of_one_customer_and_period_as_they_count_now(
    store: EventStore, organization: str
) -> None:
    events = [
        Sent("a", at=days(1), properties='{"n":1,"g":"x"}'),
        Sent("b", at=days(2), name="other", properties='{"n":10}'),
        Sent("c", at=days(-1), properties='{"n":100}'),
        Sent("d", at=days(3), customer="beta", properties='{"n":1000}'),
        Sent("e", at=days(3), properties='{"n":10000}'),
    ]
    send(store, organization, *events)
    send(store, f"{organization}x", *events)
    assert 10_011 == quantity(store, organization, custom(SUM))

    orders = [
        CorrectionOrder("d", CorrectionKind.AMEND, "moved", customer_id="acme"),
        CorrectionOrder("e", CorrectionKind.VOID, "no"),
    ]
    store.correct(organization, orders, now=NOW)
    assert 1_011 == quantity(store, organization, custom(SUM))
    assert 1 == quantity(store, organization, custom(SUM, "acme", PropertyMatch("g", "x")))
    assert 0 == quantity(store, f"{organization}y", custom(SUM))
    assert store.usage_at_hand(organization, [custom(SUM)]) is None


def test_a_query_can_be_checked_before_it_is_a_metric(store: EventStore) -> None:
    assert store.custom_sql_problem(SUM) is None
    assert "only select" in str(store.custom_sql_problem("SELECT name FROM sqlite_schema"))


def test_a_query_that_fails_says_so(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a", properties='{"n":"text"}'))
    with pytest.raises(Invalid) as failed:
        store.usage(organization, [custom("SELECT properties ->> 'n' FROM events")])
    assert "custom_metric_failed" == failed.value.code
