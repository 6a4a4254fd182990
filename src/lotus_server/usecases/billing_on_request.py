"""Billing one subscription because somebody asks for it, not because it is due."""

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.invoicing import cause_of_period
from lotus_server.domain.subscriptions import advance, awaits_invoice
from lotus_server.usecases.billing import bill_step, bring_up_to_date
from lotus_server.usecases.invoices import InvoiceView, view_of
from lotus_server.usecases.pending_billing import bill_pending_due
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.subscription_reading import require_subscription
from lotus_server.usecases.subscription_views import SubscriptionView
from lotus_server.usecases.subscriptions import get_subscription


def finalize_billing(services: Services, organization: Organization, subscription_id: str) -> list[InvoiceView]:
    """Issue now the invoices of the periods of a subscription that are over, without waiting for the end of the grace.

    Returns them: none when nothing waits. Raises NotFound `subscription_not_found`.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        subscription = require_subscription(tx, organization, subscription_id, for_update=True)
        causes, waiting = [], subscription
        while awaits_invoice(waiting, now):
            causes.append(cause_of_period(waiting))
            waiting = advance(waiting)
        if causes:
            tx.subscriptions.replace(bring_up_to_date(services, tx, subscription, now))
        found = (tx.invoices.by_cause(organization.organization_id, cause) for cause in causes)
        return [view_of(tx, organization, invoice) for invoice in found if invoice is not None]


def retry_billing(services: Services, organization: Organization, subscription_id: str) -> SubscriptionView:
    """Bill a parked subscription now instead of at its next try, and return it: parked again if that fails, too.

    One that is not parked is returned as it is. Raises NotFound `subscription_not_found`.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        subscription = require_subscription(tx, organization, subscription_id, for_update=True)
        is_parked = subscription.parked_cause is not None
        if is_parked:
            subscription = msgspec.structs.replace(subscription, due_at=now)
            tx.subscriptions.replace(subscription)
    while is_parked and subscription.due_at is not None and subscription.due_at <= now:
        due_at = bill_step(services, subscription, now)
        subscription = msgspec.structs.replace(subscription, due_at=due_at)
    if is_parked:
        bill_pending_due(services, until=now, organization=organization)
    return get_subscription(services, organization, subscription_id)
