"""Invoices: lines, totals, and what makes one unique."""

from lotus_server.domain.invoicing.draft import (
    Terms,
    advance_lines,
    arrears_lines,
    cause_of_period,
    cause_of_start,
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
from lotus_server.domain.invoicing.taxes import NO_TAX, TaxCategory, TaxRate, TaxSubtotal, standard_rate
from lotus_server.domain.invoicing.totals import TaxTerms, Totals, total_of

__all__ = [
    "NO_TAX",
    "BillingType",
    "FlatFeeBehavior",
    "Invoice",
    "InvoiceLine",
    "LineKind",
    "PaymentStatus",
    "TaxCategory",
    "TaxRate",
    "TaxSubtotal",
    "TaxTerms",
    "Terms",
    "Totals",
    "advance_lines",
    "arrears_lines",
    "cause_of_period",
    "cause_of_start",
    "settled_charge_lines",
    "standard_rate",
    "total_of",
    "usage_lines",
]
