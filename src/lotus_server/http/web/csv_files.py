"""Tables as files for spreadsheets, written while they are read: a long one needs no more memory than a short one."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

_ROWS_AT_ONCE: Final = 2_000
# What a spreadsheet would take for a formula, were it the beginning of a cell.
_FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_parts(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield a table's lines, in parts. What a spreadsheet would run as a formula is kept from it."""
    lines = iter(rows)
    some: list[Sequence[object]] = [header]
    while some:
        some += islice(lines, _ROWS_AT_ONCE)
        out = io.StringIO()
        csv.writer(out).writerows([_cell(value) for value in row] for row in some)
        yield out.getvalue().encode()
        some = list(islice(lines, 1))


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_BEGINS):
        return f"'{value}"
    return value
