"""Lines for usage: one for each component, or for each group of its usage."""

from collections.abc import Mapping

from lotus_server.domain.catalog import Component
from lotus_server.domain.invoicing.invoice import BillingType, InvoiceLine, LineKind
from lotus_server.domain.invoicing.lines import line_of
from lotus_server.domain.invoicing.measured import measured
from lotus_server.domain.invoicing.metered import Metered, Part, parts_of
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.rating import Rated, in_money, rate, rate_beyond, rate_windows
from lotus_server.domain.subscriptions import prepaid_within, unbilled_within, usage_period
from lotus_server.kernel.period import Period


def usage_lines(terms: Terms, period: Period, usages: Mapping[str, Metered]) -> tuple[InvoiceLine, ...]:
    """Return the lines of each component in their order, also of one without usage: its price may charge for that.

    `usages` has what the events of the period say, by component id. A grouped metric has a line for each group, unless
    its price is a matrix, which prices the groups itself. The usage of a trial is free.
    """
    if terms.subscription.is_trial_at(period.start):
        return ()
    return tuple(
        line
        for component in terms.version.components
        for line in component_lines(terms, component, period, usages[component.component_id])
    )


def component_lines(terms: Terms, component: Component, period: Period, metered: Metered) -> tuple[InvoiceLine, ...]:
    """Return the lines of one component for a period, or a part of one that is rated together."""
    parts = parts_of(component, terms.metrics[component.metric_id], metered)
    return tuple(_usage_line(terms, component, period, part) for part in parts)


def _usage_line(terms: Terms, component: Component, period: Period, part: Part) -> InvoiceLine:
    metric = terms.metrics[component.metric_id]
    used = usage_period(terms.subscription, period, metric.metric_id)
    without = unbilled_within(terms.subscription, used)
    return line_of(
        terms,
        in_money(_rated(terms, component, period, part), component.conversion),
        name=metric.metric_name,
        kind=LineKind.USAGE,
        billing_type=BillingType.IN_ARREARS,
        period=used,
        quantity=part.quantity,
        charge_id=component.component_id,
        metric_id=metric.metric_id,
        group=part.group,
        measured=measured(
            metric, terms.subscription.matches, counted=part.counted, skipped=part.skipped, without=without
        ),
    )


def _rated(terms: Terms, component: Component, period: Period, part: Part) -> Rated:
    if part.has_windows:
        return rate_windows(component.price, part.priced)
    if component.prepaid is None:
        return rate(component.price, part.priced[0])
    units = prepaid_within(terms.subscription, component, period)
    return rate_beyond(component.price, part.priced[0].quantity, prepaid=units)
