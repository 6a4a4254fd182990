"""From terms and usage to lines and totals. The draft, the invoice and the preview are this same calculation."""

from datetime import datetime
from decimal import Decimal

import msgspec

from lotus_server.domain.catalog import Component, Plan, PlanVersion, Proration, RecurringCharge, Timing
from lotus_server.domain.invoicing.invoice import BillingType, InvoiceLine, LineKind
from lotus_server.domain.invoicing.totals import TaxTerms
from lotus_server.domain.metering import Metric, Usage
from lotus_server.domain.rating import Rated, Step, prorate, rate
from lotus_server.domain.subscriptions import Subscription, usage_period, whole_period
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.money import round_to_minor_unit
from lotus_server.kernel.period import Period


class Terms(msgspec.Struct, frozen=True):
    """Everything that decides what a subscription costs.

    `metrics` has every metric that the version's components name. `tax` and `payment_term_days` are those of the
    customer's invoices.
    """

    subscription: Subscription
    plan: Plan
    version: PlanVersion
    metrics: dict[str, Metric]
    tax: TaxTerms = TaxTerms()
    payment_term_days: int = 30


def arrears_lines(terms: Terms, period: Period, usages: dict[str, Usage]) -> tuple[InvoiceLine, ...]:
    """Return the lines for what was used and held in `[period.start, period.end)`: usage, then charges in arrears."""
    return (*usage_lines(terms, period, usages), *_charge_lines(terms, period, Timing.IN_ARREARS))


def usage_lines(terms: Terms, period: Period, usages: dict[str, Usage]) -> tuple[InvoiceLine, ...]:
    """Return a line per component, also for one without usage: its price may charge for that.

    `usages` maps component ids to their usage of the period.
    """
    return tuple(
        _usage_line(terms, component, period, usages[component.component_id]) for component in terms.version.components
    )


def advance_lines(terms: Terms, period: Period) -> tuple[InvoiceLine, ...]:
    """Return the lines of the charges that are due before the period begins."""
    return _charge_lines(terms, period, Timing.IN_ADVANCE)


def cause_of_start(subscription: Subscription) -> str:
    """Return what makes the invoice of a subscription's first charges in advance unique."""
    return f"{subscription.subscription_id}:start"


def cause_of_period(subscription: Subscription) -> str:
    """Return what makes the invoice of the open period unique, however the period comes to its end."""
    start: datetime = subscription.open_period.start
    return f"{subscription.subscription_id}:period:{start.isoformat()}"


def _usage_line(terms: Terms, component: Component, period: Period, usage: Usage) -> InvoiceLine:
    metric = terms.metrics[component.metric_id]
    rated = rate(component.price, usage.quantity)
    return _line(
        terms,
        rated,
        name=metric.metric_name,
        kind=LineKind.USAGE,
        billing_type=BillingType.IN_ARREARS,
        period=usage_period(terms.subscription, period, metric.metric_id),
        quantity=usage.quantity,
        charge_id=component.component_id,
        metric_id=metric.metric_id,
    )


def _charge_lines(terms: Terms, period: Period, timing: Timing) -> tuple[InvoiceLine, ...]:
    charges = terms.version.recurring_charges
    return tuple(charge_line(terms, charge, period) for charge in charges if charge.timing is timing)


def charge_line(terms: Terms, charge: RecurringCharge, period: Period) -> InvoiceLine:
    """Return the line of one recurring charge for a period or a part of one."""
    return _line(
        terms,
        _rated_charge(terms, charge, period),
        name=f"{terms.plan.plan_name} {charge.name}",
        kind=LineKind.RECURRING,
        billing_type=BillingType(charge.timing.value),
        period=period,
        quantity=charge.quantity,
        charge_id=charge.charge_id,
    )


def _rated_charge(terms: Terms, charge: RecurringCharge, period: Period) -> Rated:
    """Return a charge for a period: its share of the whole period by exact time, or all of it."""
    step = Step(f"{charge.name}: a whole period", charge.quantity, charge.amount, charge.period_amount)
    whole = whole_period(terms.subscription, period.start)
    if charge.proration is Proration.FULL or period == whole:
        return Rated(charge.period_amount, (step,))
    return prorate(charge.period_amount, part=period, whole=whole, of=charge.name)


def _line(
    terms: Terms,
    rated: Rated,
    *,
    name: str,
    kind: LineKind,
    billing_type: BillingType,
    period: Period,
    quantity: Decimal,
    charge_id: str,
    metric_id: str | None = None,
) -> InvoiceLine:
    return InvoiceLine(
        name=name,
        kind=kind,
        billing_type=billing_type,
        period=period,
        quantity=quantity,
        exact_amount=rated.amount,
        amount=round_to_minor_unit(rated.amount, currency(terms.version.currency)),
        plan_id=terms.plan.plan_id,
        version_id=terms.version.version_id,
        charge_id=charge_id,
        metric_id=metric_id,
        steps=rated.steps,
    )
