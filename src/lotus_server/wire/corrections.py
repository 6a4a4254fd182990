"""Corrections that no invoice has so far, on the wire."""

from typing import Any

from lotus_server.kernel.money import total
from lotus_server.usecases.corrections import OpenCorrection
from lotus_server.wire.forms import currency_row
from lotus_server.wire.invoices import line_row

Row = dict[str, Any]


def correction_row(correction: OpenCorrection) -> Row:
    """Return what a billed period comes to more, or less when negative, than was invoiced for it."""
    billed, terms = correction.closed.billed, correction.closed.terms
    return {
        "subscription_id": billed.subscription_id,
        "invoice_id": billed.invoice_id,
        "invoice_number": billed.invoice_number,
        "currency": currency_row(billed.currency),
        "amount": total(line.amount for line in correction.lines),
        "line_items": [line_row(line, (terms.plan, terms.version), terms.subscription) for line in correction.lines],
    }
