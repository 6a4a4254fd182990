"""Revenue: summing it up as invoices are made, and looking at a window of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.analytics import (
    DAY,
    WINDOW_DAYS_MAX,
    Basis,
    Comparison,
    Dimension,
    RevenueSum,
    RevenueSums,
    Step,
    day_of,
    last_days,
    month_of,
    parts_of_window,
    window_before,
)
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO, add
from lotus_server.ports.analytics_records import Booked
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services, present

# With so many, keeping the sums takes some hundredths of a second, for which other writers are held up.
BOOKED_AT_ONCE: Final = 2_000
DAYS_ASKED: Final = 30
ROWS_MAX: Final = 1_000
YEARS: Final = range(1971, 2201)


class Window(msgspec.Struct, frozen=True):
    """The days that are asked about: from `start`, included, to `end`, not included, each named by a midnight in UTC.

    They are days of the organization's time zone. Null: up to today, and 30 days back from the end.
    """

    start: datetime | None = None
    end: datetime | None = None


class RevenueQuestion(msgspec.Struct, frozen=True):
    """Which revenue is asked for; `limit` is how many plans, sources or customers of a currency are told apart."""

    asked: Window = Window()
    basis: Basis = Basis.INVOICED
    dimension: Dimension = Dimension.TOTAL
    step: Step = Step.DAY
    limit: int = 100
    problems: tuple[FieldProblem, ...] = ()


class RevenueOf(msgspec.Struct, frozen=True):
    """The revenue of a plan, a source or a customer; the name is the one that people know it by."""

    key: str
    name: str
    amount: Comparison


class RevenueIn(msgspec.Struct, frozen=True):
    """The revenue in a currency: of the window, of its days or months, and told apart, the greatest first.

    `others` is what those come to that are beyond the limit.
    """

    currency: str
    amount: Comparison
    series: tuple[tuple[Period, Decimal], ...]
    parts: tuple[RevenueOf, ...]
    others: Comparison


class RevenueReport(msgspec.Struct, frozen=True):
    """What a window earned or invoiced, by currency, the organization's own first."""

    window: Period
    before: Period
    basis: Basis
    dimension: Dimension
    step: Step
    currencies: tuple[RevenueIn, ...]


def zone_of(organization: Organization) -> ZoneInfo:
    """Return the time zone whose days are those of an organization's figures."""
    return ZoneInfo(organization.invoice_settings.timezone)


def sum_up_revenue(services: Services, organization: Organization) -> int:
    """Every invoice, credit note and void so far is in the sums of revenue; return how many were not before.

    In portions, each of which is read and summed up before the short transaction that keeps it: others write in
    between, and whoever is interrupted goes on where the last portion ended. All begins anew when the organization has
    got another time zone.
    """
    organization_id, timezone = organization.organization_id, organization.invoice_settings.timezone
    with services.records.snapshot() as tx:
        is_of_zone = tx.revenue.timezone(organization_id) == timezone
        if is_of_zone and not tx.revenue.is_behind(organization_id):
            return 0
    if not is_of_zone:
        with services.records.transaction() as tx:
            tx.revenue.begin_anew(organization_id, timezone)
    count = 0
    while True:
        with services.records.snapshot() as tx:
            booked = tx.revenue.next(organization_id, BOOKED_AT_ONCE)
        if booked.is_empty:
            return count
        sums = _summed_up(booked, ZoneInfo(booked.before.timezone))
        with services.records.transaction() as tx:
            is_kept = tx.revenue.keep(organization_id, sums, booked)
        if is_kept:
            count += len(booked.invoices) + len(booked.takebacks) + len(booked.voided)


def _summed_up(booked: Booked, zone: ZoneInfo) -> list[RevenueSum]:
    sums = RevenueSums(UTC if zone.key == "UTC" else zone)
    for invoice in booked.invoices:
        sums.add_invoice(invoice)
    for takeback in booked.takebacks:
        sums.add_takeback(takeback)
    for _, invoice in booked.voided:
        sums.take_out(invoice)
    return sums.taken()


def sum_up_all_revenue(services: Services) -> int:
    """The revenue of every organization is summed up; return how many things were not before."""
    with services.records.snapshot() as tx:
        organizations = tx.organizations.all()
    return sum(sum_up_revenue(services, organization) for organization in organizations)


def resolved(asked: Window, services: Services, organization: Organization, problems: Problems) -> Period:
    """Return the window that is asked about, adding what is wrong with it to the problems."""
    today = day_of(present(services, organization), zone_of(organization))
    for field, instant in (("start", asked.start), ("end", asked.end)):
        if instant is None:
            continue
        if instant != day_of(instant):
            problems.add(field, "invalid", f"{field} must be a day, such as 2026-01-31.")
        if instant.year not in YEARS:
            problems.add(field, "out_of_range", f"{field} must lie in the years {YEARS[0]} to {YEARS[-1]}.")
    if problems.found:
        return last_days(today, DAYS_ASKED)
    end = asked.end or today + DAY
    start = asked.start or end - DAY * DAYS_ASKED
    if end <= start:
        problems.add("end", "end_before_start", "end must lie after start.")
    elif (end - start) > DAY * WINDOW_DAYS_MAX:
        problems.add("end", "too_many", f"At most {WINDOW_DAYS_MAX:,} days can be asked about.")
    else:
        return Period(start, end)
    return last_days(today, DAYS_ASKED)


def revenue_report(services: Services, organization: Organization, question: RevenueQuestion) -> RevenueReport:
    """Return the revenue of a window beside that of the window before. Raises Invalid with every problem."""
    problems = Problems()
    problems.extend(question.problems)
    window = resolved(question.asked, services, organization, problems)
    if question.dimension is Dimension.CUSTOMER and question.basis is Basis.EARNED:
        problems.add("basis", "unsupported", "By customer there is only what was invoiced.")
    if not 1 <= question.limit <= ROWS_MAX:
        problems.add("limit", "out_of_range", f"limit must lie between 1 and {ROWS_MAX:,}.")
    problems.raise_if_any()
    organization_id = organization.organization_id
    sum_up_revenue(services, organization)
    before = window_before(window)
    with services.records.snapshot() as tx:
        days = tx.revenue.by_day(organization_id, question.basis, Dimension.TOTAL, window)
        sums_before = tx.revenue.by_key(organization_id, question.basis, Dimension.TOTAL, before)
        parts: dict[str, list[RevenueOf]] = {}
        others: dict[str, Comparison] = {}
        if question.dimension is not Dimension.TOTAL:
            parts, others = _parts(tx, organization_id, question, window, before)
    series = _series(days, window, question.step)
    codes = sorted({*series, *(code for code, _ in sums_before)}, key=lambda code: _own_first(organization, code))
    nothing = tuple((part, ZERO) for part in parts_of_window(window, question.step))
    return RevenueReport(
        window,
        before,
        question.basis,
        question.dimension,
        question.step,
        tuple(
            RevenueIn(
                code,
                Comparison(total(amount for _, amount in series.get(code, ())), sums_before.get((code, ""), ZERO)),
                series.get(code, nothing),
                tuple(parts.get(code, ())),
                others.get(code, Comparison(ZERO, ZERO)),
            )
            for code in codes
        ),
    )


def _own_first(organization: Organization, code: str) -> tuple[bool, str]:
    return code != organization.default_currency, code


def _series(
    days: Sequence[tuple[str, str, datetime, Decimal]], window: Period, step: Step
) -> dict[str, tuple[tuple[Period, Decimal], ...]]:
    """Return what each day or month comes to, by currency."""
    parts = parts_of_window(window, step)
    found: dict[str, dict[datetime, Decimal]] = {}
    for code, _, day, amount in days:
        sums = found.setdefault(code, {})
        start = day if step is Step.DAY else max(month_of(day), window.start)
        sums[start] = add(sums.get(start, ZERO), amount)
    return {code: tuple((part, sums.get(part.start, ZERO)) for part in parts) for code, sums in found.items()}


def _parts(
    tx: Transaction, organization_id: str, question: RevenueQuestion, window: Period, before: Period
) -> tuple[dict[str, list[RevenueOf]], dict[str, Comparison]]:
    """Return the greatest parts of each currency, and what the others come to."""
    asked = (organization_id, question.basis, question.dimension)
    now, then = tx.revenue.by_key(*asked, window), tx.revenue.by_key(*asked, before)
    by_code: dict[str, list[str]] = {}
    for code, key in {**now, **then}:
        by_code.setdefault(code, []).append(key)
    chosen: dict[str, list[str]] = {}
    others = {}
    for code, keys in by_code.items():
        # Every part of the window comes before what was only in the window before.
        keys.sort(key=lambda key: (-now.get((code, key), ZERO), -then.get((code, key), ZERO), key))
        chosen[code] = keys[: question.limit]
        rest = keys[question.limit :]
        others[code] = Comparison(
            total(now.get((code, key), ZERO) for key in rest), total(then.get((code, key), ZERO) for key in rest)
        )
    names = names_of(tx, organization_id, question.dimension, sorted({key for keys in chosen.values() for key in keys}))
    parts = {
        code: [
            RevenueOf(key, names.get(key, key), Comparison(now.get((code, key), ZERO), then.get((code, key), ZERO)))
            for key in keys
        ]
        for code, keys in chosen.items()
    }
    return parts, others


def names_of(tx: Transaction, organization_id: str, dimension: Dimension, keys: Sequence[str]) -> Mapping[str, str]:
    """Return what people know plans, sources or customers by; keys without a name of their own are left out."""
    match dimension:
        case Dimension.PLAN:
            return {plan.plan_id: plan.plan_name for plan in tx.plans.all(organization_id)} | {"": "Without a plan"}
        case Dimension.CUSTOMER:
            return {
                customer_id: customer.customer_name or customer_id
                for customer_id, customer in tx.customers.many(organization_id, keys).items()
            }
        case Dimension.SOURCE:
            named = {f"metric:{metric.metric_id}": metric.metric_name for metric in tx.metrics.all(organization_id)}
            charges = {key: key.removeprefix("charge:") for key in keys if key.startswith("charge:")}
            return named | charges | SOURCE_NAMES
        case Dimension.TOTAL:
            return {}


SOURCE_NAMES: Final = {
    "one_off": "One-off invoices",
    "adjustment": "Price adjustments",
    "commitment": "Commitments",
    "prepaid": "Prepaid units",
    "usage": "Usage",
    "correction": "Corrections",
}
