"""Credit notes: taking back issued invoices, whole or in parts."""

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.credits import CreditGrant
from lotus_server.domain.invoicing import (
    CreditedLine,
    CreditNote,
    CreditNoteAmounts,
    Invoice,
    PaymentStatus,
    credit_note_amounts,
    nets_of,
    what_is_left,
)
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.errors import Conflict, FieldProblem, Invalid, NotFound, Problems
from lotus_server.kernel.identifiers import name_problem
from lotus_server.kernel.quantity import ZERO, add, subtract
from lotus_server.ports.documents import DocumentKind, DocumentLine, DocumentTax, InvoiceDocument
from lotus_server.ports.records import Page, Transaction
from lotus_server.usecases.credit_ledger import give_credit
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.documents import printed, printed_on, tax_rows
from lotus_server.usecases.invoices import require_invoice
from lotus_server.usecases.services import Services, present

REASON_LENGTH_MAX: Final = 500


class CreditNoteDraft(msgspec.Struct, frozen=True):
    """A credit note to be made: parts of lines without tax (null: everything that is left), and why."""

    invoice_id: str
    reason: str
    lines: tuple[CreditedLine, ...] | None = None
    problems: tuple[FieldProblem, ...] = ()


class CreditNoteView(msgspec.Struct, frozen=True):
    """A credit note with its invoice and customer."""

    note: CreditNote
    invoice: Invoice
    customer: Customer


def create_credit_note(services: Services, organization: Organization, draft: CreditNoteDraft) -> CreditNoteView:
    """Issue a credit note.

    It first takes off what the invoice still has to be paid; the rest goes to the customer's balance, also when the
    invoice is paid. Raises Invalid with every problem, NotFound `invoice_not_found`, Conflict `invalid_state` for a
    voided invoice and for one of which nothing is left.
    """
    _refuse_wrong(draft)
    now = present(services, organization)
    with services.records.transaction() as tx:
        invoice = require_invoice(tx, organization, draft.invoice_id, for_update=True)
        amounts = _amounts(tx, organization, invoice, draft)
        number = tx.credit_notes.take_number(organization.organization_id)
        note = _note(invoice, amounts, draft.reason, now, (services.ids.new("credit_note"), number))
        _keep(services, tx, invoice, note)
        return CreditNoteView(
            note,
            require_invoice(tx, organization, invoice.invoice_id),
            require_customer(tx, organization, invoice.customer_id),
        )


def preview_credit_note(services: Services, organization: Organization, draft: CreditNoteDraft) -> CreditNoteView:
    """Return the credit note that `create_credit_note` would issue now, without id and number. Writes nothing.

    Raises what that raises.
    """
    _refuse_wrong(draft)
    with services.records.snapshot() as tx:
        invoice = require_invoice(tx, organization, draft.invoice_id)
        amounts = _amounts(tx, organization, invoice, draft)
        note = _note(invoice, amounts, draft.reason, present(services, organization))
        return CreditNoteView(note, invoice, require_customer(tx, organization, invoice.customer_id))


def _refuse_wrong(draft: CreditNoteDraft) -> None:
    problems = Problems()
    problems.extend(draft.problems)
    if not problems.any_below("reason") and (wrong := name_problem(draft.reason, length_max=REASON_LENGTH_MAX)):
        problems.add("reason", "invalid", f"reason {wrong}.")
    problems.raise_if_any()


def _amounts(
    tx: Transaction, organization: Organization, invoice: Invoice, draft: CreditNoteDraft
) -> CreditNoteAmounts:
    if invoice.payment_status is PaymentStatus.VOIDED:
        raise Conflict("A voided invoice has nothing to take back.", code="invalid_state")
    earlier = [note.amounts for note in tx.credit_notes.of_invoice(organization.organization_id, invoice.invoice_id)]
    nets = nets_of(invoice)
    left = what_is_left(nets, earlier)
    if not left:
        raise Conflict("Everything of this invoice has been credited already.", code="invalid_state")
    wanted = left if draft.lines is None else draft.lines
    amounts = credit_note_amounts(nets, invoice.taxes, earlier, wanted, currency(invoice.currency))
    if amounts.total < ZERO:
        raise Invalid.field("lines", "negative", "What is taken back must not come to less than nothing.")
    return amounts


def _note(
    invoice: Invoice, amounts: CreditNoteAmounts, reason: str, now: datetime, named: tuple[str, int] | None = None
) -> CreditNote:
    """Return the credit note of amounts; `named` is its id and its place in the series, null for a preview."""
    is_open = invoice.payment_status in {PaymentStatus.UNPAID, PaymentStatus.UNCOLLECTIBLE}
    reduced = min(amounts.total, invoice.amount_due) if is_open else ZERO
    credit_note_id, number = ("", "") if named is None else (named[0], f"CN-{now:%y%m%d}-{named[1]:06d}")
    return CreditNote(
        organization_id=invoice.organization_id,
        credit_note_id=credit_note_id,
        credit_note_number=number,
        invoice_id=invoice.invoice_id,
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        issued_at=now,
        reason=reason,
        amounts=amounts,
        names=tuple(invoice.lines[line.line].name for line in amounts.lines),
        reduced_due=reduced,
        credited=subtract(amounts.total, reduced),
    )


def _keep(services: Services, tx: Transaction, invoice: Invoice, note: CreditNote) -> None:
    tx.credit_notes.add(note)
    if note.reduced_due:
        changed = msgspec.structs.replace(invoice, credited=add(invoice.credited, note.reduced_due))
        if not changed.amount_due:
            changed = msgspec.structs.replace(changed, payment_status=PaymentStatus.PAID)
        tx.invoices.replace_status(changed)
    if note.credited:
        _credit_customer(services, tx, note, note.credited)


def _credit_customer(services: Services, tx: Transaction, note: CreditNote, amount: Decimal) -> None:
    grant = CreditGrant(
        organization_id=note.organization_id,
        credit_id=services.ids.new("credit"),
        customer_id=note.customer_id,
        currency=note.currency,
        amount=amount,
        granted_at=note.issued_at,
        effective_at=note.issued_at,
        description=f"Credit note {note.credit_note_number}",
    )
    give_credit(services, tx, grant)


def list_credit_notes(
    services: Services, organization: Organization, page: Page, *, customer_id: str | None = None
) -> list[CreditNoteView]:
    """Return credit notes, newest number first."""
    with services.records.snapshot() as tx:
        notes = tx.credit_notes.page(organization.organization_id, page, customer_id=customer_id)
        return [_view(tx, organization, note) for note in notes]


def get_credit_note(services: Services, organization: Organization, credit_note_id: str) -> CreditNoteView:
    """Return one credit note. Raises NotFound `credit_note_not_found`."""
    with services.records.snapshot() as tx:
        note = tx.credit_notes.get(organization.organization_id, credit_note_id)
        if note is None:
            raise NotFound(f"There is no credit note {credit_note_id!r}.", code="credit_note_not_found")
        return _view(tx, organization, note)


def _view(tx: Transaction, organization: Organization, note: CreditNote) -> CreditNoteView:
    return CreditNoteView(
        note,
        require_invoice(tx, organization, note.invoice_id),
        require_customer(tx, organization, note.customer_id),
    )


def credit_note_pdf(services: Services, organization: Organization, credit_note_id: str) -> tuple[str, bytes]:
    """Return a credit note's number and the credit note as PDF. Raises NotFound `credit_note_not_found`."""
    view = get_credit_note(services, organization, credit_note_id)
    return view.note.credit_note_number, printed(services, organization, document_of(view, organization))


def document_of(view: CreditNoteView, organization: Organization) -> InvoiceDocument:
    """Return what is printed of a credit note."""
    note, amounts = view.note, view.note.amounts
    lines = tuple(
        DocumentLine(name, view.invoice.lines[line.line].period, line.amount)
        for name, line in zip(note.names, amounts.lines, strict=True)
    )
    taxes: tuple[DocumentTax, ...] = tax_rows(amounts.taxes)
    return printed_on(
        organization,
        view.customer,
        kind=DocumentKind.CREDIT_NOTE,
        number=note.credit_note_number,
        issued_at=note.issued_at,
        due_at=None,
        currency=note.currency,
        lines=lines,
        subtotal=amounts.net,
        total=amounts.total,
        amount_due=amounts.total,
        taxes=taxes,
        notes=(note.reason,),
        refers_to=view.invoice.invoice_number,
    )


def credit_notes_of(services: Services, organization: Organization, invoice_id: str) -> list[CreditNote]:
    """Return the credit notes of an invoice, oldest first. Raises NotFound `invoice_not_found`."""
    with services.records.snapshot() as tx:
        require_invoice(tx, organization, invoice_id)
        return tx.credit_notes.of_invoice(organization.organization_id, invoice_id)
