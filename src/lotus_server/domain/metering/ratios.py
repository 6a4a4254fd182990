"""Ratios: two metrics of the same groups, one divided by the other."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from lotus_server.domain.metering.aggregates import Usage, nothing
from lotus_server.domain.metering.definition import MetricDefinition, MetricType
from lotus_server.kernel.quantity import ONE, share


def parts_of(definition: MetricDefinition) -> tuple[MetricDefinition, ...]:
    """Return the metrics that an event store answers: numerator and denominator of a ratio, else the metric itself."""
    if definition.type is not MetricType.RATIO:
        return (definition,)
    assert definition.denominator is not None, "a ratio has a denominator"
    numerator = msgspec.structs.replace(definition, type=MetricType.COUNTER, denominator=None)
    return numerator, definition.denominator


def usage_of_parts(definition: MetricDefinition, usages: Sequence[Usage]) -> Usage:
    """Return the usage of a metric from those of its parts, in the order of `parts_of`.

    A ratio is taken per group and of the whole. It has no value where its numerator has none or its denominator has
    none or is zero. A group that one part lacks is there what no event amounts to. A quotient without an end is rounded
    half-up at 90 places. Counted and skipped events are those of both parts.
    """
    parts = parts_of(definition)
    if len(parts) == 1:
        return usages[0]
    numerator, denominator = usages
    nones = [Usage(nothing(part), 0, 0) for part in parts]
    keys = sorted(numerator.groups.keys() | denominator.groups.keys())
    groups = {
        key: _ratio(numerator.groups.get(key, nones[0]), denominator.groups.get(key, nones[1]), {}) for key in keys
    }
    return _ratio(numerator, denominator, groups)


def _ratio(numerator: Usage, denominator: Usage, groups: dict[str, Usage]) -> Usage:
    times = [usage.last_us for usage in (numerator, denominator) if usage.last_us is not None]
    return Usage(
        _quotient(numerator.value, denominator.value),
        numerator.counted + denominator.counted,
        numerator.skipped + denominator.skipped,
        max(times, default=None),
        groups,
    )


def _quotient(dividend: Decimal | None, divisor: Decimal | None) -> Decimal | None:
    return share(dividend, ONE, divisor) if dividend is not None and divisor else None
