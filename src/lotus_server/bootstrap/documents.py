"""Documents, loaded when the first one is asked for: a server that prints none does not pay for the typesetter."""

from typing_extensions import override

from lotus_server.ports.documents import Documents, InvoiceDocument
from lotus_server.ports.e_invoices import EInvoice, Syntax


class LaterDocuments(Documents):
    """Makes documents with adapters that are imported on first use, which takes a third of a second."""

    @override
    def pdf(self, document: InvoiceDocument, *, factur_x: bytes | None = None) -> bytes:
        """Return a document as PDF."""
        from lotus_server.adapters.documents_typst import TypstDocuments

        return TypstDocuments().pdf(document, factur_x=factur_x)

    @override
    def picture(self, document: InvoiceDocument) -> bytes:
        """Return the first page of a document as PNG."""
        from lotus_server.adapters.documents_typst import TypstDocuments

        return TypstDocuments().picture(document)

    @override
    def xml(self, invoice: EInvoice, syntax: Syntax) -> bytes:
        """Return an e-invoice as XML."""
        from lotus_server.adapters.e_invoices_xml import XmlEInvoices

        return XmlEInvoices().xml(invoice, syntax)
