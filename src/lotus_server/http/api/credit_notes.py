"""`/api/credit_notes/`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from lotus_server.http.api.deps import Caller, link_to_next, paging, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.ports.records import Page
from lotus_server.usecases.credit_notes import (
    create_credit_note,
    credit_note_pdf,
    get_credit_note,
    list_credit_notes,
)
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
    "/{credit_note_id}/pdf/",
    summary="A credit note as PDF",
    response_class=Response,
    responses={200: {"description": "The document", "content": {"application/pdf": {}}}},
)
def pdf(credit_note_id: str, caller: Annotated[Caller, Depends(reading)]) -> Response:
    """Return a credit note as a PDF/A-3 document."""
    number, document = credit_note_pdf(caller.services, caller.organization, credit_note_id)
    headers = {"content-disposition": f'inline; filename="{number}.pdf"'}
    return Response(document, media_type="application/pdf", headers=headers)
