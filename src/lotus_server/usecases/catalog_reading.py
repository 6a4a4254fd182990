"""Reading the terms of subscriptions: plan, version, and the metrics of its components."""

from lotus_server.domain.invoicing import Terms
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import Subscription
from lotus_server.ports.records import Transaction


def terms_of(tx: Transaction, subscription: Subscription, metrics: dict[str, Metric] | None = None) -> Terms:
    """Return everything that decides what a subscription costs; `metrics` saves reading them again for each of many."""
    organization_id = subscription.organization_id
    version = tx.plans.version(organization_id, subscription.version_id)
    plan = tx.plans.get(organization_id, subscription.plan_id)
    assert plan is not None, "a subscription's plan is never deleted"
    assert version is not None, "a subscription's version is never deleted"
    return Terms(subscription, plan, version, metrics if metrics is not None else metrics_by_id(tx, organization_id))


def metrics_by_id(tx: Transaction, organization_id: str) -> dict[str, Metric]:
    """Return all metrics of an organization by their ids."""
    return {metric.metric_id: metric for metric in tx.metrics.all(organization_id)}
