"""From what the events of a period say to what a price is applied to: all of the usage, or each group of it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from lotus_server.domain.catalog import (
    CellPrice,
    Component,
    Dynamic,
    Matrix,
    Price,
    needs_event_values,
    prices_within,
)
from lotus_server.domain.metering import (
    UNGROUPED,
    Aggregation,
    Metric,
    MetricDefinition,
    MetricType,
    Usage,
    split_key,
)
from lotus_server.domain.rating import RatedUsage
from lotus_server.kernel.money import total

Group = dict[str, str | None]
"""The values of the grouped properties that the events of a group have; null: they lack the property."""

_NOTHING = Usage(None, 0, 0)


class Metered(msgspec.Struct, frozen=True, gc=False):
    """What the events of a period say of one component, as far as its price asks for it.

    `usage` is the metric's answer. `amounts` has, by the property that a dynamic price reads, the answer about its sum.
    `values` are those of the single events in the order in which they happened, by the key of their group (null: no
    price asks for them).
    """

    usage: Usage
    amounts: Mapping[str, Usage] = msgspec.field(default_factory=dict)
    values: Mapping[str, tuple[Decimal, ...]] | None = None


class Part(msgspec.Struct, frozen=True, gc=False):
    """Usage that has a line of its own: all of the usage, or that of one group (`group` is null for all).

    `priced` is what the price is applied to: one usage, or with `has_windows` the usage of each window that has events,
    in the order of time. `counted` and `skipped` are numbers of events.
    """

    quantity: Decimal
    priced: tuple[RatedUsage, ...]
    counted: int
    skipped: int
    group: Group | None = None
    has_windows: bool = False


class _Cell(msgspec.Struct, frozen=True, gc=False):
    """The usage of one group in one window (the start of which is null without windows), with its key."""

    key: str
    start: datetime | None
    values: tuple[str | None, ...]
    usage: Usage


def needs_values(price: Price) -> bool:
    """Tell whether the values of the single events have to be known, for the price or for a cell of it."""
    if not isinstance(price, Matrix):
        return needs_event_values(price)
    return any(needs_event_values(each) for each in prices_within(price))


def amount_properties(price: Price) -> tuple[str, ...]:
    """Return the properties in which events name their own amounts, each once, in a fixed order."""
    if isinstance(price, Dynamic):
        return (price.amount_property,)
    if not isinstance(price, Matrix):
        return ()
    return tuple(sorted({each.amount_property for each in prices_within(price) if isinstance(each, Dynamic)}))


def amount_definition(definition: MetricDefinition, amount_property: str) -> MetricDefinition:
    """Return what is asked for a dynamic price: the sum of a property over the events that the metric counts."""
    return MetricDefinition(
        definition.event_name,
        Aggregation.SUM,
        amount_property,
        definition.filters,
        definition.group_by,
        MetricType.COUNTER,
        window=definition.window,
    )


def parts_of(component: Component, metric: Metric, metered: Metered) -> tuple[Part, ...]:
    """Return what of a component's usage has a line of its own.

    A matrix prices the groups itself, so it takes all of the usage. With any other price each group of a grouped metric
    stands alone, in the order of their values, a missing one last. Without events there is one part with nothing in it.
    """
    price, definition, usage = component.price, metric.definition, metered.usage
    has_windows = definition.window is not None
    priced: tuple[RatedUsage, ...]
    if not usage.groups and not isinstance(price, Matrix):
        priced = () if has_windows else (_priced(price, metered, UNGROUPED, usage),)
        return (Part(usage.quantity, priced, usage.counted, usage.skipped, None, has_windows),)
    cells = [_Cell(key, *split_key(definition, key), each) for key, each in sorted(usage.groups.items())]
    if isinstance(price, Matrix):
        windows = _by_window(cells) if has_windows else [cells]
        priced = tuple(_matrix_usage(price, definition, metered, window) for window in windows)
        return (Part(usage.quantity, priced, usage.counted, usage.skipped, None, has_windows),)
    by_values: dict[tuple[str | None, ...], list[_Cell]] = {}
    for cell in cells:
        by_values.setdefault(cell.values, []).append(cell)
    return tuple(
        Part(
            total(cell.usage.quantity for cell in by_values[values]),
            tuple(_priced(price, metered, cell.key, cell.usage) for cell in by_values[values]),
            sum(cell.usage.counted for cell in by_values[values]),
            sum(cell.usage.skipped for cell in by_values[values]),
            dict(zip(definition.group_by, values, strict=True)) or None,
            has_windows,
        )
        for values in sorted(by_values, key=_sort_key)
    )


def _sort_key(values: tuple[str | None, ...]) -> list[tuple[bool, str]]:
    return [(value is None, value or "") for value in values]


def _by_window(cells: list[_Cell]) -> list[list[_Cell]]:
    """Return the cells of each window; their keys begin with the window, so the windows are in the order of time."""
    by_start: dict[datetime | None, list[_Cell]] = {}
    for cell in cells:
        by_start.setdefault(cell.start, []).append(cell)
    return list(by_start.values())


def _matrix_usage(price: Matrix, definition: MetricDefinition, metered: Metered, cells: list[_Cell]) -> RatedUsage:
    """Return the groups of usage under their values in the order of the matrix's dimensions."""
    places = [definition.group_by.index(name) for name in price.dimensions]
    groups = {}
    for cell in cells:
        when = tuple(cell.values[place] for place in places)
        found = price.price_of(when)
        usage = cell.usage
        groups[when] = (
            RatedUsage(usage.quantity, usage.counted) if found is None else _priced(found, metered, cell.key, usage)
        )
    return RatedUsage.of_groups(groups)


def _priced(price: CellPrice, metered: Metered, key: str, usage: Usage) -> RatedUsage:
    """Return the usage of a group (or all of it) as its price takes it."""
    if isinstance(price, Dynamic):
        whole = metered.amounts[price.amount_property]
        amounts = whole if key == UNGROUPED else whole.groups.get(key, _NOTHING)
        return RatedUsage(amounts.quantity, amounts.counted, skipped=amounts.skipped)
    if needs_event_values(price):
        assert metered.values is not None, "who asks for single events is given them"
        return RatedUsage.of_events(metered.values.get(key, ()))
    return RatedUsage(usage.quantity, usage.counted)
