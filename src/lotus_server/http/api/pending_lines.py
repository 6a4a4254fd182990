"""`/api/customers/{customer_id}/pending_lines/`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from lotus_server.http.api.deps import Caller, reading, writing
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS
from lotus_server.usecases.pending_billing import invoice_pending_now, list_pending
from lotus_server.wire.invoices import invoice_row
from lotus_server.wire.pending_lines import pending_row

router = APIRouter(prefix="/api/customers/{customer_id}/pending_lines", tags=["Invoices"], responses=PROBLEMS)


@router.get("/", summary="What waits for a customer's next invoice")
def list_all(customer_id: str, caller: Annotated[Caller, Depends(reading)]) -> Response:
    """Return the lines that `add_to_next_invoice` put aside and no invoice has yet, oldest first."""
    found = list_pending(caller.services, caller.organization, customer_id)
    return json_reply(200, [pending_row(each) for each in found])


@router.post("/invoice_now/", summary="Invoice what waits")
def invoice_now(customer_id: str, caller: Annotated[Caller, Depends(writing)]) -> Response:
    """Issue an invoice, in each currency, of what waits for the customer's next one, and return them."""
    issued = invoice_pending_now(caller.services, caller.organization, customer_id)
    return json_reply(200, [invoice_row(each) for each in issued])
