"""Charts: what is drawn in the browser from exact numbers, and small curves that need no script."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

_WIDTH: Final = 200
_HEIGHT: Final = 40
_MARGIN: Final = 3


class Series(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row of values, one for each place on the axis. `color` is one of Tabler's names.

    A `transparent` one lifts what is stacked on it, and is named nowhere.
    """

    name: str
    data: list[Decimal | None]
    color: str = ""
    is_step: bool = False
    is_dashed: bool = False


class Chart(msgspec.Struct, frozen=True, omit_defaults=True):
    """A chart: its kind, what stands along its axis, and its values.

    `rows` are horizontal bars. With `x_kind` number the places on the axis are numbers, and lie as far apart as these.
    """

    kind: Literal["line", "area", "bar", "rows", "pie"]
    x: list[str]
    series: list[Series]
    currency: str = ""
    unit: str = ""
    x_kind: Literal["name", "number"] = "name"
    is_stacked: bool = False

    @property
    def json(self) -> str:
        """Return the data block: JSON that cannot end the element it stands in. Numbers are texts, and so exact."""
        text = msgspec.json.encode({**_fields(self), "series": [_fields(each) for each in self.series]}).decode()
        return text.replace("<", "\\u003c")


def _fields(value: msgspec.Struct) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(value)
    return fields


def sparkline_points(values: Sequence[Decimal | int]) -> str:
    """Return the points of a small curve within a box of 200 by 40, as SVG writes them."""
    if len(values) < 2:
        return ""
    numbers = [float(value) for value in values]
    low, high = min(numbers), max(numbers)
    room = _HEIGHT - 2 * _MARGIN
    step = _WIDTH / (len(numbers) - 1)
    heights = [_HEIGHT - _MARGIN - (room * (value - low) / (high - low) if high > low else 0) for value in numbers]
    return " ".join(f"{index * step:.1f},{height:.1f}" for index, height in enumerate(heights))
