"""Imports on the wire, and refused rows as a file."""

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, Final

from pydantic import Field

from lotus_server.domain.accounts import Author
from lotus_server.domain.imports import (
    PROBLEMS_COLUMN,
    ROW_COLUMN,
    Column,
    Existing,
    Import,
    ImportKind,
    RefusedRow,
)
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.usecases.import_preview import Preview
from lotus_server.usecases.imports import ImportChange, ImportDraft
from lotus_server.wire.forms import Form, Text, choice, read, required
from lotus_server.wire.import_tables import as_text_cell

Row = dict[str, Any]

_EXISTING: Final = {each.value: each for each in Existing}
_KINDS: Final = {each.value: each for each in ImportKind}
_SHARE: Final = Decimal("0.0001")
_WHOLE: Final = Decimal(1)


class ImportForm(Form):
    """A file that is going to be sent."""

    kind: Text = Field(None, description="customers or events; required.")
    file_name: Text = Field(None, description="What the file is called, for people.")
    existing: Text = Field(None, description="leave or change: what becomes of customers that exist; leave.")


class ColumnForm(Form):
    """Where a column of a table goes."""

    name: Text = Field(None, description="The column's name in the header; required.")
    field: Text = Field(None, description="A field of the API, such as address.city or properties.plan; null: nowhere.")
    is_text: bool | None = Field(None, description="Whether cells of a property stay texts that look like numbers.")


class ImportChangeForm(Form):
    """What is to be different about an import."""

    existing: Text = Field(None, description="leave or change.")
    decimal_comma: bool | None = Field(None, description="Whether 12,5 is a number.")
    columns: list[ColumnForm] | None = Field(None, description="Columns that go elsewhere; the others stay.")


def import_draft(payload: object, author: Author) -> ImportDraft:
    """Return the draft that a body describes, with the problems found in it. Raises Invalid for what is no object."""
    problems = Problems()
    form = read(ImportForm, payload, problems)
    required(problems, "kind", form.kind)
    return ImportDraft(
        choice(problems, "kind", form.kind, _KINDS, ImportKind.CUSTOMERS),
        form.file_name or "file",
        author,
        choice(problems, "existing", form.existing, _EXISTING, Existing.LEAVE),
        problems.found,
    )


def import_change(payload: object) -> ImportChange:
    """Return the change that a body describes, with the problems found in it. Raises Invalid for what is no object."""
    problems = Problems()
    form = read(ImportChangeForm, payload, problems)
    existing = None if form.existing is None else choice(problems, "existing", form.existing, _EXISTING, Existing.LEAVE)
    columns = None
    if form.columns is not None:
        columns = tuple(
            Column(required(problems, f"columns[{at}].name", each.name), each.field or None, each.is_text or False)
            for at, each in enumerate(form.columns)
        )
    return ImportChange(existing, form.decimal_comma, columns, problems.found)


def import_row(import_: Import) -> Row:
    """Return an import. `share_read` is from 0 to 1; `seconds_left` null while nothing is known."""
    layout, tally, author = import_.layout, import_.tally, import_.author
    rate, left = import_.rows_per_second, import_.seconds_left
    return {
        "import_id": import_.import_id,
        "kind": import_.kind.value,
        "state": import_.state.value,
        "file_name": import_.file_name,
        "author": {"type": author.kind.value, "id": author.author_id, "name": author.name},
        "existing": import_.existing.value,
        "is_check": import_.is_check,
        "format": None if layout is None else layout.format.value,
        "delimiter": None if layout is None or not layout.columns else layout.delimiter,
        "decimal_comma": layout is not None and layout.decimal_comma,
        "columns": [
            {"name": each.name, "field": each.field, "is_text": each.is_text}
            for each in (() if layout is None else layout.columns)
        ],
        "bytes_total": import_.bytes_total,
        "bytes_read": import_.place.bytes_read,
        "lines_total": import_.lines_total,
        "rows_read": import_.place.rows_read,
        "rows_made": tally.made,
        "rows_changed": tally.changed,
        "rows_unchanged": tally.unchanged,
        "rows_refused": tally.refused,
        "share_read": import_.share_read.quantize(_SHARE, ROUND_DOWN),
        "rows_per_second": None if rate is None else rate.quantize(_WHOLE, ROUND_HALF_UP),
        "seconds_left": None if left is None else left.quantize(_WHOLE, ROUND_HALF_UP),
        "failure": import_.failure,
        "created_at": to_text(import_.created_at),
        "started_at": None if import_.started_at is None else to_text(import_.started_at),
        "checked_at": None if import_.checked_at is None else to_text(import_.checked_at),
        "ended_at": None if import_.ended_at is None else to_text(import_.ended_at),
    }


def preview_row(preview: Preview) -> Row:
    """Return the first rows of a file as the API would get them, and what would become of those that were judged."""
    tally = preview.tally
    return {
        "rows": [
            {"row": each.row.number, "line": each.row.line, "payload": each.payload, "problems": list(each.problems)}
            for each in preview.rows
        ],
        "rows_judged": tally.total,
        "rows_made": tally.made,
        "rows_changed": tally.changed,
        "rows_unchanged": tally.unchanged,
        "rows_refused": tally.refused,
    }


def refused_row(import_: Import, refused: RefusedRow) -> Row:
    """Return a refused row: its values by column, or its text where it has none, and all problems."""
    return {
        "row": refused.row,
        "line": refused.line,
        "values": dict(zip(_names(import_), refused.cells, strict=False)) if refused.cells else None,
        "text": refused.text or None,
        "problems": list(refused.problems),
    }


def refused_csv(import_: Import, rows: Iterable[RefusedRow]) -> Iterator[str]:
    """Yield the lines of a table of refused rows: line, problems, then what the file had.

    It can be put right and imported in its turn: the first two columns go nowhere. No cell is one that a spreadsheet
    would run as a formula.
    """
    names = _names(import_)
    yield _csv_line([ROW_COLUMN, PROBLEMS_COLUMN, *(map(as_text_cell, names) if names else ["row"])])
    for row in rows:
        values = row.cells or (row.text,)
        yield _csv_line([str(row.line), " ".join(row.problems), *map(as_text_cell, values)])


def _names(import_: Import) -> list[str]:
    return [] if import_.layout is None else [column.name for column in import_.layout.columns]


def _csv_line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
