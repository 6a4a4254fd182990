"""XML elements from values: what is not known leaves no element behind."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element, indent, tostring

from lotus_server.kernel.quantity import plain

Content = Element | str | Decimal | None | Iterable[Element]

# Characters that no XML 1.0 document may contain.
_NOT_IN_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(tag: str, *content: Content, **attributes: str) -> Element:
    """Return an element with a text, or with those of its members that there are."""
    made = Element(tag, attributes)
    for each in content:
        if isinstance(each, Element):
            made.append(each)
        elif isinstance(each, Decimal):
            made.text = plain(each)
        elif isinstance(each, str):
            made.text = _NOT_IN_XML.sub("", each)
        elif each is not None:
            made.extend(each)
    return made


def known(tag: str, text: str | None, **attributes: str) -> Element | None:
    """Return an element with a text, or None when there is none: XML of invoices has no empty elements."""
    cleaned = _NOT_IN_XML.sub("", text or "").strip()
    return element(tag, cleaned, **attributes) if cleaned else None


def amount(tag: str, value: Decimal, **attributes: str) -> Element:
    """Return an element with an amount, written with the decimal places that it has."""
    return element(tag, format(value, "f"), **attributes)


def group(tag: str, *content: Element | None) -> Element | None:
    """Return an element with those of its members that there are, or None when there are none."""
    members = [each for each in content if each is not None]
    return element(tag, members) if members else None


def document(root: Element) -> bytes:
    """Return the bytes of a document, indented for people who look into it."""
    indent(root)
    written: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return written + b"\n"
