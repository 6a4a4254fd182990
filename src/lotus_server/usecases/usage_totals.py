"""What all customers used of a metric, and what customers cost by cost metrics."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.analytics import (
    Basis,
    Comparison,
    Dimension,
    Margin,
    Step,
    parts_of_window,
    window_before,
    within,
)
from lotus_server.domain.metering import (
    Aggregation,
    Metric,
    MetricDefinition,
    MetricType,
    Selection,
    Usage,
    split_key,
)
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO, add
from lotus_server.usecases.metrics import require_metric
from lotus_server.usecases.revenue import Window, resolved, sum_up_revenue, zone_of
from lotus_server.usecases.services import Services

CUSTOMERS_MAX: Final = 100_000
ROWS_MAX: Final = 1_000
_AT_ONCE: Final = 2_000
_ADDED: Final = frozenset({Aggregation.COUNT, Aggregation.SUM})

Group = tuple[str | None, ...]


class UsageTotalsQuestion(msgspec.Struct, frozen=True):
    """Which metric is asked about, and how many of the customers and groups that used most are told apart."""

    metric_id: str
    asked: Window = Window()
    limit: int = 100
    problems: tuple[FieldProblem, ...] = ()


class CustomerUsage(msgspec.Struct, frozen=True):
    """What a customer used."""

    customer_id: str
    customer_name: str
    quantity: Decimal


class UsageTotals(msgspec.Struct, frozen=True):
    """What all customers used of a metric, each counted as an invoice over the window would count it.

    `days` is what each day comes to, for metrics whose days can be told apart; `groups` has those of the metric's
    groups, by their values in the order of `group_by`, that used most.
    """

    metric: Metric
    window: Period
    quantity: Comparison
    days: tuple[tuple[datetime, Decimal], ...]
    group_by: tuple[str, ...]
    groups: tuple[tuple[Group, Decimal], ...]
    customers: tuple[CustomerUsage, ...]
    customer_count: int


def usage_totals(services: Services, organization: Organization, question: UsageTotalsQuestion) -> UsageTotals:
    """Return what all customers used of a metric in a window. Nothing is kept for later questions.

    Raises Invalid with every problem, NotFound `metric_not_found`.
    """
    problems = Problems()
    problems.extend(question.problems)
    window = resolved(question.asked, services, organization, problems)
    if not 1 <= question.limit <= ROWS_MAX:
        problems.add("limit", "out_of_range", f"limit must lie between 1 and {ROWS_MAX:,}.")
    problems.raise_if_any()
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        metric = require_metric(tx, organization, question.metric_id)
        known = frozenset(tx.figures.customer_ids(organization_id))
    definition = metric.definition
    zone = zone_of(organization)
    periods = within(window_before(window), zone), within(window, zone)
    (before, by_customer), is_all = _quantities(services, organization_id, definition, known, *periods)
    used = {customer_id: usage.quantity for customer_id, usage in by_customer.items() if usage.quantity}
    top = sorted(used, key=lambda customer_id: (-used[customer_id], customer_id))[: question.limit]
    with services.records.snapshot() as tx:
        names = tx.customers.many(organization_id, top)
    return UsageTotals(
        metric,
        window,
        Comparison(total(used.values()), total(usage.quantity for usage in before.values())),
        _days(services, organization, definition, known, window, is_all=is_all),
        definition.group_by,
        _groups(definition, by_customer.values(), question.limit),
        tuple(CustomerUsage(each, names[each].customer_name or each, used[each]) for each in top),
        len(used),
    )


def _quantities(
    services: Services, organization_id: str, definition: MetricDefinition, known: Collection[str], *periods: Period
) -> tuple[list[dict[str, Usage]], bool]:
    """Return the usage of each period by customer that exists, and whether nobody else is known to have used anything.

    Who used nothing may be left out.
    """
    found = services.events.usage_by_customer(organization_id, definition, periods)
    if found is None:
        ids = sorted(known)
        return [_one_by_one(services, organization_id, definition, ids, period) for period in periods], False
    told = [{each: usage for each, usage in usages.items() if each in known} for usages in found]
    return told, all(len(some) == len(usages) for some, usages in zip(told, found, strict=True))


def _one_by_one(
    services: Services, organization_id: str, definition: MetricDefinition, customer_ids: Sequence[str], period: Period
) -> dict[str, Usage]:
    found: dict[str, Usage] = {}
    cycle = period if definition.depends_on_cycle else None
    for start in range(0, len(customer_ids), _AT_ONCE):
        some = customer_ids[start : start + _AT_ONCE]
        selections = [Selection(definition, customer_id, period, cycle=cycle) for customer_id in some]
        usages = services.events.usage(organization_id, selections, keeps_aggregates=False)
        found.update(zip(some, usages, strict=True))
    return found


def _days(
    services: Services,
    organization: Organization,
    definition: MetricDefinition,
    known: Collection[str],
    window: Period,
    *,
    is_all: bool,
) -> tuple[tuple[datetime, Decimal], ...]:
    """Return what each day with any usage comes to, for metrics whose days can be told apart.

    `is_all`: nobody used anything in the window but customers that exist.
    """
    if definition.type is not MetricType.COUNTER or definition.window is not None or definition.denominator is not None:
        return ()
    days, organization_id = parts_of_window(window, Step.DAY), organization.organization_id
    periods = [within(day, zone_of(organization)) for day in days]
    asked = msgspec.structs.replace(definition, group_by=())
    if definition.aggregation in _ADDED and is_all:
        # What is added up is the same in any order, so customers need not be told apart on each day.
        sums = [usage.quantity for usage in services.events.usage_together(organization_id, asked, periods)]
    else:
        by_day, _ = _quantities(services, organization_id, asked, known, *periods)
        sums = [total(usage.quantity for usage in usages.values()) for usages in by_day]
    return tuple((day.start, amount) for day, amount in zip(days, sums, strict=True) if amount)


def _groups(definition: MetricDefinition, usages: Iterable[Usage], limit: int) -> tuple[tuple[Group, Decimal], ...]:
    if not definition.group_by:
        return ()
    sums: dict[Group, Decimal] = {}
    for usage in usages:
        for key, part in usage.groups.items():
            _, group = split_key(definition, key)
            sums[group] = add(sums.get(group, ZERO), part.quantity)
    ordered = sorted(sums.items(), key=lambda each: (-each[1], [text or "" for text in each[0]]))
    return tuple(ordered[:limit])


class MarginQuestion(msgspec.Struct, frozen=True):
    """The window that is asked about, and how many customers are told apart."""

    asked: Window = Window()
    limit: int = 100
    problems: tuple[FieldProblem, ...] = ()


class CustomerMargin(msgspec.Struct, frozen=True):
    """The revenue and the cost of a customer."""

    customer_id: str
    customer_name: str
    margin: Margin


class MarginReport(msgspec.Struct, frozen=True):
    """Invoiced revenue and costs in the organization's currency: in all, by cost metric, and by customer.

    Customers come with the least margin first. Costs are what cost metrics measure, an amount of money.
    """

    window: Period
    currency: str
    margin: Margin
    costs: tuple[tuple[Metric, Decimal], ...]
    customers: tuple[CustomerMargin, ...]
    customer_count: int


def margin_report(services: Services, organization: Organization, question: MarginQuestion) -> MarginReport:
    """Return what customers brought and cost in a window. Raises Invalid with every problem."""
    problems = Problems()
    problems.extend(question.problems)
    window = resolved(question.asked, services, organization, problems)
    if not 1 <= question.limit <= ROWS_MAX:
        problems.add("limit", "out_of_range", f"limit must lie between 1 and {ROWS_MAX:,}.")
    problems.raise_if_any()
    organization_id, code = organization.organization_id, organization.default_currency
    sum_up_revenue(services, organization)
    with services.records.snapshot() as tx:
        metrics = [each for each in tx.metrics.all(organization_id) if each.is_cost_metric and not each.archived]
        known = frozenset(tx.figures.customer_ids(organization_id) if metrics else ())
        sums = tx.revenue.by_key(organization_id, Basis.INVOICED, Dimension.CUSTOMER, window)
    revenue = {key: amount for (currency, key), amount in sums.items() if currency == code}
    costs: dict[str, Decimal] = {}
    by_metric = []
    for metric in metrics:
        (usages,), _ = _quantities(
            services, organization_id, metric.definition, known, within(window, zone_of(organization))
        )
        by_metric.append((metric, total(usage.quantity for usage in usages.values())))
        for customer_id, usage in usages.items():
            costs[customer_id] = add(costs.get(customer_id, ZERO), usage.quantity)
    margins = {key: Margin(revenue.get(key, ZERO), costs.get(key, ZERO)) for key in {*revenue, *costs}}
    active = {key: margin for key, margin in margins.items() if margin.revenue or margin.cost}
    worst = sorted(active, key=lambda key: (active[key].amount, key))[: question.limit]
    with services.records.snapshot() as tx:
        names = tx.customers.many(organization_id, worst)
    return MarginReport(
        window,
        code,
        Margin(total(revenue.values()), total(costs.values())),
        tuple(by_metric),
        tuple(CustomerMargin(key, names[key].customer_name or key, active[key]) for key in worst),
        len(active),
    )
