"""`/api/credit_notes/`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from lotus_server.http.api.deps import Caller, link_to_next, paging, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.files import PDF, XML, described, file_reply
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.ports.records import Page
from lotus_server.usecases.credit_notes import (
    create_credit_note,
    credit_note_pdf,
    get_credit_note,
    list_credit_notes,
)
from lotus_server.usecases.e_invoices import EInvoiceFormat, credit_note_factur_x, credit_note_xml
from lotus_server.wire.credit_notes import CreditNoteForm, credit_note_draft, credit_note_row

router = APIRouter(prefix="/api/credit_notes", tags=["Invoices"], responses=PROBLEMS)


@router.get("/", summary="List credit notes")
def list_all(
    request: Request,
    caller: Annotated[Caller, Depends(reading)],
    page: Annotated[Page, Depends(paging)],
    customer_id: str | None = None,
) -> Response:
    """Return credit notes with their lines, newest number first."""
    views = list_credit_notes(caller.services, caller.organization, page, customer_id=customer_id)
    link = link_to_next(request, page, [view.note.credit_note_id for view in views])
    return json_reply(200, [credit_note_row(view) for view in views], link)


@router.post("/", status_code=201, summary="Take back an invoice", openapi_extra=body_of(CreditNoteForm))
def create(caller: Annotated[Caller, Depends(writing)], payload: Annotated[object, Depends(json_body)]) -> Response:
    """Issue a credit note over parts of lines, or over everything that is left of an invoice."""
    view = create_credit_note(caller.services, caller.organization, credit_note_draft(payload))
    return json_reply(201, credit_note_row(view))


@router.get("/{credit_note_id}/", summary="One credit note")
def one(credit_note_id: str, caller: Annotated[Caller, Depends(reading)]) -> Response:
    """Return one credit note."""
    return json_reply(200, credit_note_row(get_credit_note(caller.services, caller.organization, credit_note_id)))


@router.get(
    "/{credit_note_id}/pdf/", summary="A credit note as PDF", response_class=Response, responses={200: described(PDF)}
)
def pdf(
    credit_note_id: str, caller: Annotated[Caller, Depends(reading)], e_invoice: Literal["facturx"] | None = None
) -> Response:
    """Return a credit note as a PDF/A-3 document; with `e_invoice=facturx` its XML for machines is attached."""
    make = credit_note_pdf if e_invoice is None else credit_note_factur_x
    number, document = make(caller.services, caller.organization, credit_note_id)
    return file_reply(document, f"{number}.pdf", PDF)


@router.get(
    "/{credit_note_id}/xml/", summary="A credit note as XML", response_class=Response, responses={200: described(XML)}
)
def xml(
    credit_note_id: str,
    caller: Annotated[Caller, Depends(reading)],
    wanted: Annotated[EInvoiceFormat, Query(alias="format")] = EInvoiceFormat.UBL,
) -> Response:
    """Return a credit note as an e-invoice of EN 16931 in UBL 2.1, in UBL by the rules of Peppol, or in CII."""
    number, document = credit_note_xml(caller.services, caller.organization, credit_note_id, wanted)
    return file_reply(document, f"{number}.xml", XML)
