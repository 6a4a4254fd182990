"""Tables: the rows of a CSV file and what their cells become in the JSON of the API."""

import csv
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec

from lotus_server.domain.imports import PROBLEMS_COLUMN, ROW_BYTES_MAX, ImportKind, Layout, Place
from lotus_server.usecases.import_reading import FileRow
from lotus_server.wire.import_lines import Line, Lines

NOT_UTF8: Final = "The row is not UTF-8. Save the file as UTF-8; programs also call it Unicode."
_OPEN_QUOTE: Final = "A quotation mark is opened and not closed, or closed in the midst of a cell."
_ROW_LINES_MAX: Final = 1_000
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_NUMBER_WITH_COMMA: Final = re.compile(r"-?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:\.[0-9]{3})+)(?:,[0-9]+)?")
_WORDS: Final = {"true": True, "false": False, "TRUE": True, "FALSE": False, "True": True, "False": False}
_FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBERS: Final = frozenset({"tax_rate"})

Record = tuple[list[str], Line, str | None]
"""The cells of a row, its last line, and what is wrong with it."""


def records(lines: Lines, delimiter: str) -> Iterator[tuple[Line, Record]]:
    """Yield each row of a table with its first line; blank lines are none.

    After a quotation mark that is never closed, reading goes on with the very next line: one such line must not take
    the rest of the file with it.
    """
    for line in lines:
        if line.problem is not None:
            yield line, ([], line, line.problem)
            continue
        content = line.content.removesuffix(b"\r")
        if not content.strip():
            continue
        if b'"' in content:
            yield line, _quoted(line, lines, delimiter)
            continue
        try:
            yield line, (content.decode().split(delimiter), line, None)
        except UnicodeDecodeError:
            yield line, ([], line, NOT_UTF8)


def _quoted(first: Line, lines: Lines, delimiter: str) -> Record:
    """Return the row that begins with a line in which something is quoted; it may go over several lines."""
    taken: list[Line] = []

    def texts() -> Iterator[str]:
        size, line = 0, first
        while size <= ROW_BYTES_MAX and len(taken) < _ROW_LINES_MAX and line.problem is None:
            taken.append(line)
            size += len(line.content)
            yield f"{line.content.decode()}\n"
            following = next(lines, None)
            if following is None:
                return
            line = following
            if size > ROW_BYTES_MAX or len(taken) >= _ROW_LINES_MAX or line.problem is not None:
                lines.put_back([line])

    try:
        cells = next(csv.reader(texts(), delimiter=delimiter, strict=True))
    except UnicodeDecodeError:
        problem = NOT_UTF8
    except (csv.Error, StopIteration):
        problem = _OPEN_QUOTE
    else:
        return cells, taken[-1], None
    lines.put_back(taken[1:])
    return [], first, problem


def table_rows(kind: ImportKind, layout: Layout, place: Place, lines: Lines) -> Iterator[FileRow]:
    """Yield the rows of a table from a place on."""
    to_payload = _payloads(kind, layout)
    width, number = len(layout.columns), place.rows_read
    was_refused = any(column.name == PROBLEMS_COLUMN for column in layout.columns)
    for first, (taken, last, found) in records(lines, layout.delimiter):
        number += 1
        problem = found
        cells = [_without_mark(cell) for cell in taken] if was_refused else taken
        if problem is None and len(cells) != width:
            problem = f"The row has {len(cells)} cells, but the header names {width} columns."
        end = Place(last.end, last.number, number)
        payload = None if problem is not None else to_payload(cells)
        yield FileRow(number, first.number, end, payload, problem, first.content, cells)


def _payloads(kind: ImportKind, layout: Layout) -> Callable[[list[str]], dict[str, Any]]:
    """Return what makes a row's cells the JSON of the API. A blank cell says nothing."""
    plan = [(at, each.field, each.is_text) for at, each in enumerate(layout.columns) if each.field is not None]
    whole = [(at, field) for at, field, _ in plan if "." not in field]
    within = [(at, field.split(".", 1), is_text) for at, field, is_text in plan if "." in field]
    number = number_with_comma if layout.decimal_comma else number_with_point
    as_value = _raw_value if kind is ImportKind.EVENTS else _value

    def to_payload(cells: list[str]) -> dict[str, Any]:
        payload: dict[str, Any] = {}
        for at, field in whole:
            cell = cells[at].strip()
            if cell:
                payload[field] = (number(cell) or cell) if field in _NUMBERS else cell
        for at, (group, name), is_text in within:
            cell = cells[at].strip()
            if cell:
                is_free = group == "properties" and not is_text
                payload.setdefault(group, {})[name] = as_value(cell, number) if is_free else cell
        return payload

    return to_payload


def as_text_cell(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe says that a text follows. Numbers stay."""
    is_formula = cell.startswith(_FORMULA_BEGINS) and _NUMBER.fullmatch(cell) is None
    return f"'{cell}" if is_formula else cell


def _without_mark(cell: str) -> str:
    """Return a cell of a file of refused rows as it was."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA_BEGINS) else cell


def number_with_point(cell: str) -> str | None:
    """Return a number as JSON writes it, null when a cell is none: 007 and +1 are texts."""
    return cell if _NUMBER.fullmatch(cell) else None


def number_with_comma(cell: str) -> str | None:
    """Return a number such as 1.234,50 as JSON writes it, null when a cell is none."""
    if _NUMBER_WITH_COMMA.fullmatch(cell) is None:
        return None
    return cell.replace(".", "").replace(",", ".")


def _value(cell: str, number: Callable[[str], str | None]) -> object:
    """Return the value of a property: a number or a truth where a cell looks like one, exactly as it stands there."""
    found = number(cell)
    if found is None:
        return _WORDS.get(cell, cell)
    return Decimal(found) if "." in found or len(found) > 31 else int(found)


def _raw_value(cell: str, number: Callable[[str], str | None]) -> object:
    """Return the same, for a text of JSON."""
    found = number(cell)
    return _WORDS.get(cell, cell) if found is None else msgspec.Raw(found.encode())
