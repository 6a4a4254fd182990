"""`/api/analytics/`: numbers about the business."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from lotus_server.http.api.deps import Caller, reading
from lotus_server.http.json_reply import json_reply
from lotus_server.http.openapi import PROBLEMS
from lotus_server.usecases.overview import DAYS, overview
from lotus_server.usecases.recurring_revenue import recurring_report
from lotus_server.usecases.revenue import revenue_report
from lotus_server.usecases.usage_totals import margin_report, usage_totals
from lotus_server.wire.analytics import (
    margin_question,
    margin_row,
    overview_row,
    recurring_question,
    recurring_row,
    revenue_question,
    revenue_row,
    usage_totals_question,
    usage_totals_row,
)

router = APIRouter(prefix="/api/analytics", tags=["Analytics"], responses=PROBLEMS)
Reader = Annotated[Caller, Depends(reading)]
Start = Annotated[
    str | None,
    Query(description="The first day, in the organization's time zone; 30 days up to the last one when missing."),
]
End = Annotated[str | None, Query(description="The last day, included; today when missing.")]
Limit = Annotated[str | None, Query(description="How many are told apart, at most 1,000; 100 when missing.")]


@router.get("/overview/", summary="The last days at a glance")
def glance(
    caller: Reader, *, days: Annotated[int, Query(description="How many, today included; at most 366.")] = DAYS
) -> Response:
    """Return revenue, events, subscriptions and customers of the last days, and what needs attention."""
    return json_reply(200, overview_row(overview(caller.services, caller.organization, days=days)))


@router.get("/revenue/", summary="Revenue")
def revenue(
    caller: Reader,
    *,
    start: Start = None,
    end: End = None,
    basis: Annotated[str | None, Query(description="invoiced (the default) or earned.")] = None,
    by: Annotated[str | None, Query(description="total (the default), plan, source or customer.")] = None,
    step: Annotated[str | None, Query(description="day (the default) or month.")] = None,
    limit: Limit = None,
) -> Response:
    """Return revenue by currency, beside that of the window of the same length before."""
    asked = {"start": start, "end": end, "basis": basis, "by": by, "step": step, "limit": limit}
    return json_reply(200, revenue_row(revenue_report(caller.services, caller.organization, revenue_question(asked))))


@router.get("/recurring_revenue/", summary="Monthly recurring revenue")
def recurring(
    caller: Reader,
    *,
    start: Start = None,
    end: End = None,
    step: Annotated[str | None, Query(description="month (the default) or day.")] = None,
) -> Response:
    """Return monthly recurring revenue by currency, how it moved, and the plans that it comes from."""
    asked = {"start": start, "end": end, "step": step}
    report = recurring_report(caller.services, caller.organization, recurring_question(asked))
    return json_reply(200, recurring_row(report))


@router.get("/usage/", summary="Usage of all customers")
def usage(
    caller: Reader,
    *,
    metric_id: Annotated[str | None, Query(description="The metric; required.")] = None,
    start: Start = None,
    end: End = None,
    limit: Limit = None,
) -> Response:
    """Return what all customers used of a metric: in all, by days, by groups, and by customer."""
    asked = {"metric_id": metric_id, "start": start, "end": end, "limit": limit}
    found = usage_totals(caller.services, caller.organization, usage_totals_question(asked))
    return json_reply(200, usage_totals_row(found))


@router.get("/margin/", summary="Costs and margins")
def margin(caller: Reader, *, start: Start = None, end: End = None, limit: Limit = None) -> Response:
    """Return what customers brought and what they cost by cost metrics, the least margin first."""
    asked = {"start": start, "end": end, "limit": limit}
    return json_reply(200, margin_row(margin_report(caller.services, caller.organization, margin_question(asked))))
