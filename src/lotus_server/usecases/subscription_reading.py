"""Reading one subscription, for whoever works on it."""

from lotus_server.domain.accounts import Organization
from lotus_server.domain.subscriptions import Subscription
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
