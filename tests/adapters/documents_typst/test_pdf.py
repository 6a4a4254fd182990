"""What is printed on a document."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from pypdf import PdfReader

from lotus_server.adapters.documents_typst import TypstDocuments
from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ONE, share
from lotus_server.ports.documents import DocumentKind, DocumentLine, DocumentTax, InvoiceDocument, Paper, Party

MAY = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
# The smallest picture there is: one pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478"
    "9c6360606060000000050001a5f645400000000049454e44ae426082"
)


def document(**changes: object) -> InvoiceDocument:
    value = InvoiceDocument(
        kind=DocumentKind.INVOICE,
        number="260601-000042",
        issued_at=MAY.end,
        due_at=datetime(2026, 7, 1, tzinfo=UTC),
        seller=Party("Lotus Eaters", ("1 Main St", "Springfield"), "US-1", "billing@lotus.test"),
        buyer=Party("Acme", ("2 Side St",)),
        currency="USD",
        lines=(DocumentLine("API calls", MAY, Decimal("1234.5"), Decimal("98765.5"), ("98765.5 units x 0.0125",)),),
        subtotal=Decimal("1234.5"),
        total=Decimal("1469.06"),
        amount_due=Decimal(1400),
        taxes=(DocumentTax(Decimal(19), Decimal("1234.5"), Decimal("234.56")),),
        payments=(("Credit", Decimal("-69.06")),),
    )
    return msgspec.structs.replace(value, **changes)


def read(value: InvoiceDocument) -> PdfReader:
    return PdfReader(io.BytesIO(TypstDocuments().pdf(value)))


def text_of(value: InvoiceDocument) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(value).pages).split())


def test_everything_that_is_owed_and_why_is_on_it() -> None:
    text = text_of(document())

    parts = (
        "Invoice 260601-000042 Jun 1, 2026 Jul 1, 2026 Lotus Eaters US-1 Acme 2 Side St API calls May 31, 2026 "
        "98,765.5 $1,234.50 19% $234.56 $1,469.06 -$69.06 $1,400.00"
    )
    assert [] == [part for part in parts.split() if part not in text]
    assert "98765.5 units x 0.0125" in text


def test_words_numbers_and_dates_are_those_of_the_locale() -> None:
    text = text_of(document(locale="de_DE", currency="EUR"))

    assert [] == [
        part for part in ("Rechnung", "01.06.2026", "98.765,5", "1.234,50", "USt. 19", "Zu zahlen") if part not in text
    ]


def test_a_day_is_that_of_the_seller_s_zone() -> None:
    assert "May 31, 2026" in text_of(document(zone="America/New_York", lines=()))


@pytest.mark.parametrize(("paper", "size"), [(Paper.A4, (595, 842)), (Paper.LETTER, (612, 792))])
def test_the_paper_is_the_one_that_is_asked_for(paper: Paper, size: tuple[int, int]) -> None:
    box = read(document(paper=paper)).pages[0].mediabox

    assert size == (round(box.width), round(box.height))


def test_a_long_table_goes_on_with_its_head_on_every_page() -> None:
    pages = read(document(lines=document().lines * 60)).pages

    assert len(pages) > 2
    assert all("DESCRIPTION" in page.extract_text() for page in pages[:-1])
    assert f"1 / {len(pages)}" in " ".join(pages[0].extract_text().split())


@pytest.mark.parametrize(("kind", "word"), [(DocumentKind.DRAFT, "DRAFT"), (DocumentKind.VOIDED, "VOID")])
def test_what_is_no_valid_invoice_says_so(kind: DocumentKind, word: str) -> None:
    assert word in text_of(document(kind=kind))
    assert word not in text_of(document())


def test_a_credit_note_names_its_invoice() -> None:
    text = text_of(document(kind=DocumentKind.CREDIT_NOTE, refers_to="260501-000041"))

    assert "Credit note" in text
    assert "260501-000041" in text


def test_included_tax_is_shown_below_the_total() -> None:
    assert "Tax included 19%" in text_of(document(prices_include_tax=True))


def test_why_there_is_no_tax_is_said() -> None:
    untaxed = (DocumentTax(None, Decimal(10), Decimal(0), "Reverse charge"),)

    assert "Reverse charge" in text_of(document(taxes=untaxed))


def test_a_logo_takes_the_place_of_the_name() -> None:
    found = read(document(logo=PIXEL))

    assert 1 == len(found.pages[0].images)


def test_a_logo_that_is_no_picture_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        TypstDocuments().pdf(document(logo=b"not a picture"))

    assert "logo_unreadable" == caught.value.code


def test_the_same_document_is_the_same_bytes() -> None:
    assert TypstDocuments().pdf(document()) == TypstDocuments().pdf(document())


def test_markup_in_a_name_is_text() -> None:
    assert '#panic("x") *a* $b$ [c]' in text_of(document(buyer=Party('#panic("x") *a* $b$ [c]')))


XML = '<?xml version="1.0" encoding="UTF-8"?>\n<invoice>Überall</invoice>\n'.encode()


def hybrid(**changes: object) -> bytes:
    return TypstDocuments().pdf(document(**changes), factur_x=XML)


def test_a_hybrid_invoice_has_its_xml_attached_as_another_form_of_itself() -> None:
    found = PdfReader(io.BytesIO(hybrid()))
    root: Any = found.root_object

    assert {"factur-x.xml": [XML]} == found.attachments
    (attached,) = root["/AF"]
    assert "/Alternative" == attached.get_object()["/AFRelationship"]
    assert "/text/xml" == attached.get_object()["/EF"]["/F"].get_object()["/Subtype"]
    assert "98,765.5" in found.pages[0].extract_text()


def test_a_hybrid_invoice_says_so_in_its_metadata_and_stays_pdf_a() -> None:
    catalog: Any = PdfReader(io.BytesIO(hybrid())).root_object

    root = ET.fromstring(catalog["/Metadata"].get_data())
    values = {each.tag.rpartition("}")[2]: each.text for each in root.iter() if each.tag.startswith("{urn:factur-x")}
    assert {
        "DocumentType": "INVOICE",
        "DocumentFileName": "factur-x.xml",
        "Version": "1.0",
        "ConformanceLevel": "EN 16931",
    } == values
    pdf_a = "{http://www.aiim.org/pdfa/ns/id/}"
    assert ("3", "A") == (root.findtext(f".//{pdf_a}part"), root.findtext(f".//{pdf_a}conformance"))
    described = [each.text for each in root.iter("{http://www.aiim.org/pdfa/ns/property#}name")]
    assert [] == [name for name in values if name not in described]


def test_a_hybrid_invoice_is_the_plain_one_with_more_after_its_end() -> None:
    made, reader = hybrid(), PdfReader(io.BytesIO(hybrid()), strict=True)

    assert made == hybrid()
    assert 2 == made.count(b"%%EOF")
    assert {"/Size", "/Root", "/Info", "/ID", "/Prev"} == set(reader.trailer)


def test_a_hybrid_invoice_can_have_a_logo() -> None:
    assert {"factur-x.xml": [XML]} == PdfReader(io.BytesIO(hybrid(logo=PIXEL))).attachments


def test_a_word_longer_than_its_column_is_broken_and_still_found() -> None:
    word = "pneumono" * 30
    text = " ".join(page.extract_text() for page in read(document(buyer=Party(word, (word,)), notes=(word,))).pages)

    assert word not in text
    assert 3 == text.replace("\n", "").count(word)


def test_a_number_with_very_many_digits_is_written_whole() -> None:
    line = DocumentLine("Calls", MAY, Decimal("1." + "0" * 2), Decimal("123456789012345678901234567890.123456789"))

    assert "123,456,789,012,345,678,901,234,567,890.123456789" in text_of(document(lines=(line,))).replace(" ", "")


def test_a_quantity_that_is_a_quotient_without_end_is_cut() -> None:
    line = DocumentLine("Seats", MAY, Decimal(1), share(Decimal(2), ONE, Decimal(3)))

    assert "0.666666666666\N{HORIZONTAL ELLIPSIS}" in text_of(document(lines=(line,)))


@pytest.mark.parametrize(
    ("currency", "expected"), [("JPY", "¥1,469 "), ("KWD", "1,469.060"), ("IQD", "1,469.060"), ("HUF", "1,469.06")]
)
def test_amounts_have_the_decimal_places_of_their_currency(currency: str, expected: str) -> None:
    total = Decimal(1469) if currency == "JPY" else Decimal("1469.06")

    assert expected in text_of(document(currency=currency, total=total)) + " "


def test_a_line_stays_on_one_page() -> None:
    line = DocumentLine("Line of six", MAY, Decimal(1), None, tuple(f"detail {number}" for number in range(6)))

    for page in read(document(lines=(line,) * 40)).pages:
        text = page.extract_text()
        assert text.count("Line of six") == text.count("detail 5")


def test_a_document_may_be_issued_between_two_seconds() -> None:
    assert "Jun 1, 2026" in text_of(document(issued_at=MAY.end.replace(microsecond=123456)))


def test_a_logo_leaves_room_for_what_stands_beside_it() -> None:
    logo = b'<svg xmlns="http://www.w3.org/2000/svg" width="3000" height="30"><rect width="3000" height="30"/></svg>'
    widths: list[float] = []

    def note(operator: bytes, operands: list[Any], matrix: list[float], _: list[float]) -> None:
        if operator == b"l":
            widths.append(matrix[0] * float(operands[0]) + matrix[4])

    read(document(logo=logo)).pages[0].extract_text(visitor_operand_before=note)

    assert 595 - 60 > max(widths)
