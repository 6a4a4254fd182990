"""Reading the terms of subscriptions: plan, version, and the metrics of its components."""

from datetime import timedelta

import msgspec

from lotus_server.domain.accounts import Customer, Organization, TaxStatus
from lotus_server.domain.catalog import PlanVersion, as_sold, version_after_renewal
from lotus_server.domain.invoicing import BilledPeriod, TaxCategory, TaxRate, TaxTerms, Terms, standard_rate
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import Subscription, due_after, with_cadence_of
from lotus_server.kernel.quantity import ZERO
from lotus_server.ports.records import Transaction


def terms_of(tx: Transaction, subscription: Subscription, metrics: dict[str, Metric] | None = None) -> Terms:
    """Return everything that decides what a subscription costs; `metrics` saves reading them again for each of many."""
    organization_id = subscription.organization_id
    version = tx.plans.version(organization_id, subscription.version_id)
    plan = tx.plans.get(organization_id, subscription.plan_id)
    assert plan is not None, "a subscription's plan is never deleted"
    assert version is not None, "a subscription's version is never deleted"
    organization = tx.organizations.get(organization_id)
    customer = tx.customers.get(organization_id, subscription.customer_id)
    assert organization is not None, "a subscription belongs to an organization"
    assert customer is not None, "a subscription belongs to a customer"
    return Terms(
        subscription,
        plan,
        as_sold(plan, version),
        metrics if metrics is not None else metrics_by_id(tx, organization_id),
        tax_terms(organization, customer),
        organization.invoice_settings.payment_term_days,
        tuple(tx.discounts.of_customer(organization_id, customer.customer_id, for_update=True)),
        grace=timedelta(hours=organization.invoice_settings.invoice_grace_hours),
        billed=_billed_so_far(tx, subscription),
    )


def _billed_so_far(tx: Transaction, subscription: Subscription) -> BilledPeriod | None:
    if subscription.cadence.invoiced_until is None:
        return None
    period_start = subscription.open_period.start
    return tx.billed_periods.get(subscription.organization_id, subscription.subscription_id, period_start)


def tax_terms(organization: Organization, customer: Customer) -> TaxTerms:
    """Return the tax of a customer: their own rate before the organization's, none for who is not charged any."""
    settings = organization.invoice_settings
    percent = customer.tax_rate if customer.tax_rate is not None else settings.tax_percent
    if customer.tax_status is TaxStatus.EXEMPT:
        return TaxTerms(TaxRate(TaxCategory.EXEMPT, ZERO))
    if customer.tax_status is TaxStatus.REVERSE_CHARGE:
        return TaxTerms(TaxRate(TaxCategory.REVERSE_CHARGE, ZERO))
    return TaxTerms() if percent is None else TaxTerms(standard_rate(percent), settings.prices_include_tax)


def renewed(tx: Transaction, version: PlanVersion, subscription: Subscription) -> Subscription:
    """Return a subscription whose next period has opened, on the version that replaces `version`, if there is one.

    One that does not go on is returned as it is.
    """
    if subscription.is_fully_billed or version.replace_with is None:
        return subscription
    versions = {each.version_id: each for each in tx.plans.versions(version.organization_id, version.plan_id)}
    found = version_after_renewal(version, versions, subscription.open_period.start)
    if found.version_id == version.version_id:
        return subscription
    moved = with_cadence_of(msgspec.structs.replace(subscription, version_id=found.version_id), found)
    return msgspec.structs.replace(moved, due_at=due_after(moved))


def metrics_by_id(tx: Transaction, organization_id: str) -> dict[str, Metric]:
    """Return all metrics of an organization by their ids."""
    return {metric.metric_id: metric for metric in tx.metrics.all(organization_id)}
