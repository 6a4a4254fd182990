"""Series in memory: the points of a stream, in order of happening, brought up to date with what is new to them.

Percentiles, gauges and rates need every value, so no small state answers them. What decides the points (filters, the
value, the groups) names a series, and whatever is asked of the same points shares it. A correction in its stream makes
a series read everything again; anything else costs no more than the events that are new.
"""

import sqlite3
import threading
from bisect import insort
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.adapters.events_sqlite.corrections import corrected_until
from lotus_server.adapters.events_sqlite.row_reader import FAR_US, RowReader, Stream
from lotus_server.adapters.events_sqlite.schema import last_sequence
from lotus_server.domain.metering import (
    Aggregation,
    MetricDefinition,
    Point,
    PropertyMatch,
    Selection,
    Usage,
    compile_filters,
    needs_earlier_events,
    point_of,
    usage_of_points,
    values_of_points,
)
from lotus_server.kernel.instants import to_microseconds

# Of all series together; a point takes about 250 bytes. A series with more than that is forgotten after its answer.
POINTS_MAX: Final = 400_000
# An answer at hand looks at no more events than this for something new, which takes a fraction of a millisecond.
AT_HAND_EVENTS_MAX: Final = 500
# What a series without points counts for.
_SERIES_SIZE: Final = 10
_ANSWERS_MAX: Final = 100
_INSERTED_ONE_BY_ONE_MAX: Final = 100
_FROM_DEFINITION: Final = ("event_name", "filters", "group_by", "property_name", "expression")


class SeriesKey(msgspec.Struct, frozen=True):
    """What decides the points of a series."""

    stream: Stream
    definition: MetricDefinition
    matches: tuple[PropertyMatch, ...]


class Series:
    """The points of a stream up to `until_seq`, as they count after the correction `until_correction`."""

    def __init__(self, key: SeriesKey) -> None:
        """Start without points."""
        self.points: list[Point] = []
        self.until_seq = 0
        self.until_correction = 0
        self.lock = threading.Lock()
        self._key = key
        self._passes = compile_filters(key.definition.filters, key.matches)
        self._answers: dict[Selection, Usage] = {}

    def is_corrected(self, connection: sqlite3.Connection) -> bool:
        """Tell whether a correction has come after what was read."""
        stream = self._key.stream
        assert stream.name is not None
        return corrected_until(connection, (stream.org, stream.customer, stream.name)) > self.until_correction

    def refresh(self, rows: RowReader, connection: sqlite3.Connection) -> None:
        """Take in what is new. A read transaction that began before that of another reader finds nothing new."""
        stream = self._key.stream
        assert stream.name is not None
        correction = corrected_until(connection, (stream.org, stream.customer, stream.name))
        if correction > self.until_correction:
            self.points, self.until_seq, self._answers = [], 0, {}
        last = last_sequence(connection)
        if last > self.until_seq:
            self._merge([*self._new_points(rows, connection)])
            self.until_seq = last
        self.until_correction = max(correction, self.until_correction)

    def _new_points(self, rows: RowReader, connection: sqlite3.Connection) -> Iterator[Point]:
        for row in rows.rows(connection, self._key.stream, self.until_seq):
            properties = row.properties
            if self._passes is None or self._passes(properties):
                yield point_of(self._key.definition, properties, row.happened_us, row.seq)

    def _merge(self, new: list[Point]) -> None:
        if not new:
            return
        self._answers = {}
        new.sort(key=_place)
        if not self.points or _place(self.points[-1]) < _place(new[0]):
            self.points += new
        elif len(new) <= _INSERTED_ONE_BY_ONE_MAX:
            for point in new:
                insort(self.points, point, key=_place)
        else:
            self.points += new
            self.points.sort(key=_place)

    def usage(self, selection: Selection) -> Usage:
        """Return the answer to one of the questions that these points answer."""
        answer = self._answers.get(selection)
        if answer is None:
            if len(self._answers) >= _ANSWERS_MAX:
                self._answers = {}
            answer = self._answers[selection] = usage_of_points(selection, self.points, is_sorted=True)
        return answer

    def usage_at_hand(self, selection: Selection) -> Usage | None:
        """Return an answer that was given before, if it still holds."""
        return self._answers.get(selection)


class SeriesCache:
    """The series that were used last; every method may be called from any thread."""

    def __init__(self, rows: RowReader, points_max: int = POINTS_MAX) -> None:
        """Start with none in memory."""
        self._rows = rows
        self._points_max = points_max
        self._lock = threading.Lock()
        self._series: OrderedDict[SeriesKey, Series] = OrderedDict()
        self._sizes: dict[SeriesKey, int] = {}
        self._total = 0

    def usage(self, connection: sqlite3.Connection, org: int, selection: Selection) -> Usage:
        """Return the usage of a series. The caller has a read transaction."""
        start_us = -FAR_US if needs_earlier_events(selection.definition) else None
        with self._refreshed(connection, _key(org, selection, start_us)) as series:
            return series.usage(selection)

    def values(
        self, connection: sqlite3.Connection, org: int, selection: Selection
    ) -> list[tuple[str, tuple[Decimal, ...]]]:
        """Return the numbers of a period in order of happening, per group. The caller has a read transaction."""
        with self._refreshed(connection, _key(org, selection, None)) as series:
            return [*values_of_points(selection, series.points, is_sorted=True)]

    def usage_at_hand(self, connection: sqlite3.Connection, org: int, selection: Selection) -> Usage | None:
        """Return an answer given before if nothing can have changed it, None when finding out would take long."""
        start_us = -FAR_US if needs_earlier_events(selection.definition) else None
        with self._lock:
            series = self._series.get(_key(org, selection, start_us))
        if series is None or not series.lock.acquire(blocking=False):
            return None
        try:
            is_far = last_sequence(connection) - series.until_seq > AT_HAND_EVENTS_MAX
            if is_far or series.is_corrected(connection):
                return None
            series.refresh(self._rows, connection)
            return series.usage_at_hand(selection)
        finally:
            series.lock.release()

    @contextmanager
    def _refreshed(self, connection: sqlite3.Connection, key: SeriesKey) -> Iterator[Series]:
        """Lend a series with every point there is."""
        with self._lock:
            series = self._series.setdefault(key, Series(key))
            self._series.move_to_end(key)
        with series.lock:
            series.refresh(self._rows, connection)
            yield series
        with self._lock:
            if self._series.get(key) is series:
                size = _SERIES_SIZE + len(series.points)
                self._total += size - self._sizes.get(key, 0)
                self._sizes[key] = size
            while self._total > self._points_max:
                oldest, _ = self._series.popitem(last=False)
                self._total -= self._sizes.pop(oldest, 0)


def _key(org: int, selection: Selection, start_us: int | None) -> SeriesKey:
    """Return the key of the points between `start_us` (null: the period's start) and the period's end.

    Points from the first event on are kept whatever the period, since every later question needs them too.
    """
    definition, period = selection.definition, selection.period
    bounds = (-FAR_US, FAR_US) if start_us is not None else (to_microseconds(period.start), to_microseconds(period.end))
    takes = definition.aggregation if definition.aggregation in _VALUES else Aggregation.SUM
    deciding = {name: getattr(definition, name) for name in _FROM_DEFINITION}
    return SeriesKey(
        Stream(org, selection.customer_id, definition.event_name, *bounds),
        MetricDefinition(aggregation=takes, **deciding),
        selection.matches,
    )


# What is taken from an event depends on the aggregation only for these: nothing, or a text instead of a number.
_VALUES: Final = frozenset({Aggregation.COUNT, Aggregation.UNIQUE})


def _place(point: Point) -> tuple[int, int]:
    return (point.at_us, point.order)
