"""Tables as files: sent while they are read, and never shorter than they are."""

import csv
import io
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from lotus_server.http.web.csv_files import csv_parts
from lotus_server.http.web.lists import all_rows
from lotus_server.ports.listing import Part, Place, Slice
from tests.tenants import Tenant
from tests.web.harness import Pages


def test_a_long_table_is_written_while_it_is_read() -> None:
    read: list[int] = []

    def rows() -> Iterator[tuple[int]]:
        for number in range(100_000):
            read.append(number)
            yield (number,)

    parts = csv_parts(("number",), rows())
    next(parts)
    assert len(read) < 5_000
    text = b"".join(parts)
    assert 100_000 == len(read)
    assert text.endswith(b"99998\r\n99999\r\n")


@pytest.mark.parametrize("count", [0, 1, 1_999, 2_000, 2_001, 4_001])
def test_no_row_is_lost_between_parts(count: int) -> None:
    text = b"".join(csv_parts(("number",), ((number,) for number in range(count)))).decode()
    assert [["number"], *([str(number)] for number in range(count))] == list(csv.reader(io.StringIO(text)))


def test_what_a_spreadsheet_would_run_stays_text_and_numbers_stay_numbers() -> None:
    (text,) = csv_parts(("a",), [("=1+1",), (Decimal("-1.50"),), (None,), ("a;b, \u00e9",)])
    assert b'a\r\n\'=1+1\r\n-1.50\r\n""\r\n"a;b, \xc3\xa9"\r\n' == text


def test_an_error_in_the_midst_breaks_the_file_off() -> None:
    def rows() -> Iterator[tuple[int]]:
        yield from ((number,) for number in range(3_000))
        raise RuntimeError("the disk is gone")

    parts = csv_parts(("number",), rows())
    next(parts)
    with pytest.raises(RuntimeError):
        b"".join(parts)


def test_a_whole_list_is_read_in_portions() -> None:
    asked: list[Slice] = []

    def read(wanted: Slice) -> Part[int]:
        asked.append(wanted)
        start = 0 if wanted.place is None else int(wanted.place.key)
        rows = tuple(range(start, min(start + wanted.limit, 12_000)))
        return Part(rows, after=Place(None, str(start + len(rows))) if rows[-1] < 11_999 else None)

    assert list(range(12_000)) == list(all_rows(read))
    assert [5_000, 5_000, 5_000] == [wanted.limit for wanted in asked]


def test_what_cannot_be_asked_for_is_a_page_and_no_file(pages: Callable[..., Pages], tenant: Tenant) -> None:
    tenant.customer()
    for path in ("customers/export.csv?created_since=never", "subscriptions/export.csv?sort=never"):
        answer = pages().get(path)
        assert 400 == answer.status_code
        assert answer.headers["content-type"].startswith("text/html")


def test_the_customers_that_are_asked_for_are_in_their_file(pages: Callable[..., Pages], tenant: Tenant) -> None:
    tenant.plan()
    for customer_id in ("acme", "globex"):
        tenant.customer(customer_id)
    tenant.subscribe("acme")
    answer = pages().get("customers/export.csv?subscribed=false")
    assert ["customer_id", "globex"] == [row[0] for row in csv.reader(io.StringIO(answer.text))]
    assert "attachment" in answer.headers["content-disposition"]
    assert "default-src" in answer.headers["content-security-policy"]
