"""One customer: what is due and used, subscriptions, invoices, events, access."""

from datetime import datetime, timedelta
from typing import Any, Final

from starlette.responses import Response

from lotus_server.domain.metering import Granularity, Metric
from lotus_server.http.web.addresses import segment
from lotus_server.http.web.formats import Formats
from lotus_server.http.web.lists import asked_of
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.timelines import span_of
from lotus_server.http.web.usage_charts import UsageShown, usage_shown
from lotus_server.http.web.visit import PAGE_ROWS, Visit
from lotus_server.kernel.errors import Invalid, LotusError
from lotus_server.ports.event_store import EventQuery
from lotus_server.ports.invoice_reading import InvoiceQuestion
from lotus_server.usecases.access_trial import preview_access
from lotus_server.usecases.customer_overview import view_customer, view_customer_due, view_customer_subscriptions
from lotus_server.usecases.customers import get_customer
from lotus_server.usecases.events import list_events
from lotus_server.usecases.features import list_features
from lotus_server.usecases.invoices import list_invoices
from lotus_server.usecases.usage import Asked, UsageQuestion, customer_usage
from lotus_server.wire.access_trial import access_trial

pages = Pages()
RANGES: Final = {
    "7d": ("7 days", timedelta(days=7), Granularity.DAY),
    "30d": ("30 days", timedelta(days=30), Granularity.DAY),
    "90d": ("90 days", timedelta(days=90), Granularity.WEEK),
    "1y": ("A year", timedelta(days=365), Granularity.MONTH),
}


@pages.get("/customers/{customer_id}/")
def overview_page(visit: Visit) -> Response:
    """Show a customer at a glance, with a chart of what it uses."""
    seen = visit.do(view_customer, visit.part("customer_id"))
    metric = _chosen(seen.metrics, visit.query.get("metric"))
    usage: UsageShown | None = None
    problem: str | None = None
    try:
        usage = None if metric is None else _usage(visit, metric)
    except LotusError as error:
        problem = error.detail
    return visit.page(
        "customers/overview.html",
        fragment="usage",
        customer=seen.customer,
        seen=seen,
        due=seen.due,
        metric=metric,
        usage=usage,
        problem=problem,
        ranges=[(key, label) for key, (label, _, _) in RANGES.items()],
    )


@pages.get("/customers/{customer_id}/due")
def due_part(visit: Visit) -> Response:
    """Show what is due now: the part of the page that keeps itself up to date."""
    due = visit.do(view_customer_due, visit.part("customer_id"))
    if not visit.wants_fragment:
        return visit.redirect(visit.url(f"customers/{segment(due.customer.customer_id)}/"))
    return visit.page("customers/_due.html", customer=due.customer, due=due)


@pages.get("/customers/{customer_id}/subscriptions/")
def subscriptions_page(visit: Visit) -> Response:
    """Show a customer's subscriptions on a timeline."""
    timeline = visit.do(view_customer_subscriptions, visit.part("customer_id"))
    times = [(each.subscription.starts_at, each.subscription.ends_at) for each in timeline.held]
    span = span_of(times, timeline.now)
    return visit.page(
        "customers/subscriptions.html", customer=timeline.customer, timeline=timeline, span=span, now=timeline.now
    )


@pages.get("/customers/{customer_id}/invoices/")
def invoices_page(visit: Visit) -> Response:
    """List a customer's invoices, newest first."""
    customer = visit.do(get_customer, visit.part("customer_id")).customer
    views = visit.do(list_invoices, visit.page_asked(), InvoiceQuestion(customer_id=customer.customer_id))
    after = views[-1].invoice.invoice_id if len(views) == PAGE_ROWS else None
    invoices = [view.invoice for view in views]
    return visit.page("customers/invoices.html", customer=customer, invoices=invoices, next_cursor=after)


@pages.get("/customers/{customer_id}/events/")
def events_page(visit: Visit) -> Response:
    """List a customer's events, the newest accepted first."""
    customer = visit.do(get_customer, visit.part("customer_id")).customer
    name = visit.query.get("event_name", "").strip()
    query = EventQuery(
        customer_id=customer.customer_id, event_name=name or None, before=_sequence(visit), limit=PAGE_ROWS
    )
    events = visit.do(list_events, query)
    after = str(events[-1].sequence) if len(events) == PAGE_ROWS else None
    return visit.page("customers/events.html", customer=customer, events=events, next_cursor=after, event_name=name)


@pages.get("/customers/{customer_id}/access/")
def access_page(visit: Visit) -> Response:
    """Try out what a customer may do."""
    customer_id = visit.part("customer_id")
    seen = visit.do(view_customer, customer_id)
    asked = asked_of(visit)
    about: dict[str, Any] = {
        "customer": seen.customer,
        "metrics": seen.metrics,
        "features": visit.do(list_features),
        "asked": asked,
    }
    if not asked:
        return visit.page("customers/access.html", answer=None, **about)
    try:
        answer = visit.do(preview_access, access_trial(customer_id, asked))
    except LotusError as error:
        return visit.again(error, "customers/access.html", answer=None, **about)
    return visit.page("customers/access.html", answer=answer, **about)


def _chosen(metrics: tuple[Metric, ...], metric_id: str | None) -> Metric | None:
    found = [metric for metric in metrics if metric.metric_id == metric_id]
    return next(iter(found or metrics), None)


def _usage(visit: Visit, metric: Metric) -> UsageShown:
    _, length, window = RANGES.get(visit.query.get("range", ""), RANGES["30d"])
    group_by = visit.query.get("group_by", "").strip()
    start = _midnight(visit.now) - length + timedelta(days=1)
    question = UsageQuestion(
        visit.part("customer_id"),
        metric.metric_id,
        Asked(start=start),
        window,
        (group_by,) if group_by else None,
        fills=True,
    )
    answer = visit.do(customer_usage, question)
    return usage_shown(answer, metric, Formats(visit.organization.invoice_settings))


def _midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


def _sequence(visit: Visit) -> int | None:
    text = visit.query.get("cursor") or None
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid.field("cursor", "invalid", "The cursor is not one of ours.")
    return int(text)
