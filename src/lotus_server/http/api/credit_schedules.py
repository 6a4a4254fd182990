"""`/api/credits/schedules/`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from lotus_server.http.api.deps import Caller, link_to_next, paging, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.ports.paging import Page
from lotus_server.usecases.credit_schedules import (
    cancel_credit_schedule,
    create_credit_schedule,
    get_credit_schedule,
    list_credit_schedules,
)
from lotus_server.wire.credit_schedules import CreditScheduleForm, credit_schedule_draft, credit_schedule_row

router = APIRouter(prefix="/api/credits/schedules", tags=["Credits"], responses=PROBLEMS)
Writer = Annotated[Caller, Depends(writing)]
Reader = Annotated[Caller, Depends(reading)]


@router.get("/", summary="List credit schedules")
def list_all(
    request: Request,
    caller: Reader,
    page: Annotated[Page, Depends(paging)],
    customer_id: str | None = None,
) -> Response:
    """Return the schedules by which credit is given, those that have ended too."""
    views = list_credit_schedules(caller.services, caller.organization, page, customer_id=customer_id)
    link = link_to_next(request, page, [view.schedule.schedule_id for view in views])
    return json_reply(200, [credit_schedule_row(view) for view in views], link)


@router.post(
    "/", status_code=201, summary="Give a customer credit again and again", openapi_extra=body_of(CreditScheduleForm)
)
def create(caller: Writer, payload: Annotated[object, Depends(json_body)]) -> Response:
    """Give a customer credit now or at `starts_at`, and at each boundary after it."""
    view = create_credit_schedule(caller.services, caller.organization, credit_schedule_draft(payload))
    return json_reply(201, credit_schedule_row(view))


@router.get("/{schedule_id}/", summary="One credit schedule")
def one(schedule_id: str, caller: Reader) -> Response:
    """Return one schedule."""
    view = get_credit_schedule(caller.services, caller.organization, schedule_id)
    return json_reply(200, credit_schedule_row(view))


@router.post("/{schedule_id}/cancel/", summary="End a credit schedule")
def cancel(schedule_id: str, caller: Writer) -> Response:
    """Give nothing any more; what was given stays."""
    view = cancel_credit_schedule(caller.services, caller.organization, schedule_id)
    return json_reply(200, credit_schedule_row(view))
