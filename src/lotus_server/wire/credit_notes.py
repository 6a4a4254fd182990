"""Credit notes on the wire."""

from typing import Any

from pydantic import Field

from lotus_server.domain.invoicing import CreditedLine
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.usecases.credit_notes import CreditNoteDraft, CreditNoteView
from lotus_server.wire.forms import Form, Number, Text, currency_row, read, required
from lotus_server.wire.invoices import tax_row

Row = dict[str, Any]


class CreditedLineForm(Form):
    """A part of a line to be taken back."""

    line: int | None = Field(None, description="The place of the line on the invoice, from 0.")
    amount: Number = Field(None, description="How much of it, without tax.")


class CreditNoteForm(Form):
    """A credit note to be made."""

    invoice_id: Text = None
    reason: Text = None
    lines: list[CreditedLineForm] | None = Field(None, description="Everything that is left when missing.")


def credit_note_draft(payload: object) -> CreditNoteDraft:
    """Return the draft that a body describes, with the problems found in it."""
    problems = Problems()
    form = read(CreditNoteForm, payload, problems)
    lines: list[CreditedLine] = []
    for index, line in enumerate(form.lines or ()):
        if line.line is None or line.amount is None:
            problems.add(f"lines[{index}]", "required", f"lines[{index}] has a line and an amount.")
        else:
            lines.append(CreditedLine(line.line, line.amount))
    if form.lines is not None and not form.lines:
        problems.add("lines", "required", "Leave lines out to take back everything, or name at least one.")
    return CreditNoteDraft(
        invoice_id=required(problems, "invoice_id", form.invoice_id),
        reason=required(problems, "reason", form.reason),
        lines=None if form.lines is None else tuple(lines),
        problems=problems.found,
    )


def credit_note_row(view: CreditNoteView) -> Row:
    """Return a credit note with its lines."""
    note, customer = view.note, view.customer
    return {
        "credit_note_id": note.credit_note_id,
        "credit_note_number": note.credit_note_number,
        "invoice_id": note.invoice_id,
        "invoice_number": view.invoice.invoice_number,
        "customer": {"customer_id": customer.customer_id, "customer_name": customer.customer_name},
        "currency": currency_row(note.currency),
        "issue_date": to_text(note.issued_at),
        "reason": note.reason,
        "lines": [
            {"line": line.line, "name": name, "amount": line.amount}
            for name, line in zip(note.names, note.amounts.lines, strict=True)
        ],
        "subtotal": note.amounts.net,
        "taxes": [tax_row(each) for each in note.amounts.taxes],
        "total": note.amounts.total,
        "reduced_due": note.reduced_due,
        "credited_to_balance": note.credited,
    }
