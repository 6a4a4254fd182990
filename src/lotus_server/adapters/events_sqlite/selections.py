"""Selections as text that can be read back, for the file and for the way between the processes."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

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
from lotus_server.domain.metering.definition import FilterScalar
from lotus_server.kernel.period import Period

# Numbers stay numbers: the filter values `1.0` and "1.0" mean different things.
_encode: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic").encode
_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode


def to_text(selection: Selection) -> str:
    """Return a selection as text."""
    return _encode(selection).decode()


def from_text(text: str) -> Selection:
    """Return the selection that `to_text` wrote."""
    fields = _decode(text)
    cycle = fields["cycle"]
    return Selection(
        _definition(fields["definition"]),
        fields["customer_id"],
        msgspec.convert(fields["period"], Period),
        tuple(PropertyMatch(item["property_name"], item["value"]) for item in fields["matches"]),
        None if cycle is None else msgspec.convert(cycle, Period),
        msgspec.convert(fields.get("without", ()), tuple[Period, ...]),
    )


def _definition(fields: dict[str, Any]) -> MetricDefinition:
    """Return a definition; what it has by default is not in its text."""
    return MetricDefinition(
        **{name: _READERS[name](value) if name in _READERS else value for name, value in fields.items()}
    )


def _filters(items: list[dict[str, Any]]) -> tuple[Filter, ...]:
    return tuple(Filter(item["property"], Operator(item["operator"]), _value(item["value"])) for item in items)


def _value(value: Any) -> FilterScalar | tuple[FilterScalar, ...] | None:  # noqa: ANN401 - a JSON value
    if isinstance(value, list):
        return tuple(_scalar(item) for item in value)
    return None if value is None else _scalar(value)


def _scalar(value: Any) -> FilterScalar:  # noqa: ANN401 - a JSON value
    is_number = isinstance(value, int) and not isinstance(value, bool)
    scalar: FilterScalar = Decimal(value) if is_number else value
    return scalar


# Fields whose values are not already what JSON makes of them.
_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "type": MetricType,
    "aggregation": Aggregation,
    "level_form": LevelForm,
    "granularity": Granularity,
    "proration": Granularity,
    "window": Granularity,
    "percentile": Decimal,
    "filters": _filters,
    "group_by": tuple,
    "denominator": _definition,
}
