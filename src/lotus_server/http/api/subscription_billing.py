"""What a subscription would be billed, and billing it now."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from lotus_server.http.api.deps import Caller, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.usecases.billing_on_request import finalize_billing, retry_billing
from lotus_server.usecases.billing_progress import billing_progress
from lotus_server.usecases.rehearsal import next_invoice, preview_of
from lotus_server.wire.billing_run import billing_run_row
from lotus_server.wire.change_preview import ChangePreviewForm, previewed_change, previewed_row
from lotus_server.wire.invoices import invoice_row
from lotus_server.wire.subscriptions import subscription_row

router = APIRouter(prefix="/api", tags=["Subscriptions"], responses=PROBLEMS)
Writer = Annotated[Caller, Depends(writing)]
Reader = Annotated[Caller, Depends(reading)]
Payload = Annotated[object, Depends(json_body)]


@router.post(
    "/subscriptions/{subscription_id}/preview/",
    status_code=200,
    summary="Preview a change",
    openapi_extra=body_of(ChangePreviewForm),
)
def preview(subscription_id: str, caller: Writer, payload: Payload) -> Response:
    """Return the invoices that a change would issue now. It is made in full and taken back, so they are the same."""
    change = previewed_change(payload)
    views = preview_of(
        caller.services, caller.organization, lambda services: change(services, caller.organization, subscription_id)
    )
    return json_reply(200, [previewed_row(invoice_row(view)) for view in views])


@router.get("/billing_run/", tags=["Invoices"], summary="The billing run under way")
def billing_run(caller: Reader) -> Response:
    """Return how far a large billing run is: whether one is `running`, since when, how many were and are due."""
    return json_reply(200, billing_run_row(billing_progress(caller.services, caller.organization)))


@router.get("/subscriptions/{subscription_id}/next_invoice/", summary="The next invoice")
def upcoming(subscription_id: str, caller: Reader) -> Response:
    """Return what the end of the open period will issue with the usage so far: a list of one invoice, or of none."""
    views = next_invoice(caller.services, caller.organization, subscription_id)
    return json_reply(200, [previewed_row(invoice_row(view)) for view in views])


@router.post(
    "/subscriptions/{subscription_id}/finalize/", status_code=200, summary="Issue the invoice that waits for the grace"
)
def finalize(subscription_id: str, caller: Writer) -> Response:
    """Issue now the invoices of the periods that are over, and return them: none when nothing waits."""
    views = finalize_billing(caller.services, caller.organization, subscription_id)
    return json_reply(200, [invoice_row(view) for view in views])


@router.post("/subscriptions/{subscription_id}/retry/", status_code=200, summary="Bill a parked subscription")
def retry(subscription_id: str, caller: Writer) -> Response:
    """Try again now what billing could not do, and return the subscription."""
    view = retry_billing(caller.services, caller.organization, subscription_id)
    return json_reply(200, subscription_row(view, as_dates=False))
