"""Usage that is rated together, and how far it is: a component's reset intervals within a billing period."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from lotus_server.domain.catalog import Component, has_usage_in_parts, invoiced_every, without_minimum
from lotus_server.domain.invoicing.invoice import InvoiceLine
from lotus_server.domain.invoicing.metered import Metered
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.invoicing.usage_lines import component_lines
from lotus_server.domain.subscriptions import interval_at, whole_period
from lotus_server.kernel.period import Period


class Stretch(msgspec.Struct, frozen=True):
    """The usage of one component in one of its reset intervals, as far as it is looked at.

    `interval` is the uncut reset interval, `period` the part of it that is looked at. With `is_over` nothing more will
    be added to it: only then is a minimum spend due.
    """

    component: Component
    interval: Period
    period: Period
    is_over: bool

    @property
    def key(self) -> str:
        """Return what names it within its billing period."""
        return f"{self.component.component_id}@{self.period.start.isoformat()}"


def is_billed_in_parts(terms: Terms) -> bool:
    """Tell whether usage is invoiced, or begins anew, within a billing period."""
    subscription = terms.subscription
    return subscription.cadence.invoiced_until is not None or has_usage_in_parts(terms.version, subscription.duration)


def components_due(terms: Terms, at: datetime) -> tuple[Component, ...]:
    """Return the components whose usage is invoiced at an instant within a billing period: a boundary of theirs."""
    subscription = terms.subscription
    found = []
    for component in terms.version.components:
        interval = invoiced_every(terms.version, component)
        if interval is not None and interval_at(subscription, interval, at).start == at:
            found.append(component)
    return tuple(found)


def until_for_all(terms: Terms, at: datetime) -> dict[str, datetime]:
    """Return how far usage is looked at, by component id, where it is so for every component."""
    return {component.component_id: at for component in terms.version.components}


def stretches_of(terms: Terms, billed: Period, until: Mapping[str, datetime]) -> tuple[Stretch, ...]:
    """Return the reset intervals of a billing period, or of the part of it that is billed, as far as is said.

    `until` is by component id; a component that is not in it has none. The usage of a trial is free.
    """
    if terms.subscription.is_trial_at(billed.start):
        return ()
    return tuple(
        stretch
        for component in terms.version.components
        if component.component_id in until
        for stretch in _stretches(terms, component, billed, until[component.component_id])
    )


def _stretches(terms: Terms, component: Component, billed: Period, until: datetime) -> Iterator[Stretch]:
    start, until = billed.start, min(until, billed.end)
    while True:
        interval = _interval(terms, component, start)
        end = min(interval.end, billed.end)
        yield Stretch(component, interval, Period(start, max(start, min(end, until))), until >= end)
        if end >= until:
            return
        start = end


def _interval(terms: Terms, component: Component, instant: datetime) -> Period:
    if component.reset_interval is None:
        return whole_period(terms.subscription, instant)
    return interval_at(terms.subscription, component.reset_interval, instant)


def stretch_lines(
    terms: Terms, stretches: tuple[Stretch, ...], usages: Mapping[str, Metered]
) -> tuple[tuple[Stretch, InvoiceLine], ...]:
    """Return the lines of everything that stretches come to, each with its stretch; `usages` are by their keys."""
    return tuple(
        (stretch, line)
        for stretch in stretches
        for line in component_lines(terms, _as_rated(stretch), stretch.period, usages[stretch.key])
    )


def _as_rated(stretch: Stretch) -> Component:
    """Return the component, without the minimum spend of a stretch that is not over: more usage may reach it yet."""
    component = stretch.component
    return component if stretch.is_over else msgspec.structs.replace(component, price=without_minimum(component.price))
