"""What makes a PDF/A-3 file with an attached invoice one of Factur-X: properties in its metadata.

Typst attaches files but writes no metadata of others' making. They are added the way PDF provides for changes: the new
metadata stands after the old end of the file, with a table that says so, and nothing before it moves.
"""

import re
from typing import Final

FILE_NAME: Final = "factur-x.xml"
_NAMESPACE: Final = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
# "INVOICE" stands for credit notes, too.
_PROPERTIES: Final = {
    "DocumentType": ("INVOICE", "The type of the document"),
    "DocumentFileName": (FILE_NAME, "The name of the embedded XML file"),
    "Version": ("1.0", "The version of the XML schema"),
    "ConformanceLevel": ("EN 16931", "The conformance level of the embedded XML file"),
}
_LIST_OF_SCHEMAS: Final = b"<pdfaExtension:schemas><rdf:Bag>"
_END_OF_METADATA: Final = b"</rdf:RDF>"
_ENTRY_LENGTH: Final = 20


def with_factur_x_metadata(pdf: bytes) -> bytes:
    """Return a PDF made by Typst with the properties of Factur-X, and their description as PDF/A asks for it."""
    table_at = int(_found(rb"startxref\s+(\d+)\s+%%EOF\s*\Z", pdf))
    trailer = _found(rb"trailer\s*<<(.*)>>\s*startxref\s+\d+\s+%%EOF\s*\Z", pdf)
    root = _object(pdf, table_at, int(_found(rb"/Root (\d+) 0 R", trailer)))
    number = int(_found(rb"/Metadata (\d+) 0 R", root))
    metadata = _extended(_found(rb"stream\r?\n(.*?)\r?\nendstream", _object(pdf, table_at, number)))
    start = pdf if pdf.endswith(b"\n") else pdf + b"\n"
    changed = b"%d 0 obj\n<</Type/Metadata/Subtype/XML/Length %d>>\nstream\n%b\nendstream\nendobj\n"
    body = start + changed % (number, len(metadata), metadata)
    table = b"xref\n%d 1\n%010d 00000 n\r\ntrailer\n<<%b/Prev %d>>\nstartxref\n%d\n%%%%EOF\n"
    return body + table % (number, len(start), trailer, table_at, len(body))


def _object(pdf: bytes, table_at: int, number: int) -> bytes:
    """Return an object by its number, found through the table."""
    head = re.compile(rb"xref\s+0 \d+\s*?\r?\n").match(pdf, table_at)
    assert head is not None, "Typst writes one table, from object 0 on"
    entry = pdf[head.end() + _ENTRY_LENGTH * number :][:_ENTRY_LENGTH]
    begin = int(entry[:10])
    assert pdf.startswith(b"%d 0 obj" % number, begin), "the table leads to the object"
    return pdf[begin : pdf.index(b"endobj", begin)]


def _found(pattern: bytes, text: bytes) -> bytes:
    match = re.search(pattern, text, re.DOTALL)
    assert match is not None, f"Typst writes {pattern!r}"
    return match[1]


def _extended(metadata: bytes) -> bytes:
    assert metadata.count(_LIST_OF_SCHEMAS) == metadata.count(_END_OF_METADATA) == 1, "Typst describes its own schemas"
    listed = metadata.replace(_LIST_OF_SCHEMAS, _LIST_OF_SCHEMAS + _schema().encode())
    values = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, (value, _) in _PROPERTIES.items())
    described = f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">{values}</rdf:Description>'
    return listed.replace(_END_OF_METADATA, described.encode() + _END_OF_METADATA)


def _schema() -> str:
    properties = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        f"<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{description}</pdfaProperty:description></rdf:li>"
        for name, (_, description) in _PROPERTIES.items()
    )
    return (
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
