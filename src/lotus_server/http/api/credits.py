"""`/api/credits/`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from lotus_server.http.api.deps import Caller, link_to_next, paging, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.ports.records import Page
from lotus_server.usecases.credits import create_credit, get_credit, list_credits, update_credit, void_credit
from lotus_server.wire.credits import (
    CreditForm,
    CreditUpdateForm,
    credit_change,
    credit_draft,
    credit_question,
    credit_row,
    credit_statuses,
)

router = APIRouter(prefix="/api/credits", tags=["Credits"], responses=PROBLEMS)
Writer = Annotated[Caller, Depends(writing)]
Reader = Annotated[Caller, Depends(reading)]
Payload = Annotated[object, Depends(json_body)]


@router.get("/", summary="List credits")
def list_all(
    request: Request,
    caller: Reader,
    page: Annotated[Page, Depends(paging)],
    *,
    customer_id: str | None = None,
    currency_code: str | None = None,
    effective_after: str | None = None,
    effective_before: str | None = None,
    expires_after: str | None = None,
    expires_before: str | None = None,
    issued_after: str | None = None,
    issued_before: str | None = None,
    status: Annotated[list[str] | None, Query(description="active or inactive")] = None,
    status_list: Annotated[list[str] | None, Query(alias="status[]")] = None,
) -> Response:
    """Return credits with what was drawn from them; `..._after` is included in a period, `..._before` is not."""
    given = {
        "customer_id": customer_id,
        "currency_code": currency_code,
        "effective_after": effective_after,
        "effective_before": effective_before,
        "expires_after": expires_after,
        "expires_before": expires_before,
        "issued_after": issued_after,
        "issued_before": issued_before,
    }
    question = credit_question({key: value for key, value in given.items() if value is not None})
    statuses = credit_statuses((*(status or ()), *(status_list or ())))
    views, keys = list_credits(caller.services, caller.organization, page, question, statuses)
    return json_reply(200, [credit_row(view) for view in views], link_to_next(request, page, keys))


@router.post("/", status_code=201, summary="Give a customer credit", openapi_extra=body_of(CreditForm))
def create(caller: Writer, payload: Payload) -> Response:
    """Give a customer credit, which pays their invoices from then on."""
    return json_reply(201, credit_row(create_credit(caller.services, caller.organization, credit_draft(payload))))


@router.get("/{credit_id}/", summary="One credit")
def one(credit_id: str, caller: Reader) -> Response:
    """Return one credit."""
    return json_reply(200, credit_row(get_credit(caller.services, caller.organization, credit_id)))


@router.post("/{credit_id}/update/", summary="Change a credit", openapi_extra=body_of(CreditUpdateForm))
def update(credit_id: str, caller: Writer, payload: Payload) -> Response:
    """Change description or expiry; nothing else of a credit ever changes."""
    view = update_credit(caller.services, caller.organization, credit_id, credit_change(payload))
    return json_reply(200, credit_row(view))


@router.post("/{credit_id}/void/", summary="Void a credit")
def void(credit_id: str, caller: Writer) -> Response:
    """Take back what is left of a credit."""
    return json_reply(200, credit_row(void_credit(caller.services, caller.organization, credit_id)))
