"""Files: what they are, and their rows in the JSON of the API, from any place on."""

import hashlib
import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

import msgspec

from lotus_server.domain.imports import (
    COLUMNS_MAX,
    ROW_BYTES_MAX,
    FileFormat,
    Import,
    ImportKind,
    Layout,
    Place,
    guessed_columns,
)
from lotus_server.kernel.errors import Invalid
from lotus_server.ports.event_store import Decoder
from lotus_server.usecases.import_reading import FileRow, Reading, Source
from lotus_server.wire.customers import customer_draft
from lotus_server.wire.import_lines import Lines
from lotus_server.wire.import_tables import NOT_UTF8, records, table_rows
from lotus_server.wire.track import value_problem

_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_PACKED: Final = {b"PK": "a spreadsheet or another packed file", b"\x1f\x8b": "packed with gzip"}
# The list of a file that is one JSON text, as the API takes it.
_LIST: Final = re.compile(rb'\s*(?:\[|\{\s*"(?:batch|customers)"\s*:\s*\[)')
_LIST_END: Final = re.compile(r"\s*\]\s*\}?\s*")
_BETWEEN: Final = re.compile(r"[\s,]*")
_DELIMITERS: Final = (",", ";", "\t", "|")
_SAID_DELIMITER: Final = re.compile(rb"sep=(.)\r?")
_GUESSED_ROWS: Final = 100
_COMMA: Final = re.compile(r"-?\d+,\d+")
_POINT: Final = re.compile(r"-?\d+\.\d+")


def _fraction(text: str) -> Decimal:
    """Return a number; Infinity for one whose exponent no Decimal can have, which its field then refuses by name."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")


_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
_members_decoder: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_object_decoder: Final = msgspec.json.Decoder(dict[str, Any], float_hook=_fraction)
_scanner: Final = json.JSONDecoder()


def make_reading(decode: Decoder) -> Reading:
    """Return how files are read; `decode` is what the API does with events."""
    return Reading(layout_of, rows_of, customer_draft, decode)


def layout_of(kind: ImportKind, source: Source) -> Layout:
    """Return how a file is to be read, by its beginning.

    Raises Invalid with the code `empty_file`, `not_text`, `not_utf8` or `malformed_file`.
    """
    beginning = source(0)
    _check_text(beginning)
    start = Place(len(_BOM) if beginning.startswith(_BOM) else 0)
    text = beginning[start.bytes_read :]
    if found := _LIST.match(text):
        return Layout(FileFormat.JSON, Place(start.bytes_read + found.end(), text.count(b"\n", 0, found.end())))
    if text.lstrip().startswith(b"{"):
        return Layout(FileFormat.JSON_LINES, start)
    return _table(kind, source, start)


def _check_text(beginning: bytes) -> None:
    if not beginning.strip():
        _refuse("empty_file", "The file is empty.")
    for begin, what in _PACKED.items():
        if beginning.startswith(begin):
            _refuse("not_text", f"The file is {what}. Save it as CSV, or unpack it.")
    # Every other byte of plain letters in UTF-16 is zero.
    if beginning.startswith(_UTF16) or beginning[:200].count(b"\0") * 3 > len(beginning[:200]):
        _refuse("not_utf8", "The file is UTF-16. Save it as UTF-8; spreadsheets call it CSV UTF-8.")
    if b"\0" in beginning:
        _refuse("not_text", "The file is no text. CSV, JSON Lines and JSON can be imported.")
    try:
        beginning.decode()
    except UnicodeDecodeError as error:
        if error.start < len(beginning) - 3:  # a character may go on in the next part
            line = beginning.count(b"\n", 0, error.start) + 1
            _refuse(
                "not_utf8", f"Line {line} is not UTF-8, but probably Latin-1 or Windows-1252. Save the file as UTF-8."
            )


def _table(kind: ImportKind, source: Source, start: Place) -> Layout:
    lines = Lines(source, start.bytes_read, 0)
    said = None
    first = next(lines)
    if found := _SAID_DELIMITER.fullmatch(first.content):
        said = found[1].decode()
    else:
        lines.put_back([first])
    first = next((line for line in lines if line.content.strip()), first)
    lines.put_back([first])
    if first.problem:
        _refuse("malformed_file", f"The header cannot be read. {first.problem}")
    delimiter = said or max(_DELIMITERS, key=lambda each: (first.content.count(each.encode()), each == ","))
    found_rows = records(lines, delimiter)
    header = next(found_rows, None)
    if header is None:
        _refuse("empty_file", "The file is empty.")
    _, (cells, last, problem) = header
    if problem is not None:
        _refuse("malformed_file", f"The header cannot be read. {problem}")
    names = [cell.strip() or f"column {at}" for at, cell in enumerate(cells, 1)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        _refuse("malformed_file", f"The header names the column {twice!r} twice.")
    if len(names) > COLUMNS_MAX:
        _refuse("malformed_file", f"The header names {len(names)} columns; at most {COLUMNS_MAX} are read.")
    sample = [cells for _, (cells, *_) in (row for row, _ in zip(found_rows, range(_GUESSED_ROWS), strict=False))]
    if not sample:
        _refuse("empty_file", "The file has a header and no rows.")
    return Layout(
        FileFormat.CSV,
        Place(last.end, last.number),
        delimiter,
        decimal_comma=delimiter != "," and _has_commas(sample),
        columns=guessed_columns(kind, names),
    )


def _has_commas(sample: list[list[str]]) -> bool:
    cells = [cell.strip() for row in sample for cell in row]
    return any(map(_COMMA.fullmatch, cells)) and not any(map(_POINT.fullmatch, cells))


def _refuse(code: str, detail: str) -> NoReturn:
    raise Invalid.field("file", code, detail)


def rows_of(import_: Import, source: Source) -> Iterator[FileRow]:
    """Yield the rows of a file from an import's place on.

    Raises Invalid `malformed_file` where a JSON text cannot be read on.
    """
    layout, place = import_.layout, import_.place
    assert layout is not None, "the file of this import was looked at"
    if layout.format is FileFormat.JSON:
        rows = _list_rows(place, source)
    else:
        lines = Lines(source, place.bytes_read, place.lines_read)
        if layout.format is FileFormat.CSV:
            rows = table_rows(import_.kind, layout, place, lines)
        else:
            rows = _line_rows(place, lines)
    return _events(rows) if import_.kind is ImportKind.EVENTS else _objects(rows)


def _line_rows(place: Place, lines: Lines) -> Iterator[FileRow]:
    number = place.rows_read
    for line in lines:
        content = line.content.strip()
        if content or line.problem:
            number += 1
            yield FileRow(number, line.number, Place(line.end, line.number, number), content, line.problem, content)


def _list_rows(place: Place, source: Source) -> Iterator[FileRow]:
    """Yield the members of a list. What stands between two rows belongs to neither of them."""
    number, line, end = place.rows_read, place.lines_read, place.bytes_read
    text, at, read, rest = "", 0, end, b""
    while True:
        at, member = _next_member(text, at)
        if member is None:
            chunk = source(read)
            read += len(chunk)
            rest += chunk
            if not chunk or len(text) - at > ROW_BYTES_MAX:
                _check_list_end(text[at:], line + 1, is_whole=not chunk)
                return
            text, at, rest = text[at:] + _decoded(rest, line + 1), 0, _cut_off(rest)
            continue
        begin, after = member
        line += text.count("\n", at, begin)
        end += len(text[at:after].encode())
        raw = text[begin:after].encode()
        number += 1
        first = line + 1
        line += raw.count(b"\n")
        yield FileRow(number, first, Place(end, line, number), raw, None, raw)
        at = after


def _next_member(text: str, at: int) -> tuple[int, tuple[int, int] | None]:
    """Return where the next whole member of the list begins and ends, null when it is not all there."""
    found = _BETWEEN.match(text, at)
    begin = found.end() if found else at
    if begin >= len(text) or text[begin] == "]":
        return at, None
    try:
        _, after = _scanner.raw_decode(text, begin)
    except (ValueError, RecursionError):
        return at, None
    is_whole = text[after - 1] in '}]"' or after < len(text)
    return at, (begin, after) if is_whole else None


def _check_list_end(rest: str, line: int, *, is_whole: bool) -> None:
    if not is_whole or _LIST_END.fullmatch(_BETWEEN.sub("", rest, count=1)) is None:
        _refuse("malformed_file", f"From line {line} on, the file is no JSON list.")


def _decoded(content: bytes, line: int) -> str:
    try:
        return content[: len(content) - len(_cut_off(content))].decode()
    except UnicodeDecodeError:
        _refuse("not_utf8", f"From line {line} on, the file is not UTF-8.")


def _cut_off(content: bytes) -> bytes:
    """Return the beginning of a character whose rest is in the next part."""
    for length in (1, 2, 3):
        byte = content[-length:][:1]
        if byte and byte[0] >= 0xC0:
            needed = 2 if byte[0] < 0xE0 else 3 if byte[0] < 0xF0 else 4
            return content[-length:] if needed > length else b""
    return b""


def _events(rows: Iterator[FileRow]) -> Iterator[FileRow]:
    """Yield rows whose payload is the text of an event with an id.

    One without gets a name made from its place and content, so that the same file names it again in the same way.
    """
    for row in rows:
        if row.problem is None:
            _make_event(row)
        yield row


def _make_event(row: FileRow) -> None:
    if isinstance(row.payload, dict):
        has_id, event = "idempotency_id" in row.payload, _encode(row.payload)
    else:
        assert isinstance(row.payload, bytes)
        event = row.payload
        try:
            members = _members_decoder.decode(event)
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
            row.payload, row.problem = None, _not_json(error)
            return
        has_id = bytes(members.get("idempotency_id", msgspec.Raw(b"null"))) != b"null"
    row.payload = event if has_id else _named(row.number, event)


def _named(number: int, event: bytes) -> bytes:
    name = hashlib.blake2b(b"%d\n%b" % (number, event), digest_size=16).hexdigest()
    comma = b"," if event[1:-1].strip() else b""
    return b'%b%b"idempotency_id":"row-%d-%b"}' % (event[:-1], comma, number, name.encode())


def _objects(rows: Iterator[FileRow]) -> Iterator[FileRow]:
    """Yield rows whose payload is an object with exact numbers."""
    for row in rows:
        if isinstance(row.payload, bytes):
            try:
                row.payload = _object_decoder.decode(row.payload)
            except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
                row.payload, row.problem = None, _not_json(error)
        if row.payload is not None and (wrong := value_problem(row.payload)):
            row.payload, row.problem = None, f"The row {wrong}."
        yield row


def _not_json(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return NOT_UTF8
    return f"The row is no JSON object: {str(error).removeprefix('JSON is malformed: ')}."
