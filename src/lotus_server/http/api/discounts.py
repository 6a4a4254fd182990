"""`/api/coupons/`, and the discounts of customers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from lotus_server.http.api.deps import Caller, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.usecases.discounts import (
    archive_coupon,
    create_coupon,
    end_discount,
    give_discount,
    list_coupons,
    list_discounts,
)
from lotus_server.wire.discounts import (
    CouponForm,
    DiscountForm,
    coupon_draft,
    coupon_row,
    discount_draft,
    discount_row,
)

router = APIRouter(prefix="/api", tags=["Discounts"], responses=PROBLEMS)
Payload = Annotated[object, Depends(json_body)]
Writer = Annotated[Caller, Depends(writing)]
Reader = Annotated[Caller, Depends(reading)]


@router.get("/coupons/", summary="List coupons")
def all_coupons(caller: Reader) -> Response:
    """Return all coupons, archived ones too, oldest first."""
    return json_reply(200, [coupon_row(each) for each in list_coupons(caller.services, caller.organization)])


@router.post("/coupons/", status_code=201, summary="Create a coupon", openapi_extra=body_of(CouponForm))
def create(caller: Writer, payload: Payload) -> Response:
    """Make a coupon: a discount that customers can be given by its code."""
    return json_reply(201, coupon_row(create_coupon(caller.services, caller.organization, coupon_draft(payload))))


@router.post("/coupons/{coupon_id}/archive/", summary="Archive a coupon")
def archive(coupon_id: str, caller: Writer) -> Response:
    """Nobody can redeem it any more; discounts that came from it go on."""
    return json_reply(200, coupon_row(archive_coupon(caller.services, caller.organization, coupon_id)))


@router.get("/customers/{customer_id}/discounts/", summary="List a customer's discounts")
def of_customer(customer_id: str, caller: Reader) -> Response:
    """Return the customer's discounts, also those that are over."""
    found = list_discounts(caller.services, caller.organization, customer_id)
    return json_reply(200, [discount_row(each) for each in found])


@router.post(
    "/customers/{customer_id}/discounts/",
    status_code=201,
    summary="Give a customer a discount",
    openapi_extra=body_of(DiscountForm),
)
def give(customer_id: str, caller: Writer, payload: Payload) -> Response:
    """Give the discount of a coupon, or one with terms of its own, on invoices issued from now on."""
    made = give_discount(caller.services, caller.organization, customer_id, discount_draft(payload))
    return json_reply(201, discount_row(made))


@router.post("/customers/{customer_id}/discounts/{discount_id}/end/", summary="End a discount")
def end(customer_id: str, discount_id: str, caller: Writer) -> Response:
    """The discount applies to no invoice from now on."""
    return json_reply(200, discount_row(end_discount(caller.services, caller.organization, customer_id, discount_id)))
