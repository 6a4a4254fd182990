"""Selections as text."""

from decimal import Decimal

import pytest

from lotus_server.adapters.events_sqlite import selections
from lotus_server.domain.metering import (
    Aggregation,
    Filter,
    Granularity,
    LevelForm,
    MetricDefinition,
    MetricType,
    Operator,
    PropertyMatch,
    Selection,
)
from lotus_server.kernel.period import Period
from tests.contracts.metering_model import days

_FILTERS = (
    Filter("n", Operator.IN, ("1", Decimal(1), Decimal("1.0"), True)),
    Filter("n", Operator.GT, Decimal("0.50")),
    Filter("m", Operator.EXISTS),
)


@pytest.mark.parametrize(
    "definition",
    [
        MetricDefinition("call", Aggregation.COUNT),
        MetricDefinition("call", Aggregation.SUM, "n", _FILTERS, ("g", "h")),
        MetricDefinition("call", Aggregation.PERCENTILE, "n", percentile=Decimal("99.9"), expression="n * 2"),
        MetricDefinition(
            "call",
            Aggregation.MAX,
            "n",
            type=MetricType.GAUGE,
            level_form=LevelForm.DELTA,
            granularity=Granularity.MONTH,
            proration=Granularity.DAY,
            window=Granularity.HOUR,
        ),
        MetricDefinition(
            "call",
            Aggregation.COUNT,
            type=MetricType.RATIO,
            denominator=MetricDefinition("other", Aggregation.SUM, "n", _FILTERS),
        ),
        MetricDefinition("", Aggregation.COUNT, type=MetricType.CUSTOM, sql="SELECT 1"),
    ],
)
def test_a_selection_is_read_back_from_its_text(definition: MetricDefinition) -> None:
    for cycle in (None, Period(days(0), days(31))):
        without = () if cycle is None else (Period(days(1), days(2)),)
        selection = Selection(definition, "acme", Period(days(1), days(2)), (PropertyMatch("g", "1"),), cycle, without)
        again = selections.from_text(selections.to_text(selection))

        assert selection == again
        assert selection.fingerprint("org") == again.fingerprint("org")
