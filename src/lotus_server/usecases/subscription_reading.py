"""Reading one subscription, for whoever works on it."""

from datetime import datetime

from lotus_server.domain.accounts import Organization
from lotus_server.domain.subscriptions import Status, Subscription
from lotus_server.kernel.errors import NotFound
from lotus_server.ports.records import Transaction


def require_subscription(
    tx: Transaction, organization: Organization, subscription_id: str, *, for_update: bool = False
) -> Subscription:
    """Return a subscription of the organization. Raises NotFound `subscription_not_found`."""
    subscription = tx.subscriptions.get(organization.organization_id, subscription_id, for_update=for_update)
    if subscription is None:
        raise NotFound(f"There is no subscription {subscription_id!r}.", code="subscription_not_found")
    return subscription


def attached_to(tx: Transaction, subscription: Subscription, now: datetime) -> list[Subscription]:
    """Return the add-ons of a subscription that have not ended, each kept from everybody else."""
    organization_id, parent_id = subscription.organization_id, subscription.subscription_id
    found = []
    for each in tx.subscriptions.attached_to(organization_id, [parent_id]).get(parent_id, ()):
        attached = tx.subscriptions.get(organization_id, each.subscription_id, for_update=True)
        assert attached is not None, "subscriptions are never deleted"
        if attached.status_at(now) is not Status.ENDED:
            found.append(attached)
    return found
