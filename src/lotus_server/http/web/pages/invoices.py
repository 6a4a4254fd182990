"""Invoices: the list by state, one with the explanation of each line, its documents, and what can be done with it."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from starlette.responses import Response

from lotus_server.domain.accounts import AuditEntry, Customer
from lotus_server.domain.invoicing import CreditNote, LineKind, PaymentStatus, what_is_left
from lotus_server.domain.invoicing import nets_of as lines_without_tax
from lotus_server.http.files import PDF, XML
from lotus_server.http.web.addresses import segment
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import PAGE_ROWS, Visit
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.errors import Invalid, NotFound
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.money import round_to_minor_unit
from lotus_server.ports.audit_records import AuditQuestion
from lotus_server.ports.event_store import EventQuery
from lotus_server.ports.invoice_reading import EVERY_INVOICE, InvoiceOrder
from lotus_server.ports.paging import Page
from lotus_server.usecases.audit import list_audit
from lotus_server.usecases.billing_progress import billing_progress
from lotus_server.usecases.credit_notes import credit_note_pdf, credit_notes_of
from lotus_server.usecases.documents import invoice_pdf
from lotus_server.usecases.e_invoices import EInvoiceFormat, invoice_factur_x, invoice_xml
from lotus_server.usecases.events import list_events
from lotus_server.usecases.invoice_reading import InvoiceHead, InvoiceState, StateSum, list_invoice_heads, sum_invoices
from lotus_server.usecases.invoices import InvoiceView
from lotus_server.usecases.waiting_invoices import count_waiting, get_invoice_or_draft
from lotus_server.wire.explain import invoice_explanations
from lotus_server.wire.invoice_reading import InvoiceSelection, invoice_selection

CSV_ROWS_MAX: Final = 1_000_000
_CSV_ROWS_AT_ONCE: Final = 5_000
EVENTS_SHOWN: Final = 100
HISTORY_SHOWN: Final = 50
LINES_SHOWN: Final = 100
# What there is a lot of comes after the page: these alone are counted before it is shown.
OPEN_STATES: Final = (InvoiceState.UNPAID, InvoiceState.PAST_DUE, InvoiceState.UNCOLLECTIBLE)
SORTS: Final = (("issue_date", "Issue date"), ("due_date", "Due date"), ("amount", "Amount"), ("number", "Number"))
FILTERS: Final = (
    "customer_id",
    "payment_status",
    "plan_id",
    "currency_code",
    "number",
    "issued_after",
    "issued_before",
    "due_after",
    "due_before",
    "amount_min",
    "amount_max",
    "sort",
    "order",
)
NOTHING_ASKED: Final = InvoiceSelection(msgspec.structs.replace(EVERY_INVOICE, order=InvoiceOrder.ISSUE_DATE))

pages = Pages()


def _asked(visit: Visit) -> InvoiceSelection:
    """Return what the address asks for, newest first without a word. What is wrong with it stands in the form."""
    given = {name: text for name in FILTERS if (text := visit.query.get(name, ""))}
    try:
        return invoice_selection({"sort": "issue_date", **given})
    except Invalid as error:
        visit.form.with_error(error)
        return NOTHING_ASKED


@pages.get("/invoices/")
def list_page(visit: Visit) -> Response:
    """List invoices by state and filters, a page at a time, with what they come to."""
    asked = _asked(visit)
    heads = visit.do(list_invoice_heads, visit.page_asked(), asked.question, asked.state)
    after = heads[-1].invoice.invoice_id if len(heads) == PAGE_ROWS else None
    is_filtered = any(visit.query.get(name) for name in FILTERS if name not in {"sort", "order"})
    return visit.page(
        "invoices/list.html",
        heads=heads,
        run=visit.do(billing_progress),
        next_cursor=after,
        is_filtered=is_filtered,
        sums=by_state(visit.do(sum_invoices, asked.question, OPEN_STATES)),
        states=list(InvoiceState),
        waiting=visit.do(count_waiting),
        here=asked.state,
        sorts=SORTS,
        filters=FILTERS,
    )


@pages.get("/invoices/sums")
def sums_page(visit: Visit) -> Response:
    """Show how many invoices are in each state, and what they come to."""
    asked = _asked(visit)
    return visit.page(
        "invoices/sums.html",
        fragment="sums",
        sums=by_state(visit.do(sum_invoices, asked.question)),
        states=list(InvoiceState),
        waiting=visit.do(count_waiting),
        here=PaymentStatus.DRAFT if visit.query.get("drafts") else asked.state,
        filters=FILTERS,
    )


def by_state(sums: list[StateSum]) -> dict[InvoiceState, StateSum]:
    """Return sums by their state."""
    return {each.state: each for each in sums}


@pages.get("/invoices/csv")
def list_csv(visit: Visit) -> Response:
    """Answer with the invoices of the list as a file, up to a limit."""
    asked = _asked(visit)
    header = ("number", "customer_id", "customer", "state", "issued", "due", "currency", "amount", "amount_due")
    heads = _all_of(visit, asked)
    return visit.csv("invoices.csv", header, (_csv_row(each) for each in heads))


def _all_of(visit: Visit, asked: InvoiceSelection) -> Iterator[InvoiceHead]:
    page = Page(_CSV_ROWS_AT_ONCE)
    for _ in range(CSV_ROWS_MAX // _CSV_ROWS_AT_ONCE):
        heads = visit.do(list_invoice_heads, page, asked.question, asked.state)
        yield from heads
        if len(heads) < _CSV_ROWS_AT_ONCE:
            return
        page = Page(_CSV_ROWS_AT_ONCE, heads[-1].invoice.invoice_id)


def _csv_row(head: InvoiceHead) -> tuple[object, ...]:
    invoice, customer = head.invoice, head.customer
    unit = currency(invoice.currency)
    return (
        invoice.invoice_number,
        customer.customer_id,
        customer.customer_name,
        state_of(head),
        to_text(invoice.issued_at),
        to_text(invoice.due_at),
        invoice.currency,
        round_to_minor_unit(invoice.total, unit),
        round_to_minor_unit(invoice.amount_due, unit),
    )


def state_of(head: InvoiceHead) -> str:
    """Return the word for where an invoice stands."""
    return InvoiceState.PAST_DUE.value if head.is_past_due else head.invoice.payment_status.value


@pages.get("/invoices/{invoice_id}/")
def one_page(visit: Visit) -> Response:
    """Show one invoice: parties, lines that explain themselves, sums, credit notes, documents and history."""
    view = visit.do(get_invoice_or_draft, visit.part("invoice_id"))
    is_draft = view.invoice.payment_status is PaymentStatus.DRAFT
    first = _first_line(visit, len(view.invoice.lines))
    notes = [] if is_draft else visit.do(credit_notes_of, view.invoice.invoice_id)
    return visit.page(
        "invoices/one.html",
        view=view,
        invoice=view.invoice,
        explanations=invoice_explanations(view)[first : first + LINES_SHOWN],
        first=first,
        shown_max=LINES_SHOWN,
        notes=notes,
        left=_left(view, notes),
        history=_history(visit, view),
        is_past_due=view.invoice.payment_status is PaymentStatus.UNPAID and view.invoice.due_at < visit.now,
        address=_address(view.customer),
        correction=LineKind.CORRECTION,
        e_invoices=list(EInvoiceFormat),
    )


def _first_line(visit: Visit, count: int) -> int:
    """Return the first of the lines that are shown: a long invoice comes in parts."""
    text = visit.query.get("from", "")
    asked = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    return min(asked, max(count - 1, 0)) // LINES_SHOWN * LINES_SHOWN


def _left(view: InvoiceView, notes: list[CreditNote]) -> bool:
    """Tell whether anything of an invoice can still be taken back."""
    if view.invoice.payment_status in {PaymentStatus.VOIDED, PaymentStatus.DRAFT}:
        return False
    return bool(what_is_left(lines_without_tax(view.invoice), [note.amounts for note in notes]))


def _history(visit: Visit, view: InvoiceView) -> list[AuditEntry]:
    """Return what people did with an invoice, newest first, for those who may see the audit log."""
    if not visit.may(list_audit):
        return []
    question = AuditQuestion(kind="invoice", thing_id=view.invoice.invoice_id)
    return visit.do(list_audit, Page(HISTORY_SHOWN), question)


def _address(customer: Customer) -> list[str]:
    """Return the lines of the address that stands on an invoice."""
    found: dict[str, Any] = customer.billing_address or customer.address or {}
    return [str(value) for value in found.values() if value]


@pages.get("/invoices/{invoice_id}/lines/{line}/events")
def events_page(visit: Visit) -> Response:
    """List the newest events that a line was made from."""
    view = visit.do(get_invoice_or_draft, visit.part("invoice_id"))
    place = visit.part("line")
    if not place.isascii() or not place.isdigit() or int(place) >= len(view.invoice.lines):
        raise NotFound("The invoice has no such line.")
    explanation = invoice_explanations(view)[int(place)]
    listing = explanation.events
    if listing is None:
        raise NotFound("This line charges for no usage, so it has no events.")
    start, end = listing.start, listing.end
    query = EventQuery(listing.customer_id, listing.event_name, start=start, end=end, limit=EVENTS_SHOWN)
    return visit.page(
        "invoices/events.html",
        fragment="dialog",
        view=view,
        explanation=explanation,
        listing=listing,
        events=visit.do(list_events, query),
        shown_max=EVENTS_SHOWN,
    )


@pages.get("/invoices/{invoice_id}/pdf")
def pdf(visit: Visit) -> Response:
    """Answer with the invoice as a PDF, `?e_invoice=facturx` with its data attached."""
    make = invoice_factur_x if visit.query.get("e_invoice") == "facturx" else invoice_pdf
    number, document = visit.do(make, visit.part("invoice_id"))
    return visit.file(document, f"invoice-{number}.pdf", PDF)


@pages.get("/invoices/{invoice_id}/xml")
def xml(visit: Visit) -> Response:
    """Answer with the invoice as an e-invoice."""
    try:
        wanted = EInvoiceFormat(visit.query.get("format", EInvoiceFormat.UBL.value))
    except ValueError:
        raise NotFound("There is no such format of e-invoices.") from None
    number, document = visit.do(invoice_xml, visit.part("invoice_id"), wanted)
    return visit.file(document, f"invoice-{number}.xml", XML)


@pages.get("/credit-notes/{credit_note_id}/pdf")
def note_pdf(visit: Visit) -> Response:
    """Answer with a credit note as a PDF."""
    number, document = visit.do(credit_note_pdf, visit.part("credit_note_id"))
    return visit.file(document, f"{number}.pdf", PDF)


def path_of(visit: Visit, invoice_id: str) -> str:
    """Return the address of an invoice's page."""
    return visit.url(f"invoices/{segment(invoice_id)}/")
