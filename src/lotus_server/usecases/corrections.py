"""Corrections: what late, voided and amended events change about periods that are invoiced already."""

from collections.abc import Sequence
from typing import Final

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.invoicing import (
    BilledPeriod,
    Correction,
    Invoice,
    InvoiceLine,
    PeriodBilling,
    Terms,
    billed_period,
    correct,
    stretches_of,
)
from lotus_server.domain.subscriptions import Subscription
from lotus_server.ports.records import Transaction
from lotus_server.usecases.catalog_reading import metrics_by_id, terms_of
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.services import Services
from lotus_server.usecases.usage_reading import ClosedPart, usages_of_closed


class Closed(msgspec.Struct, frozen=True):
    """A billed period with the terms of then."""

    billed: BilledPeriod
    terms: Terms

    @property
    def part(self) -> ClosedPart:
        """Return what to ask the event store."""
        billed = self.billed
        until = billed.terms.invoiced_until
        stretches = stretches_of(self.terms, billed.held, until) if until else None
        return ClosedPart(self.terms, billed.held, billed.terms.counts_end, stretches)


class Corrections(msgspec.Struct, frozen=True):
    """The corrections that an invoice carries; of those without a line only the usage they were made from changed."""

    found: tuple[Correction, ...] = ()

    @property
    def lines(self) -> tuple[InvoiceLine, ...]:
        """Return the lines of all of them."""
        return tuple(line for each in self.found for line in each.lines)


NO_CORRECTIONS: Final = Corrections()


class OpenCorrection(msgspec.Struct, frozen=True):
    """What a billed period comes to more or less than was invoiced for it, and the invoice that it corrects."""

    closed: Closed
    lines: tuple[InvoiceLine, ...]


def open_corrections(services: Services, tx: Transaction, terms: Terms) -> Corrections:
    """Return the corrections that the next invoice of a subscription carries, in a transaction that will issue it."""
    return corrections_of(services, closed_periods(tx, terms))


def closed_periods(tx: Transaction, terms: Terms) -> list[Closed]:
    """Return the billed periods whose corrections the next invoice of a subscription carries.

    Its own, of any age, and those of the customer's subscriptions in the same currency that bill nothing any more.
    """
    subscription = terms.subscription
    organization_id, customer_id = subscription.organization_id, subscription.customer_id
    found = tx.billed_periods.carried_by(
        organization_id, customer_id, subscription.subscription_id, terms.version.currency
    )
    return with_terms(tx, [each for each in found if not _goes_on(each, subscription)], [terms])


def _goes_on(billed: BilledPeriod, subscription: Subscription) -> bool:
    """Tell whether more of a period's usage will be invoiced: that says by itself what has changed about the rest."""
    if billed.subscription_id != subscription.subscription_id or subscription.is_fully_billed:
        return False
    return billed.starts_at == subscription.open_period.start


def corrections_of(services: Services, closed: Sequence[Closed]) -> Corrections:
    """Return the correction of each billed period of one customer of which the events say something else by now."""
    if not closed:
        return NO_CORRECTIONS
    organization_id = closed[0].billed.organization_id
    usages = usages_of_closed(services, organization_id, [each.part for each in closed])
    found = (correct(each.terms, each.billed, now) for each, now in zip(closed, usages, strict=True))
    return Corrections(tuple(each for each in found if each is not None))


def keep_billed(
    tx: Transaction,
    terms: Terms,
    invoice: Invoice,
    billing: PeriodBilling | None,
    corrections: Corrections,
    *,
    own: tuple[InvoiceLine, ...],
) -> None:
    """What an invoice bills of a period's usage can be corrected from now on, and what it corrects is corrected.

    `own` are the first lines of the invoice, those that are the subscription's own.
    """
    for each in corrections.found:
        tx.billed_periods.replace(each.billed)
    period = None
    if billing is not None:
        number = invoice.invoice_number
        period = billed_period(terms, billing, own, invoice_id=invoice.invoice_id, invoice_number=number)
    if period is not None and billing is not None:
        keep_period(tx, period, is_first=billing.of_usage is None or billing.of_usage.before is None)


def keep_period(tx: Transaction, period: BilledPeriod, *, is_first: bool) -> None:
    """What is billed of a period is remembered; parts of it may be already."""
    if is_first:
        tx.billed_periods.add(period)
    else:
        tx.billed_periods.replace(period)


def list_open_corrections(
    services: Services, organization: Organization, customer_id: str
) -> tuple[Customer, list[OpenCorrection]]:
    """Return a customer and every correction that no invoice has so far. Writes nothing.

    Raises NotFound `customer_not_found`.
    """
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        customer = require_customer(tx, organization, customer_id)
        closed = with_terms(tx, of_finished_periods(tx, organization_id, customer_id), [])
    by_start = {(each.billed.subscription_id, each.billed.starts_at): each for each in closed}
    return customer, [
        OpenCorrection(by_start[each.billed.subscription_id, each.billed.starts_at], each.lines)
        for each in corrections_of(services, closed).found
        if each.lines
    ]


def of_finished_periods(
    tx: Transaction, organization_id: str, customer_id: str, *, for_update: bool = False
) -> list[BilledPeriod]:
    """Return the billed periods of a customer of which no more usage will be invoiced, except by corrections."""
    found = tx.billed_periods.of_customer(organization_id, customer_id, for_update=for_update)
    if not any(each.terms.invoiced_until for each in found):
        return found
    held = {each.subscription_id: each for each in tx.subscriptions.of_customer(organization_id, customer_id)}
    return [each for each in found if not _goes_on(each, held[each.subscription_id])]


def with_terms(tx: Transaction, found: Sequence[BilledPeriod], known: Sequence[Terms]) -> list[Closed]:
    """Return billed periods with the terms of then; `known` are terms that need not be read again."""
    subscriptions = {each.subscription.subscription_id: each.subscription for each in known}
    terms = {(each.subscription.subscription_id, each.version.version_id): each for each in known}
    metrics = known[0].metrics if known else None
    closed = []
    for billed in found:
        key = (billed.subscription_id, billed.version_id)
        if key not in terms:
            if metrics is None:
                metrics = metrics_by_id(tx, billed.organization_id)
            if billed.subscription_id not in subscriptions:
                subscriptions[billed.subscription_id] = _subscription(tx, billed)
            then = msgspec.structs.replace(subscriptions[billed.subscription_id], version_id=billed.version_id)
            terms[key] = terms_of(tx, then, metrics)
        closed.append(Closed(billed, _as_billed(terms[key], billed)))
    return closed


def _subscription(tx: Transaction, billed: BilledPeriod) -> Subscription:
    subscription = tx.subscriptions.get(billed.organization_id, billed.subscription_id)
    assert subscription is not None, "subscriptions are never deleted"
    return subscription


def _as_billed(terms: Terms, billed: BilledPeriod) -> Terms:
    """Return terms with those components alone whose usage was billed, ended as the period was."""
    if not billed.terms.counts_end:  # what is terminated counts its end, what another plan takes the place of does not
        terms = msgspec.structs.replace(terms, succeeded_at=billed.held.end)
    components = terms.version.components
    staying = tuple(each for each in components if each.component_id in billed.terms.component_ids)
    if len(staying) == len(components):
        return terms
    return msgspec.structs.replace(terms, version=msgspec.structs.replace(terms.version, components=staying))
