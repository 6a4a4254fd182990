"""`/api/pricing_units/`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from lotus_server.http.api.deps import Caller, link_to_next, paging, reading, writing
from lotus_server.http.api.pages import page_of
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.kernel.errors import Problems
from lotus_server.ports.records import Page
from lotus_server.usecases.pricing_units import create_pricing_unit, list_pricing_units
from lotus_server.wire.forms import read
from lotus_server.wire.pricing_units import PricingUnitForm, pricing_unit_row

router = APIRouter(prefix="/api", tags=["Pricing units"], responses=PROBLEMS)


@router.get("/pricing_units/", summary="List pricing units")
def list_all(
    request: Request, caller: Annotated[Caller, Depends(reading)], page: Annotated[Page, Depends(paging)]
) -> Response:
    """Return the organization's own units in the order in which they were made; currencies are not among them."""
    units = list_pricing_units(caller.services, caller.organization)
    shown = page_of(units, page, lambda unit: unit.code)
    link = link_to_next(request, page, [unit.code for unit in shown])
    return json_reply(200, [pricing_unit_row(unit) for unit in shown], link)


@router.post(
    "/pricing_units/", status_code=201, summary="Create a pricing unit", openapi_extra=body_of(PricingUnitForm)
)
def create(caller: Annotated[Caller, Depends(writing)], payload: Annotated[object, Depends(json_body)]) -> Response:
    """Make a unit in which prices can be, such as credits or tokens."""
    problems = Problems()
    draft = read(PricingUnitForm, payload, problems).to_draft(problems)
    return json_reply(201, pricing_unit_row(create_pricing_unit(caller.services, caller.organization, draft)))
