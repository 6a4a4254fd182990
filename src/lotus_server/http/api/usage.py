"""`/api/customers/{id}/usage/` and `/api/metrics/preview/`: looking at usage."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from lotus_server.http.api.deps import Caller, reading
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.usecases.usage import customer_usage, preview_metric
from lotus_server.wire.usage import PreviewForm, preview_question, preview_row, usage_question, usage_rows

router = APIRouter(prefix="/api", responses=PROBLEMS)
Payload = Annotated[object, Depends(json_body)]
Reader = Annotated[Caller, Depends(reading)]


@router.get("/customers/{customer_id}/usage/", tags=["Customers"], summary="Usage of one customer")
def usage(
    customer_id: str,
    caller: Reader,
    *,
    metric_id: Annotated[str | None, Query(description="The metric; required.")] = None,
    start: Annotated[str | None, Query(description="Included; 30 days before the day of the end when missing.")] = None,
    end: Annotated[str | None, Query(description="Not included; now when missing.")] = None,
    window: Annotated[str | None, Query(description="hour, day, week or month, each of UTC.")] = None,
    group_by: Annotated[list[str] | None, Query(description="Properties, instead of the metric's own.")] = None,
    fill: Annotated[bool, Query(description="Also rows where nothing was used.")] = False,
) -> Response:
    """Return what a customer used of a metric, by windows and groups, up to the last acknowledged event."""
    question = usage_question(
        customer_id, metric_id=metric_id, start=start, end=end, window=window, group_by=group_by, fills=fill
    )
    return json_reply(200, usage_rows(customer_usage(caller.services, caller.organization, question)))


@router.post(
    "/metrics/preview/", tags=["Metrics"], summary="Try a metric on real events", openapi_extra=body_of(PreviewForm)
)
def preview(caller: Reader, payload: Payload) -> Response:
    """Return what a metric of this definition would measure of a customer; nothing is written."""
    return json_reply(200, preview_row(preview_metric(caller.services, caller.organization, preview_question(payload))))
