"""Lists that are filtered, sorted and paged in both directions: what they share on a page."""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import msgspec

from lotus_server.http.web.visit import Visit
from lotus_server.ports.listing import Part, Slice
from lotus_server.wire.lists import Query, place_text

Row = TypeVar("Row")
EXPORT_ROWS_MAX: Final = 1_000_000
_EXPORT_SLICE: Final = 5_000


class Ways(msgspec.Struct, frozen=True):
    """The addresses of the rows before and after those that are shown, null where there are none."""

    back: str | None
    on: str | None


def asked_of(visit: Visit) -> Query:
    """Return the query of an address; a field that was left blank asks for nothing."""
    return {name: value for name, value in visit.query.items() if value.strip()}


def ways_of(visit: Visit, part: Part[Row]) -> Ways:
    """Return where the pager of a list leads."""
    back = None if part.before is None else visit.here(back=place_text(part.before), cursor=None)
    on = None if part.after is None else visit.here(cursor=place_text(part.after), back=None)
    return Ways(back, on)


def all_rows(read: Callable[[Slice], Part[Row]]) -> Iterator[Row]:
    """Yield a whole list, up to 1,000,000 rows, read in large portions, each as it is when it is reached."""
    wanted = Slice(_EXPORT_SLICE)
    for _ in range(EXPORT_ROWS_MAX // _EXPORT_SLICE):
        part = read(wanted)
        yield from part.rows
        if part.after is None:
            return
        wanted = Slice(_EXPORT_SLICE, part.after)
