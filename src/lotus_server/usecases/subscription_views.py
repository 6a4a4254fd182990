"""Subscriptions together with what they refer to, for whoever shows them."""

from datetime import datetime

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.subscriptions import Status, Subscription
from lotus_server.ports.records import Transaction


class SubscriptionView(msgspec.Struct, frozen=True):
    """A subscription with its customer, plan and version, as of `now`, and the add-ons that are attached to it."""

    subscription: Subscription
    customer: Customer
    plan: Plan
    version: PlanVersion
    now: datetime
    addons: tuple["SubscriptionView", ...] = ()

    @property
    def status(self) -> Status:
        """Return where the subscription stands."""
        return self.subscription.status_at(self.now)

    @property
    def is_paused(self) -> bool:
        """Tell whether the subscription is active and paused."""
        return self.status is Status.ACTIVE and self.subscription.is_paused_at(self.now)


def views_of(
    tx: Transaction, organization: Organization, subscriptions: list[Subscription], now: datetime
) -> list[SubscriptionView]:
    """Return subscriptions with what they refer to, in a fixed number of queries whatever their number."""
    if not subscriptions:
        return []
    organization_id = organization.organization_id
    plans = {plan.plan_id: plan for plan in tx.plans.all(organization_id)}
    versions = {version.version_id: version for version in tx.plans.versions(organization_id)}
    customers = tx.customers.many(organization_id, sorted({each.customer_id for each in subscriptions}))
    attached = tx.subscriptions.attached_to(organization_id, [each.subscription_id for each in subscriptions])

    def view(of: Subscription, addons: tuple[SubscriptionView, ...] = ()) -> SubscriptionView:
        return SubscriptionView(of, customers[of.customer_id], plans[of.plan_id], versions[of.version_id], now, addons)

    return [view(each, tuple(map(view, attached.get(each.subscription_id, ())))) for each in subscriptions]
