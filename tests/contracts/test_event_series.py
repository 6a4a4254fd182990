"""Percentiles, gauges, rates and ratios, and the values of single events, as every event store answers them."""

from decimal import Decimal

import pytest

from lotus_server.domain.metering import (
    Aggregation,
    CorrectionKind,
    Granularity,
    LevelForm,
    MetricDefinition,
    MetricType,
    Selection,
)
from lotus_server.kernel.period import Period
from lotus_server.ports.event_store import CorrectionOrder, EventStore
from tests.contracts.event_examples import MAY, SERIES
from tests.contracts.event_stores import quantity, run, send
from tests.contracts.metering_model import NOW, Model, Sent, days, submission

MEDIAN = Selection(MetricDefinition("call", Aggregation.PERCENTILE, "n", percentile=Decimal(50)), "acme", MAY)
SEATS = Selection(
    MetricDefinition("call", Aggregation.MAX, "n", type=MetricType.GAUGE, level_form=LevelForm.DELTA), "acme", MAY
)
CALLS_A_DAY = Selection(
    MetricDefinition("call", Aggregation.COUNT, type=MetricType.RATE, granularity=Granularity.DAY), "acme", MAY
)
RATIO = Selection(
    MetricDefinition(
        "call",
        Aggregation.SUM,
        "n",
        type=MetricType.RATIO,
        denominator=MetricDefinition("call", Aggregation.PERCENTILE, "n", percentile=Decimal(100)),
    ),
    "acme",
    MAY,
)


def numbered(*values: float, first: int = 0) -> list[Sent]:
    return [
        Sent(str(place), at=days(1 + place / 4), properties=f'{{"n":{value}}}')
        for place, value in enumerate(values, first)
    ]


def test_a_series_follows_new_late_and_corrected_events(store: EventStore, organization: str) -> None:
    send(store, organization, *numbered(5, 1, 9))
    assert 5 == quantity(store, organization, MEDIAN)
    send(store, organization, *numbered(7, 8, first=3))
    assert 7 == quantity(store, organization, MEDIAN)
    run(store.append(submission(organization, Sent("late", at=days(0), properties='{"n":0}'), now=days(300))))
    assert 5 == quantity(store, organization, MEDIAN)
    store.correct(organization, [CorrectionOrder("0", CorrectionKind.VOID, "no")], now=NOW)
    assert 7 == quantity(store, organization, MEDIAN)
    store.correct(organization, [CorrectionOrder("2", CorrectionKind.AMEND, "no", properties_json=b'{"n":2}')], now=NOW)
    assert 2 == quantity(store, organization, MEDIAN)


def test_the_level_of_a_gauge_carries_over_from_before_the_period(store: EventStore, organization: str) -> None:
    send(store, organization, Sent("a", at=days(-100), properties='{"n":7}'), *numbered(-2, 1))

    assert 7 == quantity(store, organization, SEATS)
    later = Selection(SEATS.definition, "acme", Period(days(3), days(10)))
    assert 6 == quantity(store, organization, later)


def test_a_rate_is_the_greatest_stretch(store: EventStore, organization: str) -> None:
    send(store, organization, *(Sent(str(number), at=days(number / 10)) for number in range(12)), Sent("x", at=days(9)))

    assert 10 == quantity(store, organization, CALLS_A_DAY)


def test_a_ratio_divides_what_its_parts_are(store: EventStore, organization: str) -> None:
    send(store, organization, *numbered(5, 1, 9))

    assert Decimal(15) / 9 == pytest.approx(quantity(store, organization, RATIO))
    assert store.usage(organization, [RATIO]) == [Model.usage(_model(numbered(5, 1, 9)), RATIO)]


def _model(events: list[Sent]) -> Model:
    model = Model()
    for event in events:
        model.append(event)
    return model


def test_series_that_are_at_hand_are_right(store: EventStore, organization: str) -> None:
    wanted = [MEDIAN, SEATS, CALLS_A_DAY, RATIO]
    send(store, organization, *numbered(5, 1, 9))
    store.usage(organization, wanted)
    for number in range(3, 8):
        model = _model(numbered(5, 1, 9, *range(3, number)))
        for one in wanted:
            assert store.usage_at_hand(organization, [one]) in (None, [model.usage(one)])
        send(store, organization, *numbered(number, first=number))


@pytest.mark.parametrize("definition", SERIES)
def test_an_empty_store_has_no_series(store: EventStore, organization: str, definition: MetricDefinition) -> None:
    selection = Selection(definition, "acme", MAY)

    assert [Model().usage(selection)] == store.usage(organization, [selection])
    assert [] == store.values(organization, selection)


def test_the_values_of_events_come_per_group_in_the_order_in_which_they_happened(
    store: EventStore, organization: str
) -> None:
    send(
        store,
        organization,
        Sent("a", at=days(3), properties='{"n":3,"g":"x"}'),
        Sent("b", at=days(1), properties='{"n":"1.50","g":"x"}'),
        Sent("c", at=days(2), properties='{"n":2}'),
        Sent("d", at=days(2), properties='{"n":"no","g":"x"}'),
        Sent("e", at=days(-2), properties='{"n":9,"g":"x"}'),
        Sent("f", at=days(4), properties='{"n":4,"g":"x"}', customer="beta"),
    )
    store.correct(organization, [CorrectionOrder("f", CorrectionKind.AMEND, "moved", customer_id="acme")], now=NOW)

    plain = Selection(MetricDefinition("call", Aggregation.SUM, "n"), "acme", MAY)
    assert [("", (Decimal("1.5"), Decimal(2), Decimal(3), Decimal(4)))] == store.values(organization, plain)
    grouped = Selection(MetricDefinition("call", Aggregation.SUM, "n", group_by=("g",)), "acme", MAY)
    expected = {'["x"]': [Decimal("1.5"), 3, 4], "[null]": [2]}
    assert expected == {key: [*values] for key, values in store.values(organization, grouped)}
