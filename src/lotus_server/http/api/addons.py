"""`/api/addons/`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from lotus_server.http.api.deps import Caller, link_to_next, paging, reading, writing
from lotus_server.http.api.pages import page_of
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.kernel.errors import Problems
from lotus_server.ports.records import Page
from lotus_server.usecases.addons import archive_addon, create_addon, get_addon, list_addons
from lotus_server.wire.addons import AddOnForm, addon_row
from lotus_server.wire.forms import read

router = APIRouter(prefix="/api", tags=["Add-ons"], responses=PROBLEMS)
Payload = Annotated[object, Depends(json_body)]
Writer = Annotated[Caller, Depends(writing)]
Reader = Annotated[Caller, Depends(reading)]


@router.get("/addons/", summary="List add-ons")
def list_all(
    request: Request,
    caller: Reader,
    page: Annotated[Page, Depends(paging)],
    include_archived: Annotated[bool, Query(description="Archived ones too.")] = False,  # noqa: FBT002 - a query parameter
) -> Response:
    """Return the add-ons in the order in which they were made."""
    views = list_addons(caller.services, caller.organization, include_archived=include_archived)
    shown = page_of(views, page, lambda view: view.plan.plan_id)
    link = link_to_next(request, page, [view.plan.plan_id for view in shown])
    return json_reply(200, [addon_row(view) for view in shown], link)


@router.post("/addons/", status_code=201, summary="Create an add-on", openapi_extra=body_of(AddOnForm))
def create(caller: Writer, payload: Payload) -> Response:
    """Make an add-on, which can be attached to subscriptions."""
    problems = Problems()
    draft = read(AddOnForm, payload, problems).to_draft(problems)
    return json_reply(201, addon_row(create_addon(caller.services, caller.organization, draft)))


@router.get("/addons/{addon_id}/", summary="One add-on")
def one(addon_id: str, caller: Reader) -> Response:
    """Return one add-on."""
    return json_reply(200, addon_row(get_addon(caller.services, caller.organization, addon_id)))


@router.post("/addons/{addon_id}/archive/", summary="Archive an add-on")
def archive(addon_id: str, caller: Writer) -> Response:
    """Take an add-on out of sale; where it is attached it stays."""
    return json_reply(200, addon_row(archive_addon(caller.services, caller.organization, addon_id)))
