"""Documents, loaded when the first one is asked for: a server that prints none does not pay for the typesetter."""

from typing_extensions import override

from lotus_server.ports.documents import Documents, InvoiceDocument


class LaterDocuments(Documents):
    """Makes documents with an adapter that is imported on first use, which takes a third of a second."""

    @override
    def pdf(self, document: InvoiceDocument) -> bytes:
        """Return a document as PDF."""
        from lotus_server.adapters.documents_typst import TypstDocuments

        return TypstDocuments().pdf(document)
