"""Metrics: the list, the builder with its preview on real events, one metric with its versions and its usage."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from starlette.responses import Response

from lotus_server.domain.metering import Aggregation, Granularity, Metric, split_key
from lotus_server.http.web.addresses import segment
from lotus_server.http.web.charts import Chart, Series
from lotus_server.http.web.formats import NOTHING
from lotus_server.http.web.forms import Form
from lotus_server.http.web.metric_words import OPERATORS, TYPES, form_of, sentence, with_filter_values
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import LotusError, Problems
from lotus_server.ports.records import Page
from lotus_server.usecases.customers import list_customers
from lotus_server.usecases.metrics import (
    archive_metric,
    change_metric,
    create_metric,
    create_metric_version,
    list_metrics,
    view_metric,
)
from lotus_server.usecases.usage import MetricPreview, UsageAnswer, customer_usage, preview_metric
from lotus_server.wire.forms import read
from lotus_server.wire.metrics import MetricForm, MetricUpdateForm, MetricVersionForm, metric_row
from lotus_server.wire.usage import preview_question, usage_question

SUGGESTIONS: Final = 50
_GROUPS_MAX: Final = 10
_TEMPLATES: Final[dict[str, dict[str, Any]]] = {
    "calls": {"metric_name": "API calls", "event_name": "api_call", "aggregation_type": "count"},
    "tokens": {
        "metric_name": "Tokens",
        "event_name": "tokens",
        "aggregation_type": "sum",
        "property_name": "tokens",
        "group_by": "model",
    },
    "seats": {
        "metric_name": "Seats",
        "event_name": "seats_changed",
        "metric_type": "gauge",
        "aggregation_type": "max",
        "property_name": "seats",
        "event_type": "total",
    },
    "peak": {
        "metric_name": "Peak inserts per minute",
        "event_name": "rows_inserted",
        "metric_type": "rate",
        "aggregation_type": "sum",
        "property_name": "rows",
        "granularity": "minutes",
    },
}

pages = Pages()


@pages.get("/metrics/")
def list_page(visit: Visit) -> Response:
    """List the metrics, archived ones on demand."""
    shows_archived = visit.query.get("archived") == "true"
    views = visit.do(list_metrics, include_archived=shows_archived)
    return visit.page("metrics/list.html", views=views, shows_archived=shows_archived, sentence=sentence)


@pages.get("/metrics/new")
def new_page(visit: Visit) -> Response:
    """Show the builder, empty or filled from a template."""
    visit.require(create_metric)
    visit.form = Form.of(_TEMPLATES.get(visit.query.get("template", ""), {}))
    return _builder(visit, visit.url("metrics/new"))


@pages.post("/metrics/new")
def create(visit: Visit) -> Response:
    """Make a metric."""
    problems = Problems()
    try:
        metric = visit.do(create_metric, read(MetricForm, _definition(visit), problems).to_draft(problems))
    except LotusError as error:
        return _builder(visit, visit.url("metrics/new"), error)
    return _to(visit, metric, f"{metric.metric_name} counts from the first event on.")


@pages.post("/metrics/preview")
def preview(visit: Visit) -> Response:
    """Say what the definition as it stands would measure of a customer."""
    try:
        asked = {**_definition(visit), "customer_id": visit.form.text("preview_customer") or None}
        found = visit.do(preview_metric, preview_question(asked))
    except LotusError as error:
        return visit.page("metrics/_preview.html", preview=None, groups=[], error=error)
    return visit.page("metrics/_preview.html", preview=found, groups=_groups(found), error=None)


@pages.get("/metrics/{metric_id}/")
def one_page(visit: Visit) -> Response:
    """Show a metric: what it measures, its versions, and the last 30 days of one customer."""
    view = visit.do(view_metric, visit.part("metric_id"))
    customers = [each.customer.customer_id for each in visit.do(list_customers, Page(SUGGESTIONS, None))]
    customer_id = visit.query.get("customer") or (customers[0] if customers else None)
    answer, error = _usage(visit, view.metric, customer_id)
    return visit.page(
        "metrics/one.html",
        view=view,
        metric=view.metric,
        sentence=sentence,
        customers=customers,
        customer_id=customer_id,
        answer=answer,
        chart=_chart(answer) if answer is not None and answer.rows else None,
        error=error,
    )


@pages.get("/metrics/{metric_id}/change")
def change_page(visit: Visit) -> Response:
    """Show the builder with what the metric is."""
    visit.require(change_metric)
    return _builder_of(visit, "change")


@pages.post("/metrics/{metric_id}/change")
def change(visit: Visit) -> Response:
    """Change a metric in place."""
    problems = Problems()
    try:
        wanted = read(MetricUpdateForm, _definition(visit), problems).to_change(problems)
        view = visit.do(change_metric, visit.part("metric_id"), wanted)
    except LotusError as error:
        return _builder(visit, _address(visit, "change"), error, _metric(visit))
    return _to(visit, view.metric, "The metric was changed. Its figures are those of the new definition.")


@pages.get("/metrics/{metric_id}/version")
def version_page(visit: Visit) -> Response:
    """Show the builder for a further version."""
    visit.require(create_metric_version)
    return _builder_of(visit, "version")


@pages.post("/metrics/{metric_id}/version")
def create_version(visit: Visit) -> Response:
    """Make a further version, with an id of its own."""
    problems = Problems()
    payload = {name: value for name, value in _definition(visit).items() if name != "metric_id"}
    try:
        wanted = read(MetricVersionForm, payload, problems).to_change(problems)
        view = visit.do(create_metric_version, visit.part("metric_id"), wanted)
    except LotusError as error:
        return _builder(visit, _address(visit, "version"), error, _metric(visit))
    return _to(visit, view.metric, f"Version {view.metric.version} is there. New plan versions can be priced by it.")


@pages.get("/metrics/{metric_id}/archive")
def archive_page(visit: Visit) -> Response:
    """Ask before a metric is taken out of use."""
    visit.require(archive_metric)
    return visit.page("metrics/archive.html", fragment="dialog", metric=_metric(visit))


@pages.post("/metrics/{metric_id}/archive")
def archive(visit: Visit) -> Response:
    """Take a metric out of use."""
    try:
        metric = visit.do(archive_metric, visit.part("metric_id"))
    except LotusError as error:
        return visit.again(error, "metrics/archive.html", fragment="dialog", metric=_metric(visit))
    return visit.redirect(visit.url("metrics/"), f"{metric.metric_name} is archived.")


def _groups(found: MetricPreview) -> list[tuple[str, Decimal]]:
    """Return the first groups, in words, with their quantities."""
    shown = list(found.usage.groups.items())[:SUGGESTIONS]
    return [(_group_words(found, key), usage.quantity) for key, usage in shown]


def _group_words(found: MetricPreview, key: str) -> str:
    start, parts = split_key(found.definition, key)
    window = [] if start is None else [f"{start:%Y-%m-%d %H:%M}"]
    return ", ".join([*window, *(NOTHING if part is None else part for part in parts)])


def _metric(visit: Visit) -> Metric:
    return visit.do(view_metric, visit.part("metric_id")).metric


def _address(visit: Visit, action: str) -> str:
    return visit.url(f"metrics/{segment(visit.part('metric_id'))}/{action}")


def _to(visit: Visit, metric: Metric, toast: str) -> Response:
    return visit.redirect(visit.url(f"metrics/{segment(metric.metric_id)}/"), toast)


def _definition(visit: Visit) -> dict[str, Any]:
    """Return the definition as it was typed. A metric that is chosen to divide by takes the place of what divided."""
    payload = with_filter_values(visit.form.payload())
    if payload.get("metric_type") != "ratio" or payload.get("denominator_metric_id"):
        payload.pop("denominator", None)
    if payload.get("metric_type") != "ratio":
        payload.pop("denominator_metric_id", None)
    return payload


def _builder_of(visit: Visit, action: str) -> Response:
    metric = _metric(visit)
    row = metric_row(metric)
    denominator = row["denominator"]
    text = "" if denominator is None else msgspec.json.encode(denominator).decode()
    shown = {"metric_name": metric.metric_name, "is_cost_metric": metric.is_cost_metric, "denominator": text}
    visit.form = Form.of({**form_of(row), **shown})
    return _builder(visit, _address(visit, action), metric=metric)


def _builder(visit: Visit, action: str, error: LotusError | None = None, metric: Metric | None = None) -> Response:
    data: dict[str, Any] = {
        "action": action,
        "metric": metric,
        "types": TYPES,
        "operators": OPERATORS,
        "aggregations": list(Aggregation),
        "units": list(Granularity),
        "denominators": [(each.metric.metric_id, each.metric.metric_name) for each in visit.do(list_metrics)],
        "customers": [each.customer.customer_id for each in visit.do(list_customers, Page(SUGGESTIONS, None))],
    }
    if error is not None:
        return visit.again(error, "metrics/builder.html", **data)
    return visit.page("metrics/builder.html", **data)


def _usage(visit: Visit, metric: Metric, customer_id: str | None) -> tuple[UsageAnswer | None, LotusError | None]:
    if customer_id is None:
        return None, None
    question = usage_question(
        customer_id, metric_id=metric.metric_id, start=None, end=None, window="day", group_by=None, fills=True
    )
    try:
        return visit.do(customer_usage, question), None
    except LotusError as error:
        return None, error


def _chart(answer: UsageAnswer) -> Chart:
    """Return the usage by day, a row of values for each of the first groups."""
    days: list[datetime] = sorted({row.period.start for row in answer.rows})
    groups = list(dict.fromkeys(row.group for row in answer.rows))[:_GROUPS_MAX]
    values = {(row.period.start, row.group): row.value for row in answer.rows}
    series = [
        Series(", ".join(part or NOTHING for part in group) or "Usage", [values.get((day, group)) for day in days])
        for group in groups
    ]
    return Chart("bar", [f"{day:%Y-%m-%d}" for day in days], series, is_stacked=len(groups) > 1)
