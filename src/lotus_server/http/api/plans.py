"""`/api/plans/` and the versions of a plan."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from lotus_server.http.api.deps import Caller, link_to_next, paging, reading, writing
from lotus_server.http.api.pages import page_of
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.kernel.errors import Problems
from lotus_server.ports.records import Page
from lotus_server.usecases.plan_replacement import create_replacing_version, preview_replacement, replace_now
from lotus_server.usecases.plan_versions import change_version
from lotus_server.usecases.plans import archive_plan, change_plan, create_plan, get_plan, list_plans
from lotus_server.wire.forms import read
from lotus_server.wire.plan_replacement import preview_row, replacement_row
from lotus_server.wire.plans import PlanChangeForm, PlanForm, plan_row
from lotus_server.wire.versions import VersionChangeForm, VersionForm, version_row

router = APIRouter(prefix="/api", tags=["Plans"], responses=PROBLEMS)
Writer = Annotated[Caller, Depends(writing)]
Reader = Annotated[Caller, Depends(reading)]
Payload = Annotated[object, Depends(json_body)]


@router.get("/plans/", summary="List plans")
def list_all(
    request: Request,
    caller: Reader,
    page: Annotated[Page, Depends(paging)],
    include_archived: Annotated[bool, Query(description="Archived ones too.")] = False,  # noqa: FBT002 - a query parameter
) -> Response:
    """Return the plans with their versions, in the order in which they were made."""
    views = list_plans(caller.services, caller.organization, include_archived=include_archived)
    shown = page_of(views, page, lambda view: view.plan.plan_id)
    link = link_to_next(request, page, [view.plan.plan_id for view in shown])
    return json_reply(200, [plan_row(view) for view in shown], link)


@router.post("/plans/", status_code=201, summary="Create a plan", openapi_extra=body_of(PlanForm))
def create(caller: Writer, payload: Payload) -> Response:
    """Make a plan and its first version."""
    problems = Problems()
    draft = read(PlanForm, payload, problems).to_draft(problems)
    plan, _ = create_plan(caller.services, caller.organization, draft)
    return json_reply(201, plan_row(get_plan(caller.services, caller.organization, plan.plan_id)))


@router.get("/plans/{plan_id}/", summary="One plan")
def one(plan_id: str, caller: Reader) -> Response:
    """Return one plan with its versions."""
    return json_reply(200, plan_row(get_plan(caller.services, caller.organization, plan_id)))


@router.patch("/plans/{plan_id}/", summary="Change a plan", openapi_extra=body_of(PlanChangeForm))
def change(plan_id: str, caller: Writer, payload: Payload) -> Response:
    """Change a plan's name, description, tags or links."""
    problems = Problems()
    wanted = read(PlanChangeForm, payload, problems).to_change(problems)
    change_plan(caller.services, caller.organization, plan_id, wanted)
    return json_reply(200, plan_row(get_plan(caller.services, caller.organization, plan_id)))


@router.post(
    "/plans/{plan_id}/versions/",
    status_code=201,
    summary="Create a version of a plan",
    openapi_extra=body_of(VersionForm),
)
def create_next(plan_id: str, caller: Writer, payload: Payload) -> Response:
    """Make new terms, which new subscriptions in their currency get from now on."""
    problems = Problems()
    form = read(VersionForm, payload, problems)
    replace = form.to_replace(problems)
    draft = form.to_version_draft(problems)
    version, replaced = create_replacing_version(caller.services, caller.organization, plan_id, draft, replace)
    row = version_row(get_plan(caller.services, caller.organization, plan_id), version)
    return json_reply(201, row if replaced is None else {**row, "replacement": replacement_row(replaced)})


@router.post("/plans/{plan_id}/versions/{version_id}/replace_preview/", summary="What replacing earlier versions costs")
def preview(
    request: Request, plan_id: str, version_id: str, caller: Writer, page: Annotated[Page, Depends(paging)]
) -> Response:
    """Return what switching each active subscription of earlier versions to this one would invoice. Writes nothing."""
    rows = preview_replacement(caller.services, caller.organization, plan_id, version_id, page)
    link = link_to_next(request, page, [row.subscription_id for row in rows])
    return json_reply(200, [preview_row(row) for row in rows], link)


@router.post("/plans/{plan_id}/versions/{version_id}/replace/", summary="Replace earlier versions now")
def replace_earlier(plan_id: str, version_id: str, caller: Writer) -> Response:
    """Switch each active subscription of earlier versions to this one, now. Again, it goes on where it stopped."""
    replacement = replace_now(caller.services, caller.organization, plan_id, version_id)
    return json_reply(200, replacement_row(replacement))


@router.patch(
    "/plans/{plan_id}/versions/{version_id}/",
    summary="Change when and to whom a version is sold",
    openapi_extra=body_of(VersionChangeForm),
)
def change_sale(plan_id: str, version_id: str, caller: Writer, payload: Payload) -> Response:
    """Change the times of sale, the customers, or what replaces a version; its terms never change."""
    problems = Problems()
    change = read(VersionChangeForm, payload, problems).to_change(problems)
    version = change_version(caller.services, caller.organization, plan_id, version_id, change)
    return json_reply(200, version_row(get_plan(caller.services, caller.organization, plan_id), version))


@router.post("/plans/{plan_id}/archive/", summary="Archive a plan")
def archive(plan_id: str, caller: Writer) -> Response:
    """Take a plan out of sale; its subscriptions go on."""
    archive_plan(caller.services, caller.organization, plan_id)
    return json_reply(200, plan_row(get_plan(caller.services, caller.organization, plan_id)))
