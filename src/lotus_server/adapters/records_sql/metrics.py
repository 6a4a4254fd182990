"""Metrics."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, select

from lotus_server.adapters.records_sql.changes import Notes
from lotus_server.adapters.records_sql.rows import (
    Insert,
    Replace,
    Unique,
    Values,
    next_number,
    of_tenant,
)
from lotus_server.adapters.records_sql.tables import METRICS
from lotus_server.domain.metering import Metric

_METRIC_NAME: Final = Unique(
    ("organization_id", "metric_name"),
    "metric_name_exists",
    "A metric with this name exists already.",
    among={"archived": False},
)
_INSERT_METRIC: Final = Insert(
    METRICS,
    [
        Unique(("organization_id", "metric_id"), "metric_exists", "A metric with this id exists already."),
        Unique(("organization_id", "replaces"), "metric_replaced", "The metric was replaced before."),
        _METRIC_NAME,
    ],
    {"made_number": next_number(METRICS)},
)
_REPLACE_METRIC: Final = Replace(METRICS, Metric.__struct_fields__, "metric", _METRIC_NAME)
_METRICS: Final = select(*(METRICS.c[name] for name in Metric.__struct_fields__)).where(of_tenant(METRICS))
_METRIC: Final = _METRICS.where(METRICS.c.metric_id == bindparam("metric_id"))
_ALL_METRICS: Final = _METRICS.order_by(METRICS.c.made_number, METRICS.c.metric_id)


def metric_to_row(value: Metric) -> Values:
    """Return a metric's columns."""
    return msgspec.structs.asdict(value)


def metric_from_row(row: Sequence[Any]) -> Metric:
    """Return the metric of a row whose columns are in the order of the fields."""
    return Metric(*row)


class SqlMetrics:
    """The metrics."""

    def __init__(self, connection: Connection, notes: Notes) -> None:
        """Work within one transaction."""
        self._connection = connection
        self._notes = notes

    def add(self, metric: Metric) -> None:
        _INSERT_METRIC(self._connection, metric_to_row(metric))
        self._notes.add(metric.organization_id)

    def get(self, organization_id: str, metric_id: str) -> Metric | None:
        keys = {"organization_id": organization_id, "metric_id": metric_id}
        row = self._connection.execute(_METRIC, keys).first()
        return None if row is None else metric_from_row(row)

    def all(self, organization_id: str) -> list[Metric]:
        rows = self._connection.execute(_ALL_METRICS, {"organization_id": organization_id})
        return [metric_from_row(row) for row in rows]

    def replace(self, metric: Metric) -> None:
        """Keep new values of an existing metric. Raises Conflict `metric_name_exists` as `add` does."""
        _REPLACE_METRIC(self._connection, metric_to_row(metric))
        self._notes.add(metric.organization_id)
