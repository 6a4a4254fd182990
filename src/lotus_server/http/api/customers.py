"""`/api/customers/` and what hangs below it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from lotus_server.http.api.deps import Caller, link_to_next, paging, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.files import PDF, described, file_reply
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEM_REF, PROBLEMS, body_of
from lotus_server.kernel.errors import NotFound
from lotus_server.ports.records import Page
from lotus_server.usecases.correction_invoices import invoice_corrections
from lotus_server.usecases.corrections import list_open_corrections
from lotus_server.usecases.customers import (
    change_customer,
    create_customer,
    create_customers,
    get_customer,
    list_customers,
)
from lotus_server.usecases.draft_documents import draft_pdf
from lotus_server.usecases.drafts import draft_invoices
from lotus_server.usecases.plans import get_plan
from lotus_server.wire.corrections import correction_row
from lotus_server.wire.customers import (
    BatchForm,
    CustomerForm,
    customer_batch,
    customer_change,
    customer_draft,
    customer_row,
)
from lotus_server.wire.drafts import draft_row, later_draft
from lotus_server.wire.invoices import invoice_row
from lotus_server.wire.lists import customer_question
from lotus_server.wire.plans import plan_row

router = APIRouter(prefix="/api", tags=["Customers"], responses=PROBLEMS)


@router.get("/customers/", summary="List customers")
def list_all(
    request: Request,
    caller: Annotated[Caller, Depends(reading)],
    page: Annotated[Page, Depends(paging)],
    *,
    search: Annotated[str | None, Query(description="Found in id, name or e-mail address, in any case.")] = None,
    subscribed: Annotated[str | None, Query(description="true: with an active subscription; false: without.")] = None,
    plan_id: Annotated[str | None, Query(description="With an active subscription to this plan.")] = None,
    outstanding: Annotated[str | None, Query(description="true: with an unpaid amount; false: without.")] = None,
    created_since: Annotated[str | None, Query(description="Made at this time or later.")] = None,
) -> Response:
    """Return the customers, or those asked for, with balance, invoices and active subscriptions."""
    question = customer_question(
        {
            "search": search,
            "subscribed": subscribed,
            "plan_id": plan_id,
            "outstanding": outstanding,
            "created_since": created_since,
        }
    )
    views = list_customers(caller.services, caller.organization, page, question)
    link = link_to_next(request, page, [view.customer.customer_id for view in views])
    return json_reply(200, [customer_row(view) for view in views], link)


@router.post("/customers/", status_code=201, summary="Create a customer", openapi_extra=body_of(CustomerForm))
def create(caller: Annotated[Caller, Depends(writing)], payload: Annotated[object, Depends(json_body)]) -> Response:
    """Make a customer; only `customer_id` is required."""
    view = create_customer(caller.services, caller.organization, customer_draft(payload))
    return json_reply(201, customer_row(view))


@router.post(
    "/batch_create_customers/",
    status_code=201,
    summary="Create many customers",
    openapi_extra=body_of(BatchForm),
    responses={
        400: {
            "description": "None of them could be made, or a problem document",
            "content": {"application/json": {}, "application/problem+json": {"schema": PROBLEM_REF}},
        }
    },
)
def create_batch(
    caller: Annotated[Caller, Depends(writing)], payload: Annotated[object, Depends(json_body)]
) -> Response:
    """Make up to 1,000 customers; each that cannot be made is reported by its id and does not hinder the others."""
    drafts, behavior = customer_batch(payload)
    failed = create_customers(caller.services, caller.organization, drafts, behavior)
    status = "none" if len(failed) == len(drafts) else "some" if failed else "all"
    return json_reply(400 if status == "none" else 201, {"success": status, "failed_customers": failed})


@router.get("/customer_detail/", summary="One customer, by query")
def detail(customer_id: str, caller: Annotated[Caller, Depends(reading)]) -> Response:
    """Return one customer."""
    return json_reply(200, customer_row(get_customer(caller.services, caller.organization, customer_id)))


@router.get("/customers/{customer_id}/", summary="One customer")
def one(customer_id: str, caller: Annotated[Caller, Depends(reading)]) -> Response:
    """Return one customer.

    An old client asks for plans here: a `plan_` id that is no customer's is answered with the plan.
    """
    try:
        return json_reply(200, customer_row(get_customer(caller.services, caller.organization, customer_id)))
    except NotFound:
        if not customer_id.startswith("plan_"):
            raise
        return json_reply(200, plan_row(get_plan(caller.services, caller.organization, customer_id)))


@router.patch("/customers/{customer_id}/", summary="Change a customer", openapi_extra=body_of(CustomerForm))
def change(
    customer_id: str, caller: Annotated[Caller, Depends(writing)], payload: Annotated[object, Depends(json_body)]
) -> Response:
    """Change the fields that are sent; null clears one. A customer keeps its id."""
    draft, sent = customer_change(customer_id, payload)
    return json_reply(200, customer_row(change_customer(caller.services, caller.organization, draft, sent)))


@router.get("/customers/{customer_id}/draft_invoice/", summary="What a customer owes so far, by currency")
def draft_by_currency(customer_id: str, caller: Annotated[Caller, Depends(reading)]) -> Response:
    """Return what billing now would issue, one invoice per currency."""
    _, drafts = draft_invoices(caller.services, caller.organization, customer_id)
    return json_reply(200, later_draft(drafts))


@router.get(
    "/customers/{customer_id}/draft_invoice/pdf/",
    summary="What a customer owes so far, as PDF",
    response_class=Response,
    responses={200: described(PDF)},
)
def draft_document(
    customer_id: str, caller: Annotated[Caller, Depends(reading)], subscription_id: str | None = None
) -> Response:
    """Return what billing a subscription now would issue, stamped as a draft; which one if there are several."""
    document = draft_pdf(caller.services, caller.organization, customer_id, subscription_id=subscription_id)
    return file_reply(document, "draft-invoice.pdf", PDF)


@router.get("/customers/{customer_id}/corrections/", summary="What was invoiced and has changed since")
def corrections(customer_id: str, caller: Annotated[Caller, Depends(reading)]) -> Response:
    """Return what late, voided and amended events change about invoices, as far as no invoice has it already."""
    _, found = list_open_corrections(caller.services, caller.organization, customer_id)
    return json_reply(200, [correction_row(each) for each in found])


@router.post("/customers/{customer_id}/corrections/", status_code=201, summary="Invoice what has changed since")
def invoice_open_corrections(customer_id: str, caller: Annotated[Caller, Depends(writing)]) -> Response:
    """Invoice at once all corrections that no invoice has, one invoice in each currency.

    The next invoice of a customer carries them by itself; this is for a customer who gets none.
    """
    views = invoice_corrections(caller.services, caller.organization, customer_id)
    return json_reply(201, [invoice_row(view) for view in views])


@router.get("/draft_invoice/", summary="What a customer owes so far, by subscription")
def draft(
    customer_id: str,
    caller: Annotated[Caller, Depends(reading)],
    explain: Annotated[bool, Query(description="Say of each line why it has its amount.")] = False,  # noqa: FBT002
) -> Response:
    """Return what billing now would issue, one element per active subscription."""
    customer, drafts = draft_invoices(caller.services, caller.organization, customer_id)
    return json_reply(200, [draft_row(each, customer, caller.organization, explains=explain) for each in drafts])
