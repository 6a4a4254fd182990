"""What a customer used, as a chart and as the table beside it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.metering import Aggregation, Metric
from lotus_server.http.web.charts import Chart, Series
from lotus_server.http.web.formats import Formats
from lotus_server.kernel.quantity import ZERO, add
from lotus_server.usecases.usage import UsageAnswer

GROUPS_MAX: Final = 10
_ADDS_UP: Final = frozenset({Aggregation.COUNT, Aggregation.SUM})


class UsageShown(msgspec.Struct, frozen=True):
    """A chart, and its table: a head, a row for each window. `hidden_count` groups are left out of both."""

    chart: Chart
    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Decimal | None, ...]], ...]
    sums: tuple[Decimal | None, ...]
    hidden_count: int


def usage_shown(answer: UsageAnswer, metric: Metric, formats: Formats) -> UsageShown:
    """Return what is shown of usage by windows and groups: of many groups those with the most."""
    windows = list(dict.fromkeys(row.period.start for row in answer.rows))
    values = {(row.period.start, row.group): row.value for row in answer.rows}
    weights: dict[tuple[str | None, ...], Decimal] = {}
    for row in answer.rows:
        weights[row.group] = add(weights.get(row.group, ZERO), row.value or ZERO)
    ranked = sorted(weights, key=lambda group: (-weights[group], [name or "" for name in group]))
    groups = ranked[:GROUPS_MAX]
    adds_up = metric.definition.aggregation in _ADDS_UP
    names = [_name(group, metric) for group in groups]
    labels = [str(formats.day(window)) for window in windows]
    columns = [[values.get((window, group)) for window in windows] for group in groups]
    series = [Series(name, data) for name, data in zip(names, columns, strict=True)]
    return UsageShown(
        Chart("bar" if adds_up else "line", labels, series, is_stacked=adds_up),
        tuple(names),
        tuple(zip(labels, zip(*columns, strict=True), strict=True)) if columns else (),
        tuple(weights[group] if adds_up else None for group in groups),
        len(ranked) - len(groups),
    )


def _name(group: Sequence[str | None], metric: Metric) -> str:
    return " · ".join("(none)" if name is None else name for name in group) or metric.metric_name
