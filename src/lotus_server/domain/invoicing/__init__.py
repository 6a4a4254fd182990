"""Invoices: lines, totals, and what makes one unique."""

from lotus_server.domain.invoicing.adjustments import (
    adjusted,
    adjusted_change,
    adjusted_usage,
    adjustment_base,
    adjustment_of,
)
from lotus_server.domain.invoicing.billed import BilledLine, BilledPeriod, BilledTerms
from lotus_server.domain.invoicing.billed_period import (
    PeriodBilling,
    Slice,
    billed_period,
    usage_digest,
)
from lotus_server.domain.invoicing.charge_lines import change_lines
from lotus_server.domain.invoicing.commitment import commitment_lines
from lotus_server.domain.invoicing.corrections import Correction, correct
from lotus_server.domain.invoicing.credit_note import (
    CreditedLine,
    CreditNote,
    CreditNoteAmounts,
    credit_note_amounts,
    net_line_amounts,
    nets_of,
    what_is_left,
)
from lotus_server.domain.invoicing.discounts import AppliedDiscount, Coupon, Discount, DiscountTerms, DiscountType
from lotus_server.domain.invoicing.draft import (
    advance_lines,
    arrears_lines,
    cause_of_credit,
    cause_of_period,
    cause_of_start,
    cause_of_threshold,
    cause_of_usage,
    credit_of_cause,
    held_lines,
)
from lotus_server.domain.invoicing.explanation import EventListing, Explanation, explain, sentences
from lotus_server.domain.invoicing.invoice import (
    BillingType,
    Invoice,
    InvoiceLine,
    LineKind,
    LineReference,
    PaymentStatus,
)
from lotus_server.domain.invoicing.items import Item, item_of_charge, item_of_prepaid, items_of
from lotus_server.domain.invoicing.measured import Condition, Measured
from lotus_server.domain.invoicing.metered import (
    Metered,
    amount_definition,
    amount_properties,
    needs_values,
)
from lotus_server.domain.invoicing.moved_end import moved_end_lines
from lotus_server.domain.invoicing.pending import PendingLines, invoiced, pending_lines_of
from lotus_server.domain.invoicing.settlement import FlatFeeBehavior, settled_charge_lines
from lotus_server.domain.invoicing.slices import slice_of
from lotus_server.domain.invoicing.stretches import (
    Stretch,
    components_due,
    is_billed_in_parts,
    stretches_of,
    until_for_all,
)
from lotus_server.domain.invoicing.taxes import (
    NO_TAX,
    TaxCategory,
    TaxedAmount,
    TaxRate,
    TaxSubtotal,
    standard_rate,
    tax_subtotals,
)
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.invoicing.totals import TaxTerms, Totals, total_of
from lotus_server.domain.invoicing.usage_lines import usage_lines

__all__ = [
    "NO_TAX",
    "AppliedDiscount",
    "BilledLine",
    "BilledPeriod",
    "BilledTerms",
    "BillingType",
    "Condition",
    "Correction",
    "Coupon",
    "CreditNote",
    "CreditNoteAmounts",
    "CreditedLine",
    "Discount",
    "DiscountTerms",
    "DiscountType",
    "EventListing",
    "Explanation",
    "FlatFeeBehavior",
    "Invoice",
    "InvoiceLine",
    "Item",
    "LineKind",
    "LineReference",
    "Measured",
    "Metered",
    "PaymentStatus",
    "PendingLines",
    "PeriodBilling",
    "Slice",
    "Stretch",
    "TaxCategory",
    "TaxRate",
    "TaxSubtotal",
    "TaxTerms",
    "TaxedAmount",
    "Terms",
    "Totals",
    "adjusted",
    "adjusted_change",
    "adjusted_usage",
    "adjustment_base",
    "adjustment_of",
    "advance_lines",
    "amount_definition",
    "amount_properties",
    "arrears_lines",
    "billed_period",
    "cause_of_credit",
    "cause_of_period",
    "cause_of_start",
    "cause_of_threshold",
    "cause_of_usage",
    "change_lines",
    "commitment_lines",
    "components_due",
    "correct",
    "credit_note_amounts",
    "credit_of_cause",
    "explain",
    "held_lines",
    "invoiced",
    "is_billed_in_parts",
    "item_of_charge",
    "item_of_prepaid",
    "items_of",
    "moved_end_lines",
    "needs_values",
    "net_line_amounts",
    "nets_of",
    "pending_lines_of",
    "sentences",
    "settled_charge_lines",
    "slice_of",
    "standard_rate",
    "stretches_of",
    "tax_subtotals",
    "total_of",
    "until_for_all",
    "usage_digest",
    "usage_lines",
    "what_is_left",
]
