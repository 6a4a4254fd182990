"""E-invoices as XML, from a mapping of our own.

The libraries at hand build on lxml and take dictionaries; they serve as judges in the tests, with the official schemas.
"""

from typing_extensions import override

from lotus_server.adapters.e_invoices_xml.cii import cii
from lotus_server.adapters.e_invoices_xml.ubl import ubl
from lotus_server.ports.e_invoices import EInvoice, EInvoices, Syntax


class XmlEInvoices(EInvoices):
    """See `ports/e_invoices.py` for what each method promises."""

    @override
    def xml(self, invoice: EInvoice, syntax: Syntax) -> bytes:
        return ubl(invoice) if syntax is Syntax.UBL else cii(invoice)
