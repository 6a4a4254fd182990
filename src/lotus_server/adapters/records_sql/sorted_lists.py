"""Reading a part of a sorted list: a place, and the rows on one side of it.

A list is made of segments, one after the other: the rows that have the value that it is sorted by, then those that have
none. So each segment is read in the order of an index, and nothing is sorted that is not shown.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, null, tuple_

from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.instants import from_microseconds
from lotus_server.ports.listing import Count, Part, Place, Slice

Value = TypeVar("Value")
COUNTED_MAX = 10_000


class Segment(msgspec.Struct, frozen=True):
    """Rows in the order of a value, then of their key, both ascending or both descending.

    `value` null: in the order of their key alone. `read` makes of a value's text what it is compared with; it raises
    ValueError for a text that is none.
    """

    query: Select[Any]
    key: ColumnElement[str]
    value: ColumnElement[Any] | None = None
    is_descending: bool = False
    read: Callable[[str], object] = str


def instant_from_text(text: str) -> int:
    """Return the microseconds of a place's value. Raises ValueError for what is no instant."""
    microseconds = int(text)
    try:
        from_microseconds(microseconds)
    except OverflowError:
        raise ValueError(text) from None
    return microseconds


def read_part(
    connection: Connection,
    segments: Sequence[Segment],
    wanted: Slice,
    parameters: dict[str, Any],
    from_row: Callable[[Sequence[Any]], Value],
) -> Part[Value]:
    """Return a slice of a list. Raises Invalid for a place that no row can have."""
    rows: list[tuple[Value, Place]] = []
    is_reached = wanted.place is None
    for segment in reversed(segments) if wanted.is_backward else segments:
        place = None
        if not is_reached:
            assert wanted.place is not None, "else it is reached"
            if (segment.value is None) != (wanted.place.value is None):
                continue
            is_reached, place = True, wanted.place
        query = _stretch(segment, place, is_backward=wanted.is_backward).limit(wanted.limit + 1 - len(rows))
        rows += [_read(segment, row, from_row) for row in connection.execute(query, parameters)]
        if len(rows) > wanted.limit:
            break
    if not is_reached:
        raise _not_ours()
    return _part(rows, wanted)


def count_up_to(connection: Connection, query: Select[Any], parameters: dict[str, Any]) -> Count:
    """Return how many rows a query that counts a limited subquery finds."""
    number: int = connection.execute(query, parameters).scalar_one()
    return Count(min(number, COUNTED_MAX), is_exact=number <= COUNTED_MAX)


def _stretch(segment: Segment, place: Place | None, *, is_backward: bool) -> Select[Any]:
    columns = [segment.key] if segment.value is None else [segment.value, segment.key]
    goes_down = segment.is_descending != is_backward
    query = segment.query.order_by(*(each.desc() if goes_down else each.asc() for each in columns))
    query = query.add_columns(segment.key, null() if segment.value is None else segment.value)
    if place is None:
        return query
    at: list[Any] = [place.key]
    if place.value is not None:
        try:
            at = [segment.read(place.value), place.key]
        except ValueError:
            raise _not_ours() from None
    there = tuple_(*columns)
    return query.where(there < tuple_(*at) if goes_down else there > tuple_(*at))


def _read(segment: Segment, row: Sequence[Any], from_row: Callable[[Sequence[Any]], Value]) -> tuple[Value, Place]:
    """Return a row with its place, which its last two columns say."""
    *columns, key, value = row
    return from_row(columns), Place(None if segment.value is None else str(value), key)


def _part(rows: list[tuple[Value, Place]], wanted: Slice) -> Part[Value]:
    shown, has_more = rows[: wanted.limit], len(rows) > wanted.limit
    came_from = wanted.place is not None
    if wanted.is_backward:
        shown.reverse()
    if not shown:
        return Part(())
    has_before, has_after = (has_more, came_from) if wanted.is_backward else (came_from, has_more)
    return Part(
        tuple(row for row, _ in shown),
        before=shown[0][1] if has_before else None,
        after=shown[-1][1] if has_after else None,
    )


def _not_ours() -> Invalid:
    return Invalid.field("cursor", "invalid", "The cursor is not one of ours.")
