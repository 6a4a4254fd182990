"""`/api/proration_preview/`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from lotus_server.http.api.deps import Caller, reading
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.kernel.errors import Problems
from lotus_server.wire.forms import read
from lotus_server.wire.proration_preview import ProrationPreviewForm

router = APIRouter(prefix="/api", tags=["Plans"], responses=PROBLEMS)
Payload = Annotated[object, Depends(json_body)]


@router.post(
    "/proration_preview/", summary="What a change within a period comes to", openapi_extra=body_of(ProrationPreviewForm)
)
def preview(caller: Annotated[Caller, Depends(reading)], payload: Payload) -> Response:
    """Return what a change of fee gives back and makes due, each part explained. Needs no plan and writes nothing."""
    problems = Problems()
    form = read(ProrationPreviewForm, payload, problems)
    question = form.to_preview(problems, caller.organization.default_currency)
    return json_reply(200, question.row())
