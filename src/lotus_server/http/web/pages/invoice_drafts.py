"""Drafts: the invoices that wait for the end of a grace, issued before their time, one or all with a progress bar."""

from typing import Final

from starlette.responses import Response

from lotus_server.domain.invoicing import PaymentStatus
from lotus_server.http.web.pages.invoices import FILTERS, OPEN_STATES, by_state, path_of
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import PAGE_ROWS, Visit
from lotus_server.kernel.errors import LotusError
from lotus_server.usecases.billing_progress import billing_progress
from lotus_server.usecases.invoice_reading import InvoiceState, sum_invoices
from lotus_server.usecases.waiting_invoices import (
    count_waiting,
    finalize_invoice,
    finalize_waiting,
    get_invoice_or_draft,
    list_waiting,
)

# So many that a step takes about a second, and the bar moves.
STEP: Final = 200

pages = Pages()


@pages.get("/invoices/drafts/")
def list_page(visit: Visit) -> Response:
    """List what waits, the earliest period first."""
    views = visit.do(list_waiting, visit.page_asked())
    return visit.page(
        "invoices/drafts.html",
        views=views,
        next_cursor=views[-1].invoice.invoice_id if len(views) == PAGE_ROWS else None,
        waiting=visit.do(count_waiting),
        sums=by_state(visit.do(sum_invoices, states=OPEN_STATES)),
        states=list(InvoiceState),
        here=PaymentStatus.DRAFT,
        filters=FILTERS,
    )


@pages.get("/invoices/drafts/finalize")
def ask_for_all(visit: Visit) -> Response:
    """Say what issuing all of them means before it is done."""
    visit.require(finalize_waiting)
    return visit.page("invoices/drafts_finalize.html", fragment="dialog", waiting=visit.do(count_waiting))


@pages.post("/invoices/drafts/finalize")
def begin(visit: Visit) -> Response:
    """Lead to the page on which all of them are issued, step by step."""
    visit.require(finalize_waiting)
    return visit.redirect(visit.url("invoices/drafts/progress", of=visit.do(count_waiting), go="on"))


@pages.get("/invoices/drafts/progress")
def progress_page(visit: Visit) -> Response:
    """Show how many still wait; looking at it again goes on where it stopped."""
    visit.require(finalize_waiting)
    return _progress(visit, visit.do(count_waiting))


@pages.post("/invoices/drafts/progress")
def step(visit: Visit) -> Response:
    """Issue some of them, and show how many are left."""
    return _progress(visit, visit.do(finalize_waiting, STEP).waiting)


def _progress(visit: Visit, waiting: int) -> Response:
    text = visit.query.get("of", "")
    whole = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return visit.page("invoices/progress.html", fragment="progress", waiting=waiting, whole=max(whole, waiting))


@pages.get("/billing-run")
def run_page(visit: Visit) -> Response:
    """Show how far the billing run under way is; after one that was `seen`, that it is done."""
    return visit.page("invoices/run.html", fragment="run", run=visit.do(billing_progress))


@pages.get("/invoices/{invoice_id}/finalize")
def ask(visit: Visit) -> Response:
    """Say what issuing an invoice before its time means."""
    visit.require(finalize_invoice)
    view = visit.do(get_invoice_or_draft, visit.part("invoice_id"))
    return visit.page("invoices/finalize.html", fragment="dialog", view=view, invoice=view.invoice)


@pages.post("/invoices/{invoice_id}/finalize")
def finalize(visit: Visit) -> Response:
    """Issue it, or say why not."""
    visit.require(finalize_invoice)
    invoice_id = visit.part("invoice_id")
    try:
        issued = visit.do(finalize_invoice, invoice_id).invoice
    except LotusError as error:
        view = visit.do(get_invoice_or_draft, invoice_id)
        return visit.again(error, "invoices/finalize.html", fragment="dialog", view=view, invoice=view.invoice)
    return visit.redirect(path_of(visit, issued.invoice_id), f"Invoice {issued.invoice_number} is issued.")
