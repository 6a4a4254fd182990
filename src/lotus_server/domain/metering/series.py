"""Series: what no small running state can answer, computed from all of an event stream's points.

These are percentiles, which need every value, gauges, whose level carries over from before the period, and rates,
which look at every stretch of the period. A store keeps or reads the points of the selection's stream (those events
that pass the filters) and asks here.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.metering.aggregates import Usage, nothing, sum_of, whole_of_groups
from lotus_server.domain.metering.definition import Aggregation, MetricDefinition, MetricType, Selection
from lotus_server.domain.metering.groups import UNGROUPED, key_in_window, values_key
from lotus_server.domain.metering.levels import Course, Weighing, greatest_level, latest_level, levels_after
from lotus_server.domain.metering.properties import Properties
from lotus_server.domain.metering.rates import greatest_rate
from lotus_server.domain.metering.units import window_end_us, window_start_us
from lotus_server.domain.metering.values import value_of
from lotus_server.kernel.instants import to_microseconds
from lotus_server.kernel.quantity import EXACT, ZERO

_HUNDRED: Final = Decimal(100)


class Point(msgspec.Struct, frozen=True):
    """What a series needs of one event that passed the filters.

    `at_us` is when it happened, in microseconds since 1970; `order` its acceptance number; `group` the key of its
    grouped properties, without a window; `value` its value, None when it has no usable one.
    """

    at_us: int
    order: int
    group: str
    value: Decimal | str | None


def is_series(definition: MetricDefinition) -> bool:
    """Tell whether a metric is answered from points, not from running states."""
    if definition.type is MetricType.COUNTER:
        return definition.aggregation is Aggregation.PERCENTILE
    return definition.type in {MetricType.GAUGE, MetricType.RATE}


def has_states(definition: MetricDefinition) -> bool:
    """Tell whether a metric is answered from running states, one event after the other; of a ratio its parts are."""
    return definition.type is MetricType.COUNTER and not is_series(definition)


def needs_earlier_events(definition: MetricDefinition) -> bool:
    """Tell whether events from before the period take part: the level of a gauge carries over."""
    return definition.type is MetricType.GAUGE


def point_of(definition: MetricDefinition, properties: Properties, at_us: int, order: int) -> Point:
    """Return the point of an event that passed the filters."""
    return Point(at_us, order, values_key(definition.group_by, properties), value_of(definition, properties))


def usage_of_points(selection: Selection, points: Iterable[Point], *, is_sorted: bool = False) -> Usage:
    """Return the usage of a series over its period.

    `points` are those of the selection's stream that passed the filters, in any order (`is_sorted`: by time, then by
    acceptance). For a gauge they reach back to the first event; for others only those of the period matter. What lies
    at or after the period's end is left out.

    A group is shown when it has an event in the period or a level other than zero at its start; so is a window. The
    whole of a gauge weighed by time is the sum of its groups, of a rate and of what is picked the group that wins, of a
    percentile that of all values. With windows the whole is the sum of what the windows are on their own.
    """
    definition = selection.definition
    assert is_series(definition), "other metrics are running aggregates"
    measuring = _Measuring(selection)
    tracks = measuring.tracks(points if is_sorted else _in_order(points))
    if definition.window is None:
        return measuring.usage(tracks, measuring.start_us, measuring.end_us)
    shown: dict[int, list[_Track]] = {}
    for track in tracks:
        for start in track.windows(measuring):
            shown.setdefault(start, []).append(track)
    groups: dict[str, Usage] = {}
    values = []
    for start, members in shown.items():
        first, last = measuring.window(start)
        usage = measuring.usage(members, first, last)
        values.append(usage.value)
        parts = usage.groups if definition.group_by else {UNGROUPED: usage}
        groups |= {key_in_window(start, key): part for key, part in parts.items()}
    return whole_of_groups(dict(sorted(groups.items())), sum_of(definition, values))


def values_of_points(
    selection: Selection, points: Iterable[Point], *, is_sorted: bool = False
) -> tuple[tuple[str, tuple[Decimal, ...]], ...]:
    """Return the numbers of a period's points in order of happening, per key of a group (with its window).

    This works for every metric that takes a value from each event; events without a usable one are left out, and so are
    the texts of `unique`.
    """
    definition, period = selection.definition, selection.period
    start_us, end_us = to_microseconds(period.start), to_microseconds(period.end)
    found: dict[str, list[Decimal]] = {}
    left_out = selection.leaves_out
    for point in points if is_sorted else _in_order(points):
        if start_us <= point.at_us < end_us and not left_out(point.at_us) and isinstance(point.value, Decimal):
            key = point.group
            if definition.window is not None:
                key = key_in_window(window_start_us(definition.window, point.at_us), key)
            found.setdefault(key, []).append(point.value)
    return tuple((key, tuple(values)) for key, values in sorted(found.items()))


def _in_order(points: Iterable[Point]) -> list[Point]:
    return sorted(points, key=lambda point: (point.at_us, point.order))


class _Track:
    """The events of one group in order of happening: times and values of the usable ones, times of the others.

    The values of a gauge are its levels.
    """

    def __init__(self, group: str) -> None:
        self.group = group
        self.times_us: list[int] = []
        self.orders: list[int] = []
        self.values: list[Decimal | str] = []
        self.skipped_us: list[int] = []

    def add(self, point: Point) -> None:
        """Take the next point."""
        if point.value is None:
            self.skipped_us.append(point.at_us)
        else:
            self.times_us.append(point.at_us)
            self.orders.append(point.order)
            self.values.append(point.value)

    def between(self, start_us: int, end_us: int) -> slice:
        """Return the places of the usable events of a stretch of time."""
        return slice(bisect_left(self.times_us, start_us), bisect_left(self.times_us, end_us))

    def numbers(self, places: slice) -> list[Decimal]:
        """Return the values at some places, which are numbers."""
        return [value for value in self.values[places] if isinstance(value, Decimal)]

    def level_before(self, place: int) -> Decimal:
        """Return the level that a gauge had before the event at a place."""
        level = self.values[place - 1] if place else ZERO
        assert isinstance(level, Decimal)
        return level

    def last_before(self, end_us: int) -> tuple[int, int] | None:
        """Return time and acceptance of the last usable event before an instant."""
        place = bisect_left(self.times_us, end_us)
        return (self.times_us[place - 1], self.orders[place - 1]) if place else None

    def course(self, start_us: int, end_us: int) -> Course:
        """Return how the level of a gauge went."""
        places = self.between(start_us, end_us)
        carried = self.level_before(places.start)
        return Course(start_us, end_us, carried, self.times_us[places], self.numbers(places))

    def windows(self, measuring: "_Measuring") -> Iterator[int]:
        """Yield the starts of the windows in which the group is shown."""
        window = measuring.definition.window
        assert window is not None
        at = measuring.start_us
        while at < measuring.end_us:
            if not (measuring.is_gauge and self.level_before(bisect_left(self.times_us, at))):
                following = (times[bisect_left(times, at) :][:1] for times in (self.times_us, self.skipped_us))
                at = min((first for each in following for first in each), default=measuring.end_us)
            if at < measuring.end_us:
                start = window_start_us(window, at)
                yield start
                at = window_end_us(window, start)


class _Measuring:
    """How a selection's groups are measured."""

    def __init__(self, selection: Selection) -> None:
        definition = self.definition = selection.definition
        self._selection = selection
        self.start_us = to_microseconds(selection.period.start)
        self.end_us = to_microseconds(selection.period.end)
        self.is_gauge = definition.type is MetricType.GAUGE
        self._value: Callable[[_Track, int, int], Decimal | None]
        if definition.is_time_weighted:
            weighing = Weighing(definition, selection.cycle or selection.period, self.end_us)
            self._value = lambda track, start, end: weighing.weigh(track.course(start, end))
        elif self.is_gauge:
            level = greatest_level if definition.aggregation is Aggregation.MAX else latest_level
            self._value = lambda track, start, end: level(track.course(start, end))
        elif definition.type is MetricType.RATE:
            self._value = self._rate
        else:
            self._value = lambda track, start, end: self._percentile(track.numbers(track.between(start, end)))

    def window(self, start_us: int) -> tuple[int, int]:
        """Return the bounds of a window, cut to the period."""
        assert self.definition.window is not None
        return max(self.start_us, start_us), min(self.end_us, window_end_us(self.definition.window, start_us))

    def tracks(self, points: Iterable[Point]) -> list[_Track]:
        """Return the groups of sorted points that have to do with the period."""
        found: dict[str, _Track] = {}
        for point in points:
            if point.at_us < self.end_us and (self.is_gauge or self._counts(point)):
                track = found.get(point.group)
                if track is None:
                    track = found[point.group] = _Track(point.group)
                track.add(point)
        tracks = [found[group] for group in sorted(found)]
        if self.is_gauge:
            for track in tracks:
                track.values = [*levels_after(self.definition.level_form, track.numbers(slice(None)))]
        return tracks

    def _counts(self, point: Point) -> bool:
        return point.at_us >= self.start_us and not self._selection.leaves_out(point.at_us)

    def usage(self, tracks: list[_Track], start_us: int, end_us: int) -> Usage:
        """Return the usage of some groups in a stretch of time, without windows."""
        if not self.definition.group_by:
            return self._usage_of(tracks[0], start_us, end_us) if tracks else Usage(nothing(self.definition), 0, 0)
        shown = [track for track in tracks if self._is_shown(track, start_us, end_us)]
        groups = {track.group: self._usage_of(track, start_us, end_us) for track in shown}
        return whole_of_groups(groups, self._whole(shown, groups, start_us, end_us))

    def _is_shown(self, track: _Track, start_us: int, end_us: int) -> bool:
        places = track.between(start_us, end_us)
        has_events = places.start < places.stop or _count(track.skipped_us, start_us, end_us) > 0
        return has_events or (self.is_gauge and track.level_before(places.start) != 0)

    def _usage_of(self, track: _Track, start_us: int, end_us: int) -> Usage:
        places = track.between(start_us, end_us)
        has_value = places.stop > 0 if self.is_gauge else places.start < places.stop
        return Usage(
            self._value(track, start_us, end_us) if has_value else nothing(self.definition),
            places.stop - places.start,
            _count(track.skipped_us, start_us, end_us),
            track.times_us[places.stop - 1] if places.start < places.stop else None,
        )

    def _whole(self, tracks: list[_Track], groups: dict[str, Usage], start_us: int, end_us: int) -> Decimal | None:
        values = [usage.value for usage in groups.values() if usage.value is not None]
        if not values:
            return nothing(self.definition)
        if self.definition.is_time_weighted:
            return sum_of(self.definition, [*values])
        if self.definition.aggregation is Aggregation.PERCENTILE:
            slices = [track.numbers(track.between(start_us, end_us)) for track in tracks]
            return self._percentile([number for numbers in slices for number in numbers])
        if self.definition.aggregation is Aggregation.LATEST:
            lasts = [(track.last_before(end_us), track.group) for track in tracks]
            return groups[max((last, group) for last, group in lasts if last is not None)[1]].value
        return max(values)

    def _rate(self, track: _Track, start_us: int, end_us: int) -> Decimal | None:
        places = track.between(start_us, end_us)
        return greatest_rate(self.definition, track.times_us[places], track.values[places])

    def _percentile(self, numbers: list[Decimal]) -> Decimal | None:
        """Return the nearest rank: the smallest value such that at least so many percent are not greater."""
        assert self.definition.percentile is not None
        whole, rest = EXACT.divmod(EXACT.multiply(self.definition.percentile, Decimal(len(numbers))), _HUNDRED)
        return sorted(numbers)[int(whole) - (not rest)]


def _count(times_us: list[int], start_us: int, end_us: int) -> int:
    return bisect_left(times_us, end_us) - bisect_left(times_us, start_us)
