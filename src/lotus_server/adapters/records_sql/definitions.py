"""The definition of a metric as JSON in a column."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Dialect, Text, TypeDecorator
from typing_extensions import override

from lotus_server.domain.metering import (
    Aggregation,
    Filter,
    Granularity,
    LevelForm,
    MetricDefinition,
    MetricType,
    Operator,
)


class Definition(TypeDecorator[MetricDefinition]):
    """What decides a metric's numbers; what is left at its default is left out.

    The value of a filter may be a text or a number, and the two are told apart by their form: `"1"` and `1`.
    """

    impl = Text
    cache_ok = True

    _encode = msgspec.json.Encoder(decimal_format="number").encode
    _decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode

    @override
    def process_bind_param(self, value: MetricDefinition | None, dialect: Dialect) -> str | None:
        """Return the JSON text."""
        del dialect
        return None if value is None else self._encode(value).decode()

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> MetricDefinition | None:
        """Return the definition."""
        del dialect
        return None if value is None else _definition(self._decode(value))


def _definition(stored: dict[str, Any]) -> MetricDefinition:
    fields = {name: _READERS[name](value) if name in _READERS else value for name, value in stored.items()}
    return MetricDefinition(**fields)


def _filters(stored: list[dict[str, Any]]) -> tuple[Filter, ...]:
    return tuple(Filter(each["property"], Operator(each["operator"]), _value(each["value"])) for each in stored)


def _value(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    return tuple(_scalar(one) for one in value) if isinstance(value, list) else _scalar(value)


def _scalar(value: Any) -> Any:  # noqa: ANN401 - a JSON scalar
    """Return a filter's value: every number is a Decimal."""
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


# What JSON cannot say by itself; all other fields are texts.
_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "aggregation": Aggregation,
    "type": MetricType,
    "level_form": LevelForm,
    "granularity": Granularity,
    "proration": Granularity,
    "window": Granularity,
    "percentile": Decimal,
    "group_by": tuple,
    "filters": _filters,
    "denominator": _definition,
}
