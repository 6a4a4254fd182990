"""Numbers about the business in JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

from lotus_server.domain.analytics import Basis, Comparison, Dimension, Margin, Movements, Step
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import parse_date, to_text
from lotus_server.kernel.period import Period
from lotus_server.usecases.overview import Card, Overview
from lotus_server.usecases.recurring_revenue import RecurringQuestion, RecurringReport
from lotus_server.usecases.revenue import RevenueIn, RevenueQuestion, RevenueReport, Window
from lotus_server.usecases.usage_totals import (
    MarginQuestion,
    MarginReport,
    UsageTotals,
    UsageTotalsQuestion,
)
from lotus_server.wire.fields import Row
from lotus_server.wire.forms import required

Choice = TypeVar("Choice", bound=StrEnum)
Asked = Mapping[str, str | None]
LIMIT: Final = 100
_DAY: Final = timedelta(days=1)


def revenue_question(asked: Asked) -> RevenueQuestion:
    """Return which revenue is asked for by `start`, `end`, `basis`, `by`, `step` and `limit`."""
    problems = Problems()
    return RevenueQuestion(
        window_of(asked, problems),
        _choice(problems, "basis", asked.get("basis"), Basis, Basis.INVOICED),
        _choice(problems, "by", asked.get("by"), Dimension, Dimension.TOTAL),
        _choice(problems, "step", asked.get("step"), Step, Step.DAY),
        _limit(asked, problems),
        problems.found,
    )


def recurring_question(asked: Asked) -> RecurringQuestion:
    """Return which monthly revenue is asked for by `start`, `end` and `step`."""
    problems = Problems()
    step = _choice(problems, "step", asked.get("step"), Step, Step.MONTH)
    return RecurringQuestion(window_of(asked, problems), step, problems.found)


def usage_totals_question(asked: Asked) -> UsageTotalsQuestion:
    """Return which usage is asked for by `metric_id`, `start`, `end` and `limit`."""
    problems = Problems()
    metric_id = required(problems, "metric_id", asked.get("metric_id") or None)
    return UsageTotalsQuestion(metric_id, window_of(asked, problems), _limit(asked, problems), problems.found)


def margin_question(asked: Asked) -> MarginQuestion:
    """Return which margins are asked for by `start`, `end` and `limit`."""
    problems = Problems()
    return MarginQuestion(window_of(asked, problems), _limit(asked, problems), problems.found)


def window_of(asked: Asked, problems: Problems) -> Window:
    """Return the days that are asked about; `start` and `end` are days, and both are included."""
    start, end = (_day(problems, field, asked.get(field)) for field in ("start", "end"))
    return Window(start, None if end is None else end + _DAY)


def _day(problems: Problems, field: str, text: str | None) -> datetime | None:
    if not text:
        return None
    found = parse_date(text.strip())
    if found is None or found.year > 9998:
        problems.add(field, "invalid_time", f"{field} must be a day, such as 2026-01-31.")
        return None
    return datetime(found.year, found.month, found.day, tzinfo=UTC)


def _choice(problems: Problems, field: str, text: str | None, choices: type[Choice], default: Choice) -> Choice:
    if not text:
        return default
    try:
        return choices(text)
    except ValueError:
        names = ", ".join(choice.value for choice in choices)
        problems.add(field, "invalid_choice", f"{field} must be one of {names}.")
        return default


def _limit(asked: Asked, problems: Problems) -> int:
    text = asked.get("limit")
    if not text:
        return LIMIT
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        problems.add("limit", "invalid_number", "limit must be a whole number.")
        return LIMIT
    return int(text)


def revenue_row(report: RevenueReport) -> Row:
    """Return revenue by currency."""
    return {
        **_window_row(report.window),
        "before": _window_row(report.before),
        "basis": report.basis.value,
        "by": report.dimension.value,
        "step": report.step.value,
        "currencies": [_revenue_in_row(each) for each in report.currencies],
    }


def _revenue_in_row(found: RevenueIn) -> Row:
    return {
        "currency": found.currency,
        **comparison_row(found.amount),
        "series": [{**_window_row(period), "amount": amount} for period, amount in found.series],
        "parts": [{"key": each.key, "name": each.name, **comparison_row(each.amount)} for each in found.parts],
        "others": comparison_row(found.others),
    }


def comparison_row(compared: Comparison) -> Row:
    """Return a number beside the one of the window before; `change_percent` is null when that was not above zero."""
    return {
        "amount": compared.value,
        "amount_before": compared.before,
        "change": compared.change,
        "change_percent": compared.change_percent,
    }


def _window_row(window: Period) -> Row:
    """Return a window by its first and last day."""
    return {"start": _date(window.start), "end": _date(window.end - _DAY)}


def _date(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d}"


def recurring_row(report: RecurringReport) -> Row:
    """Return monthly recurring revenue by currency."""
    return {
        **_window_row(report.window),
        "step": report.step.value,
        "currencies": [
            {
                "currency": each.currency,
                **_movements_row(each.movements),
                "annual": each.movements.annual,
                "per_customer": each.movements.per_customer,
                "series": [{**_window_row(period), **_movements_row(moved)} for period, moved in each.parts],
                "plans": [
                    {"plan_id": plan.plan_id, "plan_name": name, "opening": plan.opening, "closing": plan.closing}
                    for name, plan in each.plans
                ],
            }
            for each in report.currencies
        ],
    }


def _movements_row(moved: Movements) -> Row:
    names = ("opening", "new", "reactivation", "expansion", "contraction", "churn", "closing", "customers")
    return {name: getattr(moved, name) for name in names} | {
        "net_retention_percent": moved.net_retention_percent,
        "gross_retention_percent": moved.gross_retention_percent,
    }


def usage_totals_row(found: UsageTotals) -> Row:
    """Return what all customers used of a metric."""
    return {
        **_window_row(found.window),
        "metric_id": found.metric.metric_id,
        "metric_name": found.metric.metric_name,
        **comparison_row(found.quantity),
        "days": [{"day": _date(day), "amount": amount} for day, amount in found.days],
        "groups": [
            {"group": dict(zip(found.group_by, group, strict=True)), "amount": amount} for group, amount in found.groups
        ],
        "customers": [
            {"customer_id": each.customer_id, "customer_name": each.customer_name, "amount": each.quantity}
            for each in found.customers
        ],
        "customer_count": found.customer_count,
    }


def margin_row(found: MarginReport) -> Row:
    """Return what customers brought and cost."""
    return {
        **_window_row(found.window),
        "currency": found.currency,
        **_one_margin_row(found.margin),
        "costs": [
            {"metric_id": metric.metric_id, "metric_name": metric.metric_name, "amount": amount}
            for metric, amount in found.costs
        ],
        "customers": [
            {"customer_id": each.customer_id, "customer_name": each.customer_name, **_one_margin_row(each.margin)}
            for each in found.customers
        ],
        "customer_count": found.customer_count,
    }


def _one_margin_row(margin: Margin) -> Row:
    return {
        "revenue": margin.revenue,
        "cost": margin.cost,
        "margin": margin.amount,
        "margin_percent": margin.percent,
    }


def overview_row(found: Overview) -> Row:
    """Return the state of an organization."""
    verified = found.verification
    return {
        "now": to_text(found.now),
        **_window_row(found.window),
        "days": [_date(day) for day in found.days],
        "currency": found.currency,
        "revenue": _card_row(found.revenue),
        "revenue_in_others": [{"currency": code, **comparison_row(amount)} for code, amount in found.others],
        "events": _card_row(found.events),
        "subscriptions": _card_row(found.subscriptions),
        "customers": _card_row(found.customers),
        "open_invoices": [
            {name: getattr(each, name) for name in each.__struct_fields__} for each in found.open_invoices
        ],
        "parked_count": found.parked_count,
        "parked": [
            {
                "subscription_id": each.subscription_id,
                "customer_id": each.customer_id,
                "cause": each.cause,
                "retry_at": None if each.retry_at is None else to_text(each.retry_at),
            }
            for each in found.parked
        ],
        "verification": None
        if verified is None
        else {
            "verified_at": to_text(verified.verified_at),
            "aggregate_count": verified.aggregate_count,
            "drift_count": verified.drift_count,
        },
    }


def _card_row(card: Card) -> dict[str, Any]:
    return {**comparison_row(card.amount), "series": list(card.series)}
