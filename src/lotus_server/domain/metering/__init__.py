"""From events to quantities: metric definitions, filters, aggregates, and the oracle that judges them."""

from lotus_server.domain.metering.aggregates import (
    SeenValues,
    State,
    Usage,
    ValuesInMemory,
    advance,
    combine,
    nothing,
)
from lotus_server.domain.metering.definition import (
    Aggregation,
    Filter,
    FilterScalar,
    Fingerprints,
    Granularity,
    LevelForm,
    Metric,
    MetricDefinition,
    MetricType,
    Operator,
    PropertyMatch,
    Selection,
)
from lotus_server.domain.metering.events import Correction, CorrectionKind, Event, EventStatus, LogPosition, Verdict
from lotus_server.domain.metering.filters import compile_filters, holds
from lotus_server.domain.metering.groups import UNGROUPED, group_key, split_key, values_key
from lotus_server.domain.metering.oracle import usage_of
from lotus_server.domain.metering.properties import Properties, as_number, lookup
from lotus_server.domain.metering.ratios import parts_of, usage_of_parts
from lotus_server.domain.metering.series import (
    Point,
    has_states,
    is_series,
    needs_earlier_events,
    point_of,
    usage_of_points,
    values_of_points,
)
from lotus_server.domain.metering.units import windows_within
from lotus_server.domain.metering.values import value_of

__all__ = [
    "UNGROUPED",
    "Aggregation",
    "Correction",
    "CorrectionKind",
    "Event",
    "EventStatus",
    "Filter",
    "FilterScalar",
    "Fingerprints",
    "Granularity",
    "LevelForm",
    "LogPosition",
    "Metric",
    "MetricDefinition",
    "MetricType",
    "Operator",
    "Point",
    "Properties",
    "PropertyMatch",
    "SeenValues",
    "Selection",
    "State",
    "Usage",
    "ValuesInMemory",
    "Verdict",
    "advance",
    "as_number",
    "combine",
    "compile_filters",
    "group_key",
    "has_states",
    "holds",
    "is_series",
    "lookup",
    "needs_earlier_events",
    "nothing",
    "parts_of",
    "point_of",
    "split_key",
    "usage_of",
    "usage_of_parts",
    "usage_of_points",
    "value_of",
    "values_key",
    "values_of_points",
    "windows_within",
]
