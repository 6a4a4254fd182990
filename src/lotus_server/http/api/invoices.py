"""`/api/invoices/`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import PlainTextResponse

from lotus_server.domain.invoicing import PaymentStatus
from lotus_server.http.api.deps import Caller, link_to_next, paging, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.files import PDF, XML, described, file_reply
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.ports.records import Page
from lotus_server.usecases.documents import invoice_pdf
from lotus_server.usecases.e_invoices import EInvoiceFormat, invoice_factur_x, invoice_xml
from lotus_server.usecases.invoice_reading import narrowed
from lotus_server.usecases.invoices import get_invoice, list_invoices, set_payment_status, void_invoice
from lotus_server.usecases.one_off_invoices import issue_one_off
from lotus_server.usecases.waiting_invoices import (
    finalize_invoice,
    finalize_waiting,
    get_invoice_or_draft,
    list_waiting,
)
from lotus_server.wire.explain import invoice_explanation_row, invoice_text
from lotus_server.wire.invoice_reading import invoice_selection
from lotus_server.wire.invoices import PaymentForm, invoice_row, payment_status
from lotus_server.wire.one_off_invoices import OneOffForm, one_off_draft

router = APIRouter(prefix="/api/invoices", tags=["Invoices"], responses=PROBLEMS)


@router.get("/", summary="List invoices")
def list_all(
    request: Request,
    caller: Annotated[Caller, Depends(reading)],
    page: Annotated[Page, Depends(paging)],
    *,
    customer_id: str | None = None,
    payment_status: Annotated[
        str | None,
        Query(description="draft (it waits), unpaid, past_due (a part of unpaid), paid, voided or uncollectible"),
    ] = None,
    plan_id: Annotated[str | None, Query(description="The plan of the first line that is by one.")] = None,
    currency_code: str | None = None,
    number: Annotated[str | None, Query(description="A part of the invoice number.")] = None,
    issued_after: str | None = None,
    issued_before: str | None = None,
    due_after: str | None = None,
    due_before: str | None = None,
    amount_min: Annotated[str | None, Query(description="The least amount, included.")] = None,
    amount_max: Annotated[str | None, Query(description="The greatest amount, included.")] = None,
    sort: Annotated[str | None, Query(description="number (default), issue_date, due_date or amount")] = None,
    order: Annotated[str | None, Query(description="desc (default) or asc")] = None,
) -> Response:
    """Return issued invoices with their lines, newest number first unless it says otherwise.

    `..._after` is included in a period, `..._before` is not.
    """
    given = {
        "customer_id": customer_id,
        "payment_status": payment_status,
        "plan_id": plan_id,
        "currency_code": currency_code,
        "number": number,
        "issued_after": issued_after,
        "issued_before": issued_before,
        "due_after": due_after,
        "due_before": due_before,
        "amount_min": amount_min,
        "amount_max": amount_max,
        "sort": sort,
        "order": order,
    }
    if payment_status == PaymentStatus.DRAFT.value:
        return _drafts(request, caller, page)
    asked = invoice_selection({key: value for key, value in given.items() if value is not None})
    question = narrowed(caller.services, caller.organization, asked.question, asked.state)
    views = list_invoices(caller.services, caller.organization, page, question)
    link = link_to_next(request, page, [view.invoice.invoice_id for view in views])
    return json_reply(200, [invoice_row(view) for view in views], link)


def _drafts(request: Request, caller: Caller, page: Page) -> Response:
    """Return the invoices that wait for the end of a grace; other filters do not apply."""
    views = list_waiting(caller.services, caller.organization, page)
    link = link_to_next(request, page, [view.invoice.invoice_id for view in views])
    return json_reply(200, [invoice_row(view) for view in views], link)


@router.post("/finalize/", status_code=200, summary="Issue all invoices that wait")
def finalize_all(caller: Annotated[Caller, Depends(writing)]) -> Response:
    """Issue now what waits for the end of a grace, of up to 5,000 subscriptions; whoever has more asks again."""
    outcome = finalize_waiting(caller.services, caller.organization)
    return json_reply(200, {"status": "success", "finalized": outcome.finalized, "waiting": outcome.waiting})


@router.post("/", status_code=201, summary="Issue a one-off invoice", openapi_extra=body_of(OneOffForm))
def create(caller: Annotated[Caller, Depends(writing)], payload: Annotated[object, Depends(json_body)]) -> Response:
    """Issue an invoice for what is sold beside subscriptions, with its number, tax, and paid from credit."""
    view = issue_one_off(caller.services, caller.organization, one_off_draft(payload))
    return json_reply(201, invoice_row(view))


@router.get("/{invoice_id}/", summary="One invoice")
def one(invoice_id: str, caller: Annotated[Caller, Depends(reading)]) -> Response:
    """Return one invoice; each line explains how its amount came about."""
    return json_reply(200, invoice_row(get_invoice_or_draft(caller.services, caller.organization, invoice_id)))


@router.get("/{invoice_id}/pdf/", summary="An invoice as PDF", response_class=Response, responses={200: described(PDF)})
def pdf(
    invoice_id: str, caller: Annotated[Caller, Depends(reading)], e_invoice: Literal["facturx"] | None = None
) -> Response:
    """Return an invoice as a PDF/A-3 document.

    With `e_invoice=facturx` it is a hybrid one: the invoice as it was issued, with its XML for machines attached.
    """
    make = invoice_pdf if e_invoice is None else invoice_factur_x
    number, document = make(caller.services, caller.organization, invoice_id)
    return file_reply(document, f"invoice-{number}.pdf", PDF)


@router.get("/{invoice_id}/xml/", summary="An invoice as XML", response_class=Response, responses={200: described(XML)})
def xml(
    invoice_id: str,
    caller: Annotated[Caller, Depends(reading)],
    wanted: Annotated[EInvoiceFormat, Query(alias="format")] = EInvoiceFormat.UBL,
) -> Response:
    """Return an invoice as an e-invoice of EN 16931 in UBL 2.1, in UBL by the rules of Peppol, or in CII."""
    number, document = invoice_xml(caller.services, caller.organization, invoice_id, wanted)
    return file_reply(document, f"invoice-{number}.xml", XML)


@router.get("/{invoice_id}/explain/", summary="Why an invoice is that much")
def explain_one(
    invoice_id: str,
    request: Request,
    caller: Annotated[Caller, Depends(reading)],
    wanted: Annotated[
        Literal["json", "text"] | None, Query(alias="format", description="json (default) or text.")
    ] = None,
) -> Response:
    """Return what was measured for each line, each step of its calculation, the rounding, and how to list its events.

    As text, also for a caller that accepts `text/plain`, it can be read from top to bottom.
    """
    view = get_invoice(caller.services, caller.organization, invoice_id)
    accepts_text = request.headers.get("accept", "").split(",")[0].strip().startswith("text/plain")
    if wanted == "text" or (wanted is None and accepts_text):
        return PlainTextResponse(invoice_text(view))
    return json_reply(200, invoice_explanation_row(view))


@router.post("/{invoice_id}/finalize/", status_code=200, summary="Issue an invoice that waits")
def finalize(invoice_id: str, caller: Annotated[Caller, Depends(writing)]) -> Response:
    """Issue now an invoice that waits for the end of a grace, by its draft's id."""
    return json_reply(200, invoice_row(finalize_invoice(caller.services, caller.organization, invoice_id)))


@router.post("/{invoice_id}/void/", summary="Void an invoice")
def void(invoice_id: str, caller: Annotated[Caller, Depends(writing)]) -> Response:
    """Make an unpaid invoice as if it had never been; the credit that it used is given back."""
    return json_reply(200, invoice_row(void_invoice(caller.services, caller.organization, invoice_id)))


@router.patch("/{invoice_id}/", summary="Mark as paid, unpaid or uncollectible", openapi_extra=body_of(PaymentForm))
def mark(
    invoice_id: str, caller: Annotated[Caller, Depends(writing)], payload: Annotated[object, Depends(json_body)]
) -> Response:
    """Note that an invoice was paid outside or will not be, or take that back."""
    view = set_payment_status(caller.services, caller.organization, invoice_id, payment_status(payload))
    return json_reply(200, invoice_row(view))
