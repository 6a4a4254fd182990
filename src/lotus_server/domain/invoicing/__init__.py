"""Invoices: lines, totals, and what makes one unique."""

from lotus_server.domain.invoicing.draft import (
    Terms,
    Totals,
    advance_lines,
    arrears_lines,
    cause_of_period,
    cause_of_start,
    total_of,
    usage_lines,
)
from lotus_server.domain.invoicing.invoice import (
    BillingType,
    Invoice,
    InvoiceLine,
    LineKind,
    PaymentStatus,
)
from lotus_server.domain.invoicing.settlement import FlatFeeBehavior, settled_charge_lines

__all__ = [
    "BillingType",
    "FlatFeeBehavior",
    "Invoice",
    "InvoiceLine",
    "LineKind",
    "PaymentStatus",
    "Terms",
    "Totals",
    "advance_lines",
    "arrears_lines",
    "cause_of_period",
    "cause_of_start",
    "settled_charge_lines",
    "total_of",
    "usage_lines",
]
