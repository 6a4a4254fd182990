"""`/api/metrics/`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from lotus_server.http.api.deps import Caller, link_to_next, paging, reading, writing
from lotus_server.http.api.pages import page_of
from lotus_server.http.body import json_body
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS, body_of
from lotus_server.kernel.errors import Problems
from lotus_server.ports.records import Page
from lotus_server.usecases.metrics import (
    archive_metric,
    change_metric,
    create_metric,
    create_metric_version,
    list_metrics,
    view_metric,
)
from lotus_server.wire.forms import read
from lotus_server.wire.metrics import MetricForm, MetricUpdateForm, MetricVersionForm, metric_row, metric_view_row

router = APIRouter(prefix="/api", tags=["Metrics"], responses=PROBLEMS)
Payload = Annotated[object, Depends(json_body)]
Writer = Annotated[Caller, Depends(writing)]
Reader = Annotated[Caller, Depends(reading)]


@router.get("/metrics/", summary="List metrics")
def list_all(
    request: Request,
    caller: Reader,
    page: Annotated[Page, Depends(paging)],
    include_archived: Annotated[bool, Query(description="Archived ones too.")] = False,  # noqa: FBT002 - a query parameter
) -> Response:
    """Return the metrics in the order in which they were made; of several versions the newest."""
    views = list_metrics(caller.services, caller.organization, include_archived=include_archived)
    shown = page_of(views, page, lambda view: view.metric.metric_id)
    link = link_to_next(request, page, [view.metric.metric_id for view in shown])
    return json_reply(200, [metric_view_row(view) for view in shown], link)


@router.post("/metrics/", status_code=201, summary="Create a metric", openapi_extra=body_of(MetricForm))
def create(caller: Writer, payload: Payload) -> Response:
    """Make a metric. It counts the events that came before it, too."""
    problems = Problems()
    draft = read(MetricForm, payload, problems).to_draft(problems)
    return json_reply(201, metric_row(create_metric(caller.services, caller.organization, draft)))


@router.get("/metrics/{metric_id}/", summary="One metric")
def one(metric_id: str, caller: Reader) -> Response:
    """Return one metric with its versions."""
    return json_reply(200, metric_view_row(view_metric(caller.services, caller.organization, metric_id)))


@router.patch("/metrics/{metric_id}/", summary="Change a metric", openapi_extra=body_of(MetricUpdateForm))
def change(metric_id: str, caller: Writer, payload: Payload) -> Response:
    """Change name or kind; also the definition, as long as no plan version has used the metric."""
    problems = Problems()
    wanted = read(MetricUpdateForm, payload, problems).to_change(problems)
    return json_reply(200, metric_view_row(change_metric(caller.services, caller.organization, metric_id, wanted)))


@router.post(
    "/metrics/{metric_id}/versions/",
    status_code=201,
    summary="Define a metric anew",
    openapi_extra=body_of(MetricVersionForm),
)
def create_version(metric_id: str, caller: Writer, payload: Payload) -> Response:
    """Make a further version with an id of its own; what was sold goes on with the one before."""
    problems = Problems()
    wanted = read(MetricVersionForm, payload, problems).to_change(problems)
    view = create_metric_version(caller.services, caller.organization, metric_id, wanted)
    return json_reply(201, metric_view_row(view))


@router.post("/metrics/{metric_id}/archive/", summary="Archive a metric")
def archive(metric_id: str, caller: Writer) -> Response:
    """Take a metric out of use; refused while an active version of a plan prices it."""
    return json_reply(200, metric_row(archive_metric(caller.services, caller.organization, metric_id)))
