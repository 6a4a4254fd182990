"""Lines that wait for the customer's next invoice, in JSON."""

from typing import Any

from lotus_server.kernel.instants import to_text
from lotus_server.kernel.money import total
from lotus_server.usecases.pending_billing import PendingView
from lotus_server.wire.forms import currency_row
from lotus_server.wire.invoices import line_row

Row = dict[str, Any]


def pending_row(view: PendingView) -> Row:
    """Return lines that wait, with the time at which they are invoiced at the latest."""
    pending = view.pending
    return {
        "pending_id": pending.pending_id,
        "subscription_id": pending.subscription_id,
        "currency": currency_row(pending.currency),
        "amount": total(line.amount for line in pending.lines),
        "created": to_text(pending.created_at),
        "invoiced_by": to_text(pending.due_at),
        "parked_cause": pending.parked_cause,
        "line_items": [line_row(line, view.plans[line.version_id or ""], view.subscription) for line in pending.lines],
    }
