"""The tables of analytics as files for spreadsheets."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from starlette.responses import Response

from lotus_server.http.web.pages.analytics import (
    MOVEMENTS,
    asked_margin,
    asked_recurring,
    asked_revenue,
    asked_usage,
    group_text,
)
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.errors import Invalid, NotFound
from lotus_server.kernel.period import Period

pages = Pages()
ROWS: Final = "1000"
Table = tuple[Sequence[str], Iterable[Sequence[object]]]


@pages.get("/analytics/files/{table}")
def table_file(visit: Visit) -> Response:
    """Answer with the table that the path names, for what the query asks for."""
    table = visit.part("table")
    make = TABLES.get(table)
    if make is None:
        raise NotFound(f"There is no table {table!r}.")
    found = make(visit)
    if found is None:
        raise Invalid(visit.form.error or "This cannot be asked for.")
    header, rows = found
    return visit.csv(f"{table}.csv", header, rows)


def _days(period: Period) -> tuple[str, str]:
    return _day(period.start), _day(period.end - timedelta(days=1))


def _day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d}"


def _revenue_series(visit: Visit) -> Table | None:
    report = asked_revenue(visit, limit=ROWS)
    if report is None:
        return None
    rows = [(each.currency, *_days(period), amount) for each in report.currencies for period, amount in each.series]
    return ("currency", "first_day", "last_day", "amount"), rows


def _revenue_parts(visit: Visit) -> Table | None:
    report = asked_revenue(visit, limit=ROWS)
    if report is None:
        return None
    rows = [
        (found.currency, each.key, each.name, each.amount.value, each.amount.before, each.amount.change)
        for found in report.currencies
        for each in found.parts
    ]
    return ("currency", report.dimension.value, "name", "amount", "amount_before", "change"), rows


def _recurring_series(visit: Visit) -> Table | None:
    report = asked_recurring(visit)
    if report is None:
        return None
    names = ("opening", *MOVEMENTS, "closing", "customers")
    rows = [
        (each.currency, *_days(period), *(getattr(moved, name) for name in names))
        for each in report.currencies
        for period, moved in each.parts
    ]
    return ("currency", "first_day", "last_day", *names), rows


def _recurring_plans(visit: Visit) -> Table | None:
    report = asked_recurring(visit)
    if report is None:
        return None
    rows = [
        (each.currency, plan.plan_id, name, plan.opening, plan.closing)
        for each in report.currencies
        for name, plan in each.plans
    ]
    return ("currency", "plan_id", "plan_name", "opening", "closing"), rows


def _usage_days(visit: Visit) -> Table | None:
    report = asked_usage(visit, visit.query.get("metric_id", ""), limit=ROWS)
    return None if report is None else (("day", "amount"), [(_day(day), amount) for day, amount in report.days])


def _usage_groups(visit: Visit) -> Table | None:
    report = asked_usage(visit, visit.query.get("metric_id", ""), limit=ROWS)
    return (
        None if report is None else (("group", "amount"), [(group_text(key), amount) for key, amount in report.groups])
    )


def _usage_customers(visit: Visit) -> Table | None:
    report = asked_usage(visit, visit.query.get("metric_id", ""), limit=ROWS)
    if report is None:
        return None
    rows = [(each.customer_id, each.customer_name, each.quantity) for each in report.customers]
    return ("customer_id", "customer_name", "amount"), rows


def _margin_customers(visit: Visit) -> Table | None:
    report = asked_margin(visit, limit=ROWS)
    if report is None:
        return None
    rows = [
        (
            each.customer_id,
            each.customer_name,
            report.currency,
            each.margin.revenue,
            each.margin.cost,
            each.margin.amount,
            each.margin.percent,
        )
        for each in report.customers
    ]
    header = ("customer_id", "customer_name", "currency", "revenue", "cost", "margin", "margin_percent")
    return header, rows


def _margin_costs(visit: Visit) -> Table | None:
    report = asked_margin(visit)
    if report is None:
        return None
    rows = [(metric.metric_id, metric.metric_name, report.currency, amount) for metric, amount in report.costs]
    return ("metric_id", "metric_name", "currency", "amount"), rows


TABLES: Final[dict[str, Callable[[Visit], Table | None]]] = {
    "revenue": _revenue_series,
    "revenue-parts": _revenue_parts,
    "recurring-revenue": _recurring_series,
    "recurring-revenue-plans": _recurring_plans,
    "usage-days": _usage_days,
    "usage-groups": _usage_groups,
    "usage-customers": _usage_customers,
    "margin-customers": _margin_customers,
    "margin-costs": _margin_costs,
}
