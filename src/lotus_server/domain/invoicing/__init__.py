"""Invoices: lines, totals, and what makes one unique."""

from lotus_server.domain.invoicing.invoice import (
    BillingType,
    Invoice,
    InvoiceLine,
    LineKind,
    PaymentStatus,
)

__all__ = ["BillingType", "Invoice", "InvoiceLine", "LineKind", "PaymentStatus"]
