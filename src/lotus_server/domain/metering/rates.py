"""Rates: the greatest aggregate of any stretch of time of one length."""

from collections import Counter, deque
from collections.abc import Callable
from decimal import Decimal
from typing import Final, Protocol

from lotus_server.domain.metering.definition import Aggregation, MetricDefinition
from lotus_server.domain.metering.units import LENGTHS_US
from lotus_server.kernel.quantity import EXACT, ONE, ZERO, share


def greatest_rate(definition: MetricDefinition, times_us: list[int], values: list[Decimal | str]) -> Decimal | None:
    """Return the greatest aggregate over the stretches that end with an event; None when there is no event.

    A stretch that ends at `t` has the events after `t` - granularity, up to and including all of `t`. The events are
    given in order of happening.
    """
    assert definition.granularity is not None, "a rate has the length of its stretches"
    length_us = LENGTHS_US[definition.granularity]
    stretch = _STRETCHES[definition.aggregation](values)
    greatest: Decimal | None = None
    first = 0
    for index, at in enumerate(times_us):
        stretch.take(index)
        if index + 1 < len(times_us) and times_us[index + 1] == at:
            continue
        while times_us[first] <= at - length_us:
            stretch.drop(first)
            first += 1
        value = stretch.value()
        greatest = value if greatest is None else max(greatest, value)
    return greatest


class _Stretch(Protocol):
    """The aggregate of the events taken and not yet dropped; they are dropped in the order in which they are taken."""

    def take(self, index: int) -> None: ...

    def drop(self, index: int) -> None: ...

    def value(self) -> Decimal: ...


class _Sum:
    """The sum of numbers."""

    def __init__(self, values: list[Decimal | str]) -> None:
        self._values = values
        self._sum = ZERO

    def take(self, index: int) -> None:
        value = self._values[index]
        assert isinstance(value, Decimal)
        self._sum = EXACT.add(self._sum, value)

    def drop(self, index: int) -> None:
        value = self._values[index]
        assert isinstance(value, Decimal)
        self._sum = EXACT.subtract(self._sum, value)

    def value(self) -> Decimal:
        return self._sum


class _Average:
    """The average of numbers."""

    def __init__(self, values: list[Decimal | str]) -> None:
        self._sum = _Sum(values)
        self._count = 0

    def take(self, index: int) -> None:
        self._sum.take(index)
        self._count += 1

    def drop(self, index: int) -> None:
        self._sum.drop(index)
        self._count -= 1

    def value(self) -> Decimal:
        return share(self._sum.value(), ONE, Decimal(self._count))


class _Unique:
    """The number of distinct texts."""

    def __init__(self, values: list[Decimal | str]) -> None:
        self._values = values
        self._counts: Counter[Decimal | str] = Counter()

    def take(self, index: int) -> None:
        self._counts[self._values[index]] += 1

    def drop(self, index: int) -> None:
        value = self._values[index]
        self._counts[value] -= 1
        if not self._counts[value]:
            del self._counts[value]

    def value(self) -> Decimal:
        return Decimal(len(self._counts))


class _Extreme:
    """The greatest or least number: a queue of those that can still become it, the present one first."""

    def __init__(self, values: list[Decimal | str], pick: Callable[[Decimal, Decimal], Decimal]) -> None:
        self._values = values
        self._pick = pick
        self._queue: deque[tuple[int, Decimal]] = deque()

    def take(self, index: int) -> None:
        value = self._values[index]
        assert isinstance(value, Decimal)
        while self._queue and self._pick(self._queue[-1][1], value) == value:
            self._queue.pop()
        self._queue.append((index, value))

    def drop(self, index: int) -> None:
        if self._queue[0][0] == index:
            self._queue.popleft()

    def value(self) -> Decimal:
        return self._queue[0][1]


_STRETCHES: Final[dict[Aggregation, Callable[[list[Decimal | str]], _Stretch]]] = {
    Aggregation.COUNT: _Sum,  # each event counts as one
    Aggregation.SUM: _Sum,
    Aggregation.AVERAGE: _Average,
    Aggregation.UNIQUE: _Unique,
    Aggregation.MAX: lambda values: _Extreme(values, max),
    Aggregation.MIN: lambda values: _Extreme(values, min),
}
