"""Files that are imported: what they are, what their rows become, and every way in which one can be broken."""

import csv
import io
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.accounts import Author, AuthorKind
from lotus_server.domain.imports import (
    PROBLEMS_COLUMN,
    ROW_BYTES_MAX,
    ROW_COLUMN,
    Column,
    FileFormat,
    Import,
    ImportKind,
    ImportState,
    Layout,
    RefusedRow,
    guessed_columns,
)
from lotus_server.kernel.errors import Invalid
from lotus_server.usecases.import_reading import FileRow, Source
from lotus_server.wire.import_files import layout_of, rows_of
from lotus_server.wire.import_tables import as_text_cell, number_with_comma, number_with_point
from lotus_server.wire.imports import refused_csv
from tests.business import at

CUSTOMERS, EVENTS = ImportKind.CUSTOMERS, ImportKind.EVENTS
NOW = at("2026-01-01")
ADA = Author(AuthorKind.PERSON, "user_ada", "ada@example.com")


def source(content: bytes, part_bytes: int = 1 << 20) -> Source:
    """A file in parts of so many bytes."""
    return lambda place: content[place : (place // part_bytes + 1) * part_bytes]


def import_of(kind: ImportKind, layout: Layout) -> Import:
    return Import("org", "import_1", kind, ImportState.READY, "f", ADA, NOW, layout=layout, place=layout.start)


def rows(kind: ImportKind, content: bytes, part_bytes: int = 1 << 20) -> list[FileRow]:
    layout = layout_of(kind, source(content, max(part_bytes, 1 << 16)))
    return list(rows_of(import_of(kind, layout), source(content, part_bytes)))


def payloads(kind: ImportKind, content: bytes) -> list[Any]:
    return [row.payload for row in rows(kind, content)]


def refusal(content: bytes, kind: ImportKind = CUSTOMERS) -> tuple[str, str]:
    with pytest.raises(Invalid) as refused:
        rows(kind, content)
    return refused.value.code, refused.value.detail


# -- what a file is


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "empty_file", "empty"),
        (b" \n\n", "empty_file", "empty"),
        (b"id,name\n", "empty_file", "a header and no rows"),
        (b"PK\x03\x04spreadsheet", "not_text", "Save it as CSV"),
        (b"\x1f\x8bpacked", "not_text", "unpack"),
        (b"id\n\x00\x01\x02", "not_text", "no text"),
        ("id,name\nada,Müller\n".encode("utf-16"), "not_utf8", "UTF-16"),
        ("id,name\nada,Müller\n".encode("utf-16-le"), "not_utf8", "UTF-16"),
        ("id,name\nada,Müller\nbob,x\n".encode("latin-1"), "not_utf8", "Line 2 is not UTF-8"),
        (b"id,name,id\n1,2,3\n", "malformed_file", "'id' twice"),
        (b'id,"name\n1,2\n', "malformed_file", "quotation mark"),
        (b"x" * (ROW_BYTES_MAX + 1) + b"\n1\n", "malformed_file", "longer than 1 MB"),
        (b",".join([b"c%d" % n for n in range(501)]) + b"\n" + b"," * 500 + b"\n", "malformed_file", "501 columns"),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(content: bytes, code: str, said: str) -> None:
    found, detail = refusal(content)

    assert code == found
    assert said in detail


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (b"id\n1\n", FileFormat.CSV),
        (b'{"customer_id": "a"}\n', FileFormat.JSON_LINES),
        (b'[{"customer_id": "a"}]', FileFormat.JSON),
        (b'\n {"customers" : [{"customer_id": "a"}]}', FileFormat.JSON),
        (b"\xef\xbb\xbfid\n1\n", FileFormat.CSV),
    ],
)
def test_a_file_says_itself_what_it_is(content: bytes, format_: FileFormat) -> None:
    assert format_ is layout_of(CUSTOMERS, source(content)).format


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_cells_are_separated_by_what_the_header_has_most_of(delimiter: str) -> None:
    content = delimiter.join(["id", "name"]) + "\n" + delimiter.join(["ada", "Ada"]) + "\n"

    assert [{"customer_id": "ada", "customer_name": "Ada"}] == payloads(CUSTOMERS, content.encode())


def test_the_separator_may_be_said_in_the_first_line() -> None:
    assert [{"customer_id": "ada"}] == payloads(CUSTOMERS, b"sep=;\nid;x\nada;1\n")


def test_the_mark_of_utf8_is_no_part_of_the_first_column() -> None:
    assert [{"customer_id": "ada"}] == payloads(CUSTOMERS, b"\xef\xbb\xbfid\nada\n")


# -- rows


def test_cells_may_be_quoted_and_go_over_lines() -> None:
    content = b'id,name\nada,"Ada, ""the"" first\nLtd"\nbob,5" pipes\n'
    found = rows(CUSTOMERS, content)

    assert ['Ada, "the" first\nLtd', '5" pipes'] == [row.payload["customer_name"] for row in found]  # type: ignore[index]
    assert [2, 4] == [row.line for row in found]


def test_a_quotation_mark_that_is_not_closed_costs_one_row() -> None:
    found = rows(CUSTOMERS, b'id,name\nada,"Ada\nbob,Bob\ncid,Cid\n')

    assert [None, "bob", "cid"] == [row.payload and row.payload["customer_id"] for row in found]  # type: ignore[index]
    assert found[0].problem == "A quotation mark is opened and not closed, or closed in the midst of a cell."


def test_a_giant_line_costs_one_row_and_no_memory() -> None:
    found = rows(CUSTOMERS, b"id\nada\n" + b"x" * 3_000_000 + b"\nbob\n")

    assert [None, "is longer", None] == [row.problem and row.problem[9:18] for row in found]
    assert (found[2].payload, found[2].line) == ({"customer_id": "bob"}, 4)
    assert len(found[1].raw) < 5_000


def test_a_row_that_is_not_utf8_costs_itself() -> None:
    good = b"".join(
        b"c%d,%b\n" % (n, b"x" * 10_000) for n in range(200)
    )  # the file's beginning is looked at before anything is done
    found = rows(CUSTOMERS, b"id,name\n" + good + "ada,Müller\nbob,Bob\n".encode("latin-1"))

    assert [(202, "The row is not UTF-8. Save the file as UTF-8; programs also call it Unicode.")] == [
        (row.line, row.problem) for row in found if row.problem
    ]


@pytest.mark.parametrize("row", [b"ada", b"ada,Ada,x"])
def test_a_row_has_a_cell_for_each_column(row: bytes) -> None:
    (found,) = rows(CUSTOMERS, b"id,name\n" + row + b"\n")

    assert found.problem == f"The row has {row.count(b',') + 1} cells, but the header names 2 columns."


def test_blank_lines_are_no_rows_and_a_last_line_needs_no_end() -> None:
    found = rows(CUSTOMERS, b"\nid\n\nada\r\n \nbob")

    assert [(4, "ada"), (6, "bob")] == [(row.line, row.payload["customer_id"]) for row in found]  # type: ignore[index]


def test_what_is_no_object_is_no_row_of_json() -> None:
    found = rows(CUSTOMERS, b'{"customer_id": "ada"}\n[1]\n{"a": \n"x"\n{"b": "\\u0000"}\n')

    assert [False, True, True, True, True] == [row.problem is not None for row in found]


def test_numbers_are_exact_from_the_cell_on() -> None:
    (event,) = payloads(EVENTS, b"event_name,customer_id,id,x,y,z\ncall,acme,e,0.10,007,-12345678901234567890.5\n")

    assert msgspec.json.decode(event, strict=True)["properties"]["y"] == "007"
    assert b'"x":0.10' in event
    assert b'"z":-12345678901234567890.5' in event


def test_a_column_of_texts_stays_one() -> None:
    layout = layout_of(CUSTOMERS, source(b"id,code\nada,12\n"))
    columns = (layout.columns[0], Column("code", "properties.code", is_text=True))
    layout = msgspec.structs.replace(layout, columns=columns)
    (row,) = rows_of(import_of(CUSTOMERS, layout), source(b"id,code\nada,12\n"))

    assert row.payload == {"customer_id": "ada", "properties": {"code": "12"}}


def test_decimals_with_commas_are_numbers_where_the_file_writes_them_so() -> None:
    content = b"id;tax_rate;properties.price;properties.text\nada;7,5;1.234,50;1,2,3\n"
    layout = layout_of(CUSTOMERS, source(content))

    assert layout.decimal_comma
    (payload,) = payloads(CUSTOMERS, content)
    assert payload == {
        "customer_id": "ada",
        "tax_rate": "7.5",
        "properties": {"price": Decimal("1234.50"), "text": "1,2,3"},
    }


@pytest.mark.parametrize(
    ("cell", "point", "comma"),
    [
        ("12", "12", "12"),
        ("-0.5", "-0.5", None),
        ("12,5", None, "12.5"),
        ("1.234", "1.234", "1234"),
        ("1.234,5", None, "1234.5"),
        ("1.23,5", None, None),
        ("007", None, None),
        ("1e5", None, None),
        ("+1", None, None),
        ("", None, None),
        ("٣", None, None),
    ],
)
def test_what_is_a_number(cell: str, point: str | None, comma: str | None) -> None:
    assert (point, comma) == (number_with_point(cell), number_with_comma(cell))


# -- headers


def test_headers_of_other_systems_are_understood() -> None:
    header = ["External ID", "Company Name", "Billing E-Mail", "VAT ID", "ZIP", "Plan"]

    assert ["customer_id", "customer_name", None, "tax_id", "address.postal_code", None] == [
        column.field for column in guessed_columns(CUSTOMERS, header)
    ]


def test_a_fields_own_name_wins_over_one_that_sounds_like_it() -> None:
    assert [None, "customer_id"] == [each.field for each in guessed_columns(CUSTOMERS, ["id", "customer_id"])]


@given(st.lists(st.text(max_size=8), min_size=1, max_size=8, unique=True), st.sampled_from(ImportKind))
def test_no_two_columns_are_guessed_to_one_field(header: list[str], kind: ImportKind) -> None:
    fields = [column.field for column in guessed_columns(kind, header) if column.field is not None]

    assert len(fields) == len(set(fields))


# -- refused rows as a file


def test_a_file_of_refused_rows_runs_nothing_and_comes_back_as_it_was() -> None:
    layout = layout_of(CUSTOMERS, source(b"id,name\nx,y\n"))
    cells = ("=1+1", "-5")
    text = "".join(refused_csv(import_of(CUSTOMERS, layout), [RefusedRow(1, 2, "", ("Wrong.", "Too."), cells)]))
    header, row = csv.reader(io.StringIO(text))

    assert header == [ROW_COLUMN, PROBLEMS_COLUMN, "id", "name"]
    assert row == ["2", "Wrong. Too.", "'=1+1", "-5"]
    assert [{"customer_id": "=1+1", "customer_name": "-5"}] == payloads(CUSTOMERS, text.encode())


@pytest.mark.parametrize("cell", ["=1", "+1", "-a", "@x", "\tx", "\rx"])
def test_a_cell_that_begins_like_a_formula_is_marked(cell: str) -> None:
    assert as_text_cell(cell) == f"'{cell}"


# -- laws

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A table as a spreadsheet writes it, some of its rows broken."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=draw(st.sampled_from(["\n", "\r\n"])))
    writer.writerow(["id", "name", "email"])
    for row in draw(st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=8)):
        writer.writerow(row)
        out.write(draw(st.sampled_from(["", "", '"', 'a,"b\n'])))
    return out.getvalue().encode()


@given(tables(), st.integers(1, 40), st.data())
def test_a_table_read_on_from_any_row_in_parts_of_any_size_is_the_table_read_at_once(
    content: bytes, part_bytes: int, data: st.DataObject
) -> None:
    try:
        layout = layout_of(CUSTOMERS, source(content))
    except Invalid:
        return
    whole = list(rows_of(import_of(CUSTOMERS, layout), source(content)))
    if not whole:
        return
    begin = data.draw(st.integers(0, len(whole) - 1))
    resumed = msgspec.structs.replace(import_of(CUSTOMERS, layout), place=whole[begin].end)

    assert whole[begin + 1 :] == list(rows_of(resumed, source(content, part_bytes)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.text(max_size=3), JSON, max_size=3), min_size=1, max_size=6), st.integers(1, 30))
def test_a_list_is_read_in_parts_of_any_size_as_at_once(members: list[dict[str, Any]], part_bytes: int) -> None:
    for indent in (None, 1):
        content = (
            b"["
            + b" ,\n".join(msgspec.json.format(msgspec.json.encode(one), indent=indent or 0) for one in members)
            + b"]"
        )
        layout = layout_of(EVENTS, source(content))
        whole = list(rows_of(import_of(EVENTS, layout), source(content)))

        assert len(members) == len(whole)
        assert whole == list(rows_of(import_of(EVENTS, layout), source(content, part_bytes)))
        for row in whole:
            resumed = msgspec.structs.replace(import_of(EVENTS, layout), place=row.end)
            assert whole[row.number :] == list(rows_of(resumed, source(content, part_bytes)))
