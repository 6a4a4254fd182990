"""The draft: what billing a subscription now would issue, by the calculation that issues it. Writes nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.invoicing import (
    Discount,
    InvoiceLine,
    Metered,
    PendingLines,
    Terms,
    Totals,
    adjusted,
    commitment_lines,
    held_lines,
    pending_lines_of,
    total_of,
)
from lotus_server.domain.subscriptions import (
    Status,
    Subscription,
    awaits_invoice,
    period_containing,
)
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import ZERO
from lotus_server.ports.records import Transaction
from lotus_server.usecases.billing import closing_of
from lotus_server.usecases.catalog_reading import is_grouped, metrics_by_id, terms_of
from lotus_server.usecases.corrections import (
    Closed,
    closed_periods,
    corrections_of,
)
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.pending import waiting_for
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.usage_billing import usage_of


class CommonInvoice(msgspec.Struct, frozen=True):
    """The one invoice that drafts of several subscriptions of a customer come on: whose they are, what it comes to."""

    subscription_ids: tuple[str, ...]
    totals: Totals


class Draft(msgspec.Struct, frozen=True):
    """What billing a subscription now would put on its invoice.

    `usages` by component id is what the lines were made from, and `discounts` are those that apply. `earlier` has the
    plan and version of each billed period that may be corrected, and of lines that waited, by version id. `common` is
    the invoice that it comes on with others (null: it has one of its own).
    """

    terms: Terms
    period: Period
    lines: tuple[InvoiceLine, ...]
    usages: dict[str, Metered]
    discounts: tuple[Discount, ...] = ()
    earlier: Mapping[str, tuple[Plan, PlanVersion]] = msgspec.field(default_factory=dict)
    common: "CommonInvoice | None" = None

    def sold(self, line: InvoiceLine) -> tuple[Plan, PlanVersion]:
        """Return the plan and version that a line is by: those of now, or those of an earlier time."""
        return self.earlier.get(line.version_id or "", (self.terms.plan, self.terms.version))

    @property
    def totals(self) -> Totals:
        """Return what the lines come to, before credit."""
        code, tax = self.terms.version.currency, self.terms.tax
        return total_of(self.lines, balance=ZERO, code=code, tax=tax, discounts=self.discounts)


def draft_invoices(services: Services, organization: Organization, customer_id: str) -> tuple[Customer, list[Draft]]:
    """Return a customer and the draft of each active subscription. Writes nothing.

    A period that is over and waits for its invoice has a draft, too, before that of the present one. Raises NotFound
    `customer_not_found`.
    """
    now = present(services, organization)
    with services.records.snapshot() as tx:
        customer = require_customer(tx, organization, customer_id)
        held = tx.subscriptions.of_customer(organization.organization_id, customer_id)
        shown = [each for each in held if each.status_at(now) is Status.ACTIVE or awaits_invoice(each, now)]
        metrics = metrics_by_id(tx, organization.organization_id)
        all_terms = [terms_of(tx, subscription, metrics) for subscription in shown]
        carried = [_carried(closed_periods(tx, terms), terms, all_terms) for terms in all_terms]
        waiting = [_awaited(waiting_for(tx, terms, now), terms, all_terms) for terms in all_terms]
        earlier = _sold(tx, organization.organization_id, [each for some in waiting for each in some])
        drafts: list[Draft] = []
        for terms, closed, pending in zip(all_terms, carried, waiting, strict=True):
            is_over = awaits_invoice(terms.subscription, now)
            if is_over:
                drafts.append(_draft_of_what_is_over(services, tx, terms, now, closed=closed, waiting=pending))
            if terms.subscription.status_at(now) is Status.ACTIVE:
                drafts.append(draft_of(services, terms, now, *(() if is_over else (closed, pending))))
        together = any(is_grouped(tx, subscription) for subscription in shown[:1])
    found = [msgspec.structs.replace(each, earlier={**earlier, **each.earlier}) for each in drafts]
    return customer, _put_together(found) if together else found


def _put_together(drafts: Sequence[Draft]) -> list[Draft]:
    """Return drafts of a customer, those in one currency that are invoiced at one instant with their common invoice."""
    by_invoice: dict[tuple[str, datetime], list[Draft]] = {}
    for each in drafts:
        by_invoice.setdefault(_invoiced_with(each), []).append(each)
    common = {key: _common(found) for key, found in by_invoice.items() if len(found) > 1}
    return [msgspec.structs.replace(each, common=common.get(_invoiced_with(each))) for each in drafts]


def _invoiced_with(draft: Draft) -> tuple[str, datetime]:
    is_over = draft.period == draft.terms.subscription.open_period
    return draft.terms.version.currency, draft.terms.issue_at if is_over else draft.period.end + draft.terms.grace


def _common(drafts: Sequence[Draft]) -> CommonInvoice:
    first = drafts[0]
    together = msgspec.structs.replace(first, lines=tuple(line for each in drafts for line in each.lines))
    return CommonInvoice(tuple(each.terms.subscription.subscription_id for each in drafts), together.totals)


def _sold(
    tx: Transaction, organization_id: str, waiting: Sequence[PendingLines]
) -> dict[str, tuple[Plan, PlanVersion]]:
    """Return the plan and version of each line that waits, by version id."""
    found = {}
    for line in pending_lines_of(waiting):
        assert line.plan_id is not None, "only lines of plans wait"
        assert line.version_id is not None, "only lines of plans wait"
        plan, version = tx.plans.get(organization_id, line.plan_id), tx.plans.version(organization_id, line.version_id)
        assert plan is not None, "what was sold is never deleted"
        assert version is not None, "what was sold is never deleted"
        found[line.version_id] = (plan, version)
    return found


def _carried(closed: list[Closed], terms: Terms, all_terms: list[Terms]) -> list[Closed]:
    """Return the billed periods whose corrections a draft shows.

    The corrections of subscriptions that have ended come with whatever is invoiced first in their currency.
    """
    first = _first_invoiced(terms.version.currency, all_terms)
    own = terms.subscription.subscription_id
    return [each for each in closed if own in {each.billed.subscription_id, first.subscription_id}]


def _awaited(waiting: list[PendingLines], terms: Terms, all_terms: list[Terms]) -> list[PendingLines]:
    """Return the lines that wait for the invoice of which a draft is made: the next one, unless they are due before."""
    if _first_invoiced(terms.version.currency, all_terms).subscription_id != terms.subscription.subscription_id:
        return []
    return [each for each in waiting if each.due_at >= terms.issue_at]


def _first_invoiced(code: str, all_terms: list[Terms]) -> Subscription:
    return min(
        (each.subscription for each in all_terms if each.version.currency == code),
        key=lambda each: (each.open_period.end, each.subscription_id),
    )


def _draft_of_what_is_over(
    services: Services,
    tx: Transaction,
    terms: Terms,
    now: datetime,
    *,
    closed: Sequence[Closed],
    waiting: Sequence[PendingLines],
) -> Draft:
    """Return what the invoice will be of a period that is over, with what has come in so far."""
    closing = closing_of(services, tx, terms)
    lines = (*closing.lines, *corrections_of(services, closed).lines, *pending_lines_of(waiting))
    following = tx.plans.version(terms.version.organization_id, closing.following.version_id)
    plan = tx.plans.get(terms.version.organization_id, closing.following.plan_id)
    assert following is not None, "a subscription's version is never deleted"
    assert plan is not None, "a subscription's plan is never deleted"
    others = {following.version_id: (plan, following), **_earlier(closed)}
    period, discounts = terms.subscription.open_period, terms.discounts_at(now)
    return Draft(terms, period, lines, dict(closing.billing.usages), discounts, others)


def _earlier(closed: Sequence[Closed]) -> dict[str, tuple[Plan, PlanVersion]]:
    return {each.terms.version.version_id: (each.terms.plan, each.terms.version) for each in closed}


def draft_of(
    services: Services,
    terms: Terms,
    now: datetime,
    closed: Sequence[Closed] = (),
    waiting: Sequence[PendingLines] = (),
) -> Draft:
    """Return what a subscription owes for its present period as of `now`.

    Usage so far, charges in arrears for the time so far, the corrections of billed periods, and what waits for the
    invoice.
    """
    period = period_containing(terms.subscription, now)
    held = period.until(now)
    usage = usage_of(services, terms, opened=period, held=held)
    others = held_lines(terms, held, opened=period)
    committed = commitment_lines(terms, (*usage.counted, *others), opened=period, held=held)
    lines = adjusted(terms, (*usage.lines, *others, *committed), opened=period)
    lines = (*lines, *corrections_of(services, closed).lines, *pending_lines_of(waiting))
    return Draft(terms, period, lines, dict(usage.usages), terms.discounts_at(now), _earlier(closed))
