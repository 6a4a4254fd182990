"""Analytics: revenue, recurring revenue and its movements, usage, margins, each as a chart and the table beside it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from lotus_server.domain.analytics import Basis, Dimension, Movements, day_of, month_of
from lotus_server.http.web.charts import Chart, Series
from lotus_server.http.web.formats import NOTHING
from lotus_server.http.web.pages.home import change_of
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.period import Duration, Period, boundary
from lotus_server.kernel.quantity import ZERO, add, multiply
from lotus_server.usecases.metrics import list_metrics
from lotus_server.usecases.recurring_revenue import RecurringIn, RecurringReport, recurring_report
from lotus_server.usecases.revenue import RevenueIn, RevenueReport, revenue_report, zone_of
from lotus_server.usecases.usage_totals import MarginReport, UsageTotals, margin_report, usage_totals
from lotus_server.wire.analytics import margin_question, recurring_question, revenue_question, usage_totals_question

pages = Pages()
MOVEMENTS: Final = ("new", "reactivation", "expansion", "contraction", "churn")
SHOWN: Final = "25"
BARS_MAX: Final = 12
_COLORS: Final = {"new": "green", "reactivation": "teal", "expansion": "azure", "contraction": "orange", "churn": "red"}
_HUNDREDTH: Final = Decimal("0.01")
_DAY: Final = timedelta(days=1)
Report = TypeVar("Report")


class Span(msgspec.Struct, frozen=True):
    """Days that are often asked about."""

    name: str
    start: str
    end: str


@pages.get("/analytics/")
def revenue_page(visit: Visit) -> Response:
    """Show revenue by day or month, and by plan, source or customer."""
    report = asked_revenue(visit)
    charts = {each.currency: _revenue_charts(report, each) for each in report.currencies} if report else {}
    return _show(visit, "analytics/revenue.html", report, charts=charts, bases=list(Basis), dimensions=list(Dimension))


@pages.get("/analytics/recurring")
def recurring_page(visit: Visit) -> Response:
    """Show how monthly recurring revenue moved."""
    report = asked_recurring(visit)
    charts = {each.currency: _recurring_charts(each) for each in report.currencies} if report else {}
    return _show(visit, "analytics/recurring.html", report, charts=charts, names=MOVEMENTS)


@pages.get("/analytics/usage")
def usage_page(visit: Visit) -> Response:
    """Show what all customers used of a metric."""
    metrics = [view.metric for view in visit.do(list_metrics)]
    chosen = visit.query.get("metric_id") or (metrics[0].metric_id if metrics else "")
    report = asked_usage(visit, chosen) if chosen else None
    return _show(
        visit,
        "analytics/usage.html",
        report,
        charts=_usage_charts(report) if report else (),
        metrics=metrics,
        chosen=chosen,
        group_text=group_text,
    )


@pages.get("/analytics/margin")
def margin_page(visit: Visit) -> Response:
    """Show what customers brought and cost."""
    report = asked_margin(visit)
    return _show(visit, "analytics/margin.html", report, chart=_margin_chart(report) if report else None)


def asked_revenue(visit: Visit, *, limit: str = SHOWN) -> RevenueReport | None:
    """Return the revenue that the address asks for; null when it asks for what cannot be."""
    asked = {**_asked(visit, "start", "end", "basis", "by", "step"), "limit": limit}
    return _found(visit, lambda: visit.do(revenue_report, revenue_question(asked)))


def asked_recurring(visit: Visit) -> RecurringReport | None:
    """Return the recurring revenue that the address asks for, of the last twelve months if it does not say."""
    asked = _asked(visit, "start", "end", "step")
    if not asked["start"] and not asked["end"]:
        asked["start"] = f"{boundary(month_of(visit.now, _zone(visit)), Duration.MONTHLY, -11):%Y-%m-%d}"
    return _found(visit, lambda: visit.do(recurring_report, recurring_question(asked)))


def asked_usage(visit: Visit, metric_id: str, *, limit: str = SHOWN) -> UsageTotals | None:
    """Return the usage of a metric that the address asks for."""
    asked = {**_asked(visit, "start", "end"), "metric_id": metric_id, "limit": limit}
    return _found(visit, lambda: visit.do(usage_totals, usage_totals_question(asked)))


def asked_margin(visit: Visit, *, limit: str = SHOWN) -> MarginReport | None:
    """Return the margins that the address asks for."""
    asked = {**_asked(visit, "start", "end"), "limit": limit}
    return _found(visit, lambda: visit.do(margin_report, margin_question(asked)))


def group_text(group: Sequence[str | None]) -> str:
    """Return a group as people read it; a dash stands for a property that events lack."""
    return " · ".join(NOTHING if text is None else text for text in group)


def _asked(visit: Visit, *names: str) -> dict[str, str | None]:
    return {name: visit.query.get(name) for name in names}


def _found(visit: Visit, ask: Callable[[], Report]) -> Report | None:
    try:
        return ask()
    except Invalid as error:
        visit.form.with_error(error)
        return None


def _show(visit: Visit, template: str, report: Any, **data: Any) -> Response:  # noqa: ANN401 - a report of any kind
    window: Period | None = None if report is None else report.window
    return visit.page(
        template,
        report=report,
        first_day=f"{window.start:%Y-%m-%d}" if window else visit.query.get("start", ""),
        last_day=f"{window.end - _DAY:%Y-%m-%d}" if window else visit.query.get("end", ""),
        spans=_spans(day_of(visit.now, _zone(visit))),
        last=_last_day,
        change=change_of,
        share=_share,
        day=_day,
        **data,
    )


def _zone(visit: Visit) -> ZoneInfo:
    return zone_of(visit.organization)


def _spans(today: datetime) -> tuple[Span, ...]:
    """Return the spans that a link leads to."""
    month = month_of(today)
    before = boundary(month, Duration.MONTHLY, -1)
    return (
        Span("Last 7 days", _day(today - 6 * _DAY), _day(today)),
        Span("Last 30 days", _day(today - 29 * _DAY), _day(today)),
        Span("This month", _day(month), _day(boundary(month, Duration.MONTHLY, 1) - _DAY)),
        Span("Last month", _day(before), _day(month - _DAY)),
        Span("Last 12 months", _day(boundary(month, Duration.MONTHLY, -11)), _day(today)),
    )


def _day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d}"


def _last_day(window: Period) -> str:
    return _day(window.end - _DAY)


def _share(percent: Decimal | None) -> Decimal | None:
    return None if percent is None else multiply(percent, _HUNDREDTH)


def _revenue_charts(report: RevenueReport, found: RevenueIn) -> tuple[Chart, Chart | None]:
    kind = "Invoiced" if report.basis is Basis.INVOICED else "Earned"
    series = Chart(
        "bar",
        [_day(period.start) for period, _ in found.series],
        [Series(kind, [amount for _, amount in found.series])],
        currency=found.currency,
    )
    if not found.parts:
        return series, None
    most = found.parts[:BARS_MAX]
    bars = [
        Series(kind, [each.amount.value for each in most]),
        Series("Before", [each.amount.before for each in most], color="secondary"),
    ]
    return series, Chart("rows", [each.name for each in most], bars, currency=found.currency)


def _recurring_charts(found: RecurringIn) -> tuple[Chart, Chart]:
    months = [_day(period.start) for period, _ in found.parts]
    moved = Chart(
        "bar",
        months,
        [
            Series(name.capitalize(), [getattr(each, name) for _, each in found.parts], color=_COLORS[name])
            for name in MOVEMENTS
        ],
        currency=found.currency,
        is_stacked=True,
    )
    return _waterfall(found.movements), moved


def _waterfall(moved: Movements) -> Chart:
    """Return the way from opening to closing: each step begins where the one before it has ended."""
    below: list[Decimal | None] = [ZERO]
    more: list[Decimal | None] = [None]
    less: list[Decimal | None] = [None]
    level = moved.opening
    for name in MOVEMENTS:
        change = getattr(moved, name)
        following = add(level, change)
        below.append(min(level, following))
        more.append(change if change > 0 else None)
        less.append(-change if change < 0 else None)
        level = following
    names = ["Opening", *(name.capitalize() for name in MOVEMENTS), "Closing"]
    steps: list[Decimal | None] = [None] * len(MOVEMENTS)
    bars = [
        Series("below", [*below, ZERO], color="transparent"),
        Series("Recurring revenue", [moved.opening, *steps, moved.closing], color="primary"),
        Series("More", [*more, None], color="green"),
        Series("Less", [*less, None], color="red"),
    ]
    return Chart("rows", names, bars, currency=moved.currency, is_stacked=True)


def _usage_charts(found: UsageTotals) -> tuple[Chart, ...]:
    name = found.metric.metric_name
    charts = []
    if found.days:
        amounts = dict(found.days)
        days = [found.window.start + _DAY * place for place in range((found.window.end - found.window.start).days)]
        series = [Series(name, [amounts.get(day, ZERO) for day in days])]
        charts.append(Chart("bar", [_day(day) for day in days], series))
    if found.groups:
        most = found.groups[:BARS_MAX]
        series = [Series(name, [amount for _, amount in most])]
        charts.append(Chart("rows", [group_text(group) for group, _ in most], series))
    most_used = found.customers[:BARS_MAX]
    if most_used:
        series = [Series(name, [each.quantity for each in most_used])]
        charts.append(Chart("rows", [each.customer_name for each in most_used], series))
    return tuple(charts)


def _margin_chart(found: MarginReport) -> Chart | None:
    least = found.customers[:BARS_MAX]
    if not least:
        return None
    bars = [
        Series("Revenue", [each.margin.revenue for each in least], color="green"),
        Series("Cost", [each.margin.cost for each in least], color="orange"),
    ]
    return Chart("rows", [each.customer_name for each in least], bars, currency=found.currency)
