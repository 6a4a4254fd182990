"""Gauges: a level that lasts from one event to the next, what it was at most, at last, and times how long it lasted.

The level of a group is a step function of time that is continuous from the right: zero before the first event, then
what the events say, each from its own instant on. A `total` event sets the level, a `delta` event changes it; of
events of the same instant the later accepted one comes later. Levels carry over from before a period.
"""

from bisect import bisect_right
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.metering.definition import Granularity, LevelForm, MetricDefinition
from lotus_server.domain.metering.units import LENGTHS_US, STEPPED, steps_us
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import EXACT, ONE, ZERO, share

_FOREVER: Final = 1 << 62


def levels_after(form: LevelForm, values: list[Decimal]) -> list[Decimal]:
    """Return the level after each event, from the events' values in order of happening."""
    if form is LevelForm.TOTAL:
        return values
    level, levels = ZERO, []
    for value in values:
        level = EXACT.add(level, value)
        levels.append(level)
    return levels


class Course(msgspec.Struct, frozen=True):
    """How a level went from `start_us` to `end_us`: what it was before, and each change with the level after it."""

    start_us: int
    end_us: int
    carried: Decimal
    times_us: list[int]
    levels: list[Decimal]


def greatest_level(course: Course) -> Decimal:
    """Return the greatest level that held or was reported.

    The level from before counts, unless an event happened at the very start and so ended it.
    """
    greatest = max(course.levels, default=course.carried)
    is_replaced = bool(course.times_us) and course.times_us[0] == course.start_us
    return greatest if is_replaced else max(greatest, course.carried)


def latest_level(course: Course) -> Decimal:
    """Return the level at the end."""
    return course.levels[-1] if course.levels else course.carried


class Weighing:
    """How the level of a gauge is weighed by time, for one definition and one billing cycle.

    For each unit of the granularity it is the integral of the level over the part of the unit that lies in the course,
    divided by the length of the whole unit. With a proration the level is first replaced, on each such bucket cut to
    the unit and the course, by its greatest level there. Units of equal length are divided together, once.
    """

    def __init__(self, definition: MetricDefinition, cycle: Period, end_us: int) -> None:
        """Know the units of a definition, for courses that end at `end_us` or before."""
        assert definition.granularity is not None, "a level is weighed in units of time"
        self._units = _Units(definition.granularity, cycle, end_us)
        self._buckets = None if definition.proration is None else _Units(definition.proration, cycle, end_us)

    def weigh(self, course: Course) -> Decimal:
        """Return the level times how long it lasted, in units of the granularity."""
        products: dict[int, Decimal] = {}
        pieces = _pieces(course) if self._buckets is None else self._pieces_of_buckets(course, self._buckets)
        for start, end, level in pieces:
            for part_us, length_us in self._units.parts(start, end):
                product = EXACT.multiply(level, Decimal(part_us))
                products[length_us] = EXACT.add(products.get(length_us, ZERO), product)
        weighed = ZERO
        for length_us, product in products.items():
            weighed = EXACT.add(weighed, share(product, ONE, Decimal(length_us)))
        return weighed

    def _pieces_of_buckets(self, course: Course, buckets: "_Units") -> Iterator[tuple[int, int, Decimal]]:
        """Yield stretches of one level each, where a bucket with an event has its greatest level throughout.

        Buckets without an event in a row are one stretch, so a long silence costs nothing.
        """
        times, levels = course.times_us, course.levels
        place, level, index = course.start_us, course.carried, 0
        while index < len(times):
            start, end = course.start_us, course.end_us
            for units in (self._units, buckets):
                first, last = units.around(times[index])
                start, end = max(start, first), min(end, last)
            if place < start:
                yield place, start, level
            greatest = levels[index] if times[index] == start else max(level, levels[index])
            while index < len(times) and times[index] < end:
                level = levels[index]
                greatest = max(greatest, level)
                index += 1
            yield start, end, greatest
            place = end
        if place < course.end_us:
            yield place, course.end_us, level


def _pieces(course: Course) -> Iterator[tuple[int, int, Decimal]]:
    """Yield the stretches on which the level stands still."""
    place, level = course.start_us, course.carried
    for at, following in zip(course.times_us, course.levels, strict=True):
        if place < at and level:
            yield place, at, level
        place, level = at, following
    if place < course.end_us and level:
        yield place, course.end_us, level


class _Units:
    """The units of one granularity.

    Days and shorter ones are those of UTC; weeks and longer ones follow each other from the start of the cycle;
    `total` is one unit, as long as the cycle.
    """

    def __init__(self, granularity: Granularity, cycle: Period, end_us: int) -> None:
        self._length_us: int | None = None  # of every unit, where all are equal
        self._bounds: list[int] = []
        self._is_total = granularity is Granularity.TOTAL
        self._cycle, self._granularity, self._end_us = cycle, granularity, end_us
        if self._is_total:
            self._length_us = cycle.microseconds
        elif granularity in LENGTHS_US:
            self._length_us = LENGTHS_US[granularity]
        self._offset_us = to_microseconds(cycle.start) if granularity is Granularity.WEEK else 0

    def around(self, at_us: int) -> tuple[int, int]:
        """Return the bounds of the unit that an instant lies in."""
        if self._is_total:
            return -_FOREVER, _FOREVER
        if self._length_us is not None:
            start = at_us - (at_us - self._offset_us) % self._length_us
            return start, start + self._length_us
        bounds = self._bounds_from(at_us)
        place = bisect_right(bounds, at_us)
        return bounds[place - 1], bounds[place]

    def parts(self, start_us: int, end_us: int) -> Iterator[tuple[int, int]]:
        """Yield the parts of a stretch that lie in units of different length, each with that length."""
        if self._length_us is not None:
            yield end_us - start_us, self._length_us
            return
        bounds = self._bounds_from(start_us)
        place = bisect_right(bounds, start_us)
        while start_us < end_us:
            until = min(end_us, bounds[place])
            yield until - start_us, bounds[place] - bounds[place - 1]
            start_us, place = until, place + 1

    def _bounds_from(self, at_us: int) -> list[int]:
        """Return the bounds of all units from the one around `at_us` to the end of the course."""
        if not self._bounds or at_us < self._bounds[0]:
            self._bounds = steps_us(self._cycle.start, STEPPED[self._granularity], at_us, self._end_us)
        return self._bounds
