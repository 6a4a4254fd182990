"""`/api/events/`: what came in, what was refused, and corrections. Sending events is a hot path of its own."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from lotus_server.http.api.deps import PAGE_LIMIT_MAX, Caller, reading, writing
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.kernel.errors import Problems
from lotus_server.usecases.events import (
    amend_events,
    get_event,
    list_events,
    list_refused,
    missing_events,
    void_events,
)
from lotus_server.wire.events import (
    AmendForm,
    VerifyForm,
    VoidForm,
    corrections_row,
    event_query,
    event_row,
    event_view_row,
    refused_query,
    refused_row,
)
from lotus_server.wire.forms import read

router = APIRouter(prefix="/api", tags=["Events"], responses=PROBLEMS)
Payload = Annotated[object, Depends(json_body)]
Writer = Annotated[Caller, Depends(writing)]
Reader = Annotated[Caller, Depends(reading)]
Limit = Annotated[int | None, Query(ge=1, le=PAGE_LIMIT_MAX, description="Rows per page; 100 without it.")]
Cursor = Annotated[str | None, Query(description="Where the page begins: from the Link header before.")]


@router.get("/events/", summary="List or follow events")
def list_all(
    request: Request,
    caller: Reader,
    *,
    customer_id: str | None = None,
    event_name: str | None = None,
    idempotency_id: str | None = None,
    start: Annotated[str | None, Query(description="Of the time it happened; included.")] = None,
    end: Annotated[str | None, Query(description="Of the time it happened; not included.")] = None,
    status: Annotated[str | None, Query(description="recorded, amended or voided; all of them without it.")] = None,
    order: Annotated[Literal["desc", "asc"], Query(description="asc: a feed in the order of acceptance.")] = "desc",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """Return events, newest accepted first.

    With `order=asc` the Link always leads on, also to what is still to come.
    """
    given = {
        "customer_id": customer_id,
        "event_name": event_name,
        "idempotency_id": idempotency_id,
        "start": start,
        "end": end,
        "status": status,
    }
    is_feed = order == "asc"
    query = event_query({name: text for name, text in given.items() if text}, limit, cursor, is_feed=is_feed)
    events = list_events(caller.services, caller.organization, query)
    last = events[-1].sequence if events else query.after
    leads_on = is_feed or len(events) == query.limit
    return json_reply(200, [event_row(event) for event in events], _link(request, last if leads_on else None))


@router.get("/events/rejected/", summary="List events that were refused")
def rejected(
    request: Request,
    caller: Reader,
    *,
    status: Annotated[str | None, Query(description="rejected or conflict; both without it.")] = None,
    reason: Annotated[str | None, Query(description="A text that the reason contains.")] = None,
    idempotency_id: str | None = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """Return the events that were not accepted and why, newest first."""
    given = {"status": status, "reason": reason, "idempotency_id": idempotency_id}
    query = refused_query({name: text for name, text in given.items() if text}, limit, cursor)
    refused = list_refused(caller.services, caller.organization, query)
    link = _link(request, refused[-1].number if len(refused) == query.limit else None)
    return json_reply(200, [refused_row(each) for each in refused], link)


@router.get("/events/{idempotency_id}/", summary="One event")
def one(idempotency_id: str, caller: Reader) -> Response:
    """Return one event with its history."""
    return json_reply(200, event_view_row(get_event(caller.services, caller.organization, idempotency_id)))


@router.post("/events/void/", summary="Take events back", openapi_extra=body_of(VoidForm))
def void(caller: Writer, payload: Payload) -> Response:
    """Void events: they count for nothing from now on, and their ids stay taken."""
    problems = Problems()
    ids, reason = read(VoidForm, payload, problems).to_ids(problems)
    return json_reply(200, corrections_row(void_events(caller.services, caller.organization, ids, reason, problems)))


@router.post("/events/amend/", summary="Correct events", openapi_extra=body_of(AmendForm))
def amend(caller: Writer, payload: Payload) -> Response:
    """Give events other properties, another time or another customer, as if they had come so."""
    problems = Problems()
    amendments = read(AmendForm, payload, problems).to_amendments(problems)
    return json_reply(200, corrections_row(amend_events(caller.services, caller.organization, amendments, problems)))


@router.post("/verify_idems_received/", summary="Were events received", openapi_extra=body_of(VerifyForm))
def verify(caller: Reader, payload: Payload) -> Response:
    """Return which ids no event has."""
    problems = Problems()
    asked = read(VerifyForm, payload, problems).to_verification(problems)
    missing = missing_events(caller.services, caller.organization, asked)
    return json_reply(200, {"status": "success", "ids_not_found": missing})


def _link(request: Request, cursor: int | None) -> dict[str, str] | None:
    if cursor is None:
        return None
    return {"Link": f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'}
