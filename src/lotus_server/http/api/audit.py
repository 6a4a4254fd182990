"""`/api/audit/`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from lotus_server.http.api.deps import Caller, link_to_next, paging, reading
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS
from lotus_server.ports.records import Page
from lotus_server.usecases.audit import list_audit
from lotus_server.wire.audit import audit_question, audit_row

router = APIRouter(prefix="/api/audit", tags=["Organization"], responses=PROBLEMS)
AUDIT_PAGE = 100


@router.get("/", summary="Who changed what")
def list_all(
    request: Request,
    caller: Annotated[Caller, Depends(reading)],
    page: Annotated[Page, Depends(paging)],
    *,
    author_id: Annotated[str | None, Query(description="A person's or an API key's id.")] = None,
    object_type: Annotated[str | None, Query(description="Such as `customer` or `plan_version`.")] = None,
    object_id: Annotated[str | None, Query(description="The id of what was changed.")] = None,
    since: Annotated[str | None, Query(description="The first instant that counts.")] = None,
    until: Annotated[str | None, Query(description="The first instant that does not count any more.")] = None,
) -> Response:
    """Return what people, programs and commands changed, the newest first; 100 at a time unless `limit` is given."""
    part = Page(page.limit or AUDIT_PAGE, page.after)
    question = audit_question(
        author_id=author_id, object_type=object_type, object_id=object_id, since=since, until=until
    )
    entries = list_audit(caller.services, caller.organization, part, question)
    link = link_to_next(request, part, [entry.entry_id for entry in entries])
    return json_reply(200, [audit_row(entry) for entry in entries], link)
