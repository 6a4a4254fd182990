"""Lines that are due already and wait for the customer's next invoice."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from lotus_server.domain.invoicing.billed import BilledPeriod
from lotus_server.domain.invoicing.invoice import Invoice, InvoiceLine


class PendingLines(msgspec.Struct, frozen=True):
    """What would have been an invoice of a subscription, and comes onto the customer's next one in its currency.

    `cause` is that of the invoice that it would have been, unique among pending lines. If no invoice comes before, the
    lines have one of their own at `due_at`, the end of the period in which they arose. `billed` is how a period's usage
    is billed by the lines (null: none is); it has the invoice once there is one, and then `invoice_id` is set.
    `parked_cause` says why they could not be invoiced, and then `due_at` is the next try.
    """

    organization_id: str
    pending_id: str
    customer_id: str
    subscription_id: str
    currency: str
    cause: str
    lines: tuple[InvoiceLine, ...]
    created_at: datetime
    due_at: datetime
    billed: BilledPeriod | None = None
    invoice_id: str | None = None
    parked_cause: str | None = None


def pending_lines_of(waiting: Sequence[PendingLines]) -> tuple[InvoiceLine, ...]:
    """Return the lines that wait, in their order."""
    return tuple(line for each in waiting for line in each.lines)


def invoiced(waiting: Sequence[PendingLines], invoice: Invoice, *, place: int) -> list[PendingLines]:
    """Return what waited, as it is on an invoice from a place of its lines on."""
    found = []
    for each in waiting:
        billed = None if each.billed is None else _billed_by(each.billed, invoice, place)
        found.append(msgspec.structs.replace(each, invoice_id=invoice.invoice_id, billed=billed, parked_cause=None))
        place += len(each.lines)
    return found


def _billed_by(billed: BilledPeriod, invoice: Invoice, place: int) -> BilledPeriod:
    lines = tuple(
        each
        if each.line is None or each.invoice_id is not None
        else msgspec.structs.replace(each, line=each.line + place)
        for each in billed.lines
    )
    return msgspec.structs.replace(
        billed, invoice_id=invoice.invoice_id, invoice_number=invoice.invoice_number, lines=lines
    )
