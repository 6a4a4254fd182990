"""One customer as its page shows it: what is due so far, what is owed, what is left of credit, and what comes next."""

from datetime import datetime
from decimal import Decimal

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import Status, Subscription, Turn, earliest_turn, next_turn
from lotus_server.kernel.quantity import ZERO, add
from lotus_server.ports.listing import Outstanding, SoldAs
from lotus_server.usecases.catalog_reading import metrics_by_id
from lotus_server.usecases.credit_settlement import balances_at
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.drafts import Draft, draft_invoices
from lotus_server.usecases.services import Services, present


class CustomerDue(msgspec.Struct, frozen=True):
    """What billing a customer at `now` would come to, by currency, and the drafts that make it up."""

    customer: Customer
    drafts: tuple[Draft, ...]
    by_currency: Outstanding
    now: datetime


class CustomerOverview(msgspec.Struct, frozen=True):
    """One customer at a glance.

    `metrics` has those that its active subscriptions price, then all others that are not archived. `balances` is the
    credit that can pay now, by currency.
    """

    due: CustomerDue
    outstanding: Outstanding
    balances: Outstanding
    next_turn: Turn | None
    metrics: tuple[Metric, ...]

    @property
    def customer(self) -> Customer:
        """Return the customer."""
        return self.due.customer


class HeldSubscription(msgspec.Struct, frozen=True):
    """A subscription of a customer as of `now`, with the add-ons that are attached to it."""

    subscription: Subscription
    sold_as: SoldAs
    status: Status
    next_turn: Turn | None
    addons: tuple["HeldSubscription", ...] = ()


class CustomerTimeline(msgspec.Struct, frozen=True):
    """All subscriptions that a customer has, had or will have, by their start, as of `now`."""

    customer: Customer
    held: tuple[HeldSubscription, ...]
    now: datetime


def view_customer_due(services: Services, organization: Organization, customer_id: str) -> CustomerDue:
    """Return what billing a customer now would come to. Writes nothing. Raises NotFound `customer_not_found`."""
    customer, drafts = draft_invoices(services, organization, customer_id)
    sums: dict[str, Decimal] = {}
    for draft in drafts:
        code = draft.terms.version.currency
        sums[code] = add(sums.get(code, ZERO), draft.totals.gross)
    return CustomerDue(customer, tuple(drafts), sums, present(services, organization))


def view_customer(services: Services, organization: Organization, customer_id: str) -> CustomerOverview:
    """Return one customer at a glance. Raises NotFound `customer_not_found`."""
    now = present(services, organization)
    organization_id = organization.organization_id
    due = view_customer_due(services, organization, customer_id)
    with services.records.snapshot() as tx:
        outstanding = tx.invoices.outstanding(organization_id, [customer_id])
        balances = balances_at(tx, organization_id, [customer_id], now)
        live = tx.subscriptions.live_of_customers(organization_id, [customer_id], now).get(customer_id, [])
        metrics = metrics_by_id(tx, organization_id)
    priced = {component.metric_id for draft in due.drafts for component in draft.terms.version.components}
    first = [metric for metric in metrics.values() if metric.metric_id in priced]
    others = [metric for metric in metrics.values() if metric.metric_id not in priced and not metric.archived]
    return CustomerOverview(
        due,
        outstanding.get(customer_id, {}),
        {code: balance for (_, code), balance in balances.items()},
        earliest_turn(live, now),
        (*first, *others),
    )


def view_customer_subscriptions(services: Services, organization: Organization, customer_id: str) -> CustomerTimeline:
    """Return all subscriptions of a customer by their start. Raises NotFound `customer_not_found`."""
    now = present(services, organization)
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        customer = require_customer(tx, organization, customer_id)
        found = tx.subscriptions.of_customer(organization_id, customer_id)
        sold = tx.plans.sold_as(organization_id, sorted({each.version_id for each in found}))

    def held(each: Subscription, addons: tuple[HeldSubscription, ...] = ()) -> HeldSubscription:
        return HeldSubscription(each, sold[each.version_id], each.status_at(now), next_turn(each, now), addons)

    attached: dict[str, list[HeldSubscription]] = {}
    for each in found:
        if each.parent_id is not None:
            attached.setdefault(each.parent_id, []).append(held(each))
    parents = [each for each in found if each.parent_id is None]
    rows = tuple(held(each, tuple(attached.get(each.subscription_id, ()))) for each in parents)
    return CustomerTimeline(customer, rows, now)
