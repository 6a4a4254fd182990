"""Subscriptions together with what they refer to, for whoever shows them."""

from datetime import datetime

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.subscriptions import Status, Subscription
from lotus_server.ports.records import Transaction


class SubscriptionView(msgspec.Struct, frozen=True):
    """A subscription with its customer, plan and version, as of `now`."""

    subscription: Subscription
    customer: Customer
    plan: Plan
    version: PlanVersion
    now: datetime

    @property
    def status(self) -> Status:
        """Return where the subscription stands."""
        return self.subscription.status_at(self.now)


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
    return [
        SubscriptionView(each, customers[each.customer_id], plans[each.plan_id], versions[each.version_id], now)
        for each in subscriptions
    ]
