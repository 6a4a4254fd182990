"""Links to the customer portal, and how it looks."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from lotus_server.http.api.deps import Caller, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.usecases.portal import change_portal, create_portal_link, get_portal
from lotus_server.wire.portal import PortalForm, PortalLinkForm, link_hours, link_row, portal_change, portal_row

router = APIRouter(prefix="/api", tags=["Portal"], responses=PROBLEMS)
Writer = Annotated[Caller, Depends(writing)]
Payload = Annotated[object, Depends(json_body)]


@router.post(
    "/customers/{customer_id}/portal_link/",
    status_code=201,
    summary="Make a link to a customer's portal",
    openapi_extra=body_of(PortalLinkForm),
)
def make_link(customer_id: str, caller: Writer, payload: Payload) -> Response:
    """Make a link by which the customer sees its plan, usage, invoices and credits, and nothing else."""
    link = create_portal_link(caller.services, caller.organization, customer_id, hours=link_hours(payload))
    return json_reply(201, link_row(link))


@router.get("/portal/", summary="How the portal looks")
def one(caller: Annotated[Caller, Depends(reading)]) -> Response:
    """Return how the portal looks and who may embed it."""
    return json_reply(200, portal_row(get_portal(caller.services, caller.organization)))


@router.patch("/portal/", summary="Change the portal", openapi_extra=body_of(PortalForm))
def change(caller: Writer, payload: Payload) -> Response:
    """Change how the portal looks and who may embed it, or end all links."""
    return json_reply(200, portal_row(change_portal(caller.services, caller.organization, portal_change(payload))))
