"""`/api/customers/{customer_id}/wallet/`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from lotus_server.http.api.deps import Caller, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.usecases.wallets import (
    cancel_top_up,
    get_wallet,
    list_top_ups,
    remove_wallet,
    set_wallet,
    settle_top_up,
)
from lotus_server.wire.wallets import WalletForm, top_up_row, wallet_draft, wallet_row

router = APIRouter(prefix="/api/customers/{customer_id}/wallet", tags=["Wallets"], responses=PROBLEMS)
Writer = Annotated[Caller, Depends(writing)]
Reader = Annotated[Caller, Depends(reading)]
Payload = Annotated[object, Depends(json_body)]
Code = Annotated[str | None, Query(description="An ISO 4217 code; the customer's currency when missing.")]


@router.get("/", summary="A customer's prepaid credit")
def one(customer_id: str, caller: Reader, currency_code: Code = None) -> Response:
    """Return the balance of what was paid for, whether it is low, and the top-ups that are wanted."""
    return json_reply(200, wallet_row(get_wallet(caller.services, caller.organization, customer_id, currency_code)))


@router.put("/", summary="Set when a wallet is topped up", openapi_extra=body_of(WalletForm))
def put(customer_id: str, caller: Writer, payload: Payload) -> Response:
    """Set threshold, amount and limit."""
    draft = wallet_draft(payload, keeps=False)
    return json_reply(200, wallet_row(set_wallet(caller.services, caller.organization, customer_id, draft)))


@router.patch("/", summary="Change when a wallet is topped up", openapi_extra=body_of(WalletForm))
def patch(customer_id: str, caller: Writer, payload: Payload) -> Response:
    """Change the settings that are sent; a null limit takes the limit away."""
    draft = wallet_draft(payload, keeps=True)
    return json_reply(200, wallet_row(set_wallet(caller.services, caller.organization, customer_id, draft)))


@router.delete("/", summary="Top a wallet up no more")
def delete(customer_id: str, caller: Writer, currency_code: Code = None) -> Response:
    """Forget the settings; credit and pending top-ups stay."""
    return json_reply(200, wallet_row(remove_wallet(caller.services, caller.organization, customer_id, currency_code)))


@router.get("/top_ups/", summary="List a wallet's top-ups")
def top_ups(customer_id: str, caller: Reader, currency_code: Code = None) -> Response:
    """Return every top-up that was wanted, earliest first."""
    found = list_top_ups(caller.services, caller.organization, customer_id, currency_code)
    return json_reply(200, [top_up_row(top_up) for top_up in found])


@router.post("/top_ups/{top_up_id}/settle/", summary="The money of a top-up has come")
def settle(customer_id: str, top_up_id: str, caller: Writer) -> Response:
    """Give the customer the credit."""
    return json_reply(200, top_up_row(settle_top_up(caller.services, caller.organization, customer_id, top_up_id)))


@router.post("/top_ups/{top_up_id}/cancel/", summary="Wait for a top-up no more")
def cancel(customer_id: str, top_up_id: str, caller: Writer) -> Response:
    """Take back a top-up that was wanted."""
    return json_reply(200, top_up_row(cancel_top_up(caller.services, caller.organization, customer_id, top_up_id)))
