"""Reading the terms of subscriptions: plan, version, and the metrics of its components."""

from datetime import timedelta

import msgspec

from lotus_server.domain.accounts import Customer, InvoiceGrouping, Organization, TaxStatus
from lotus_server.domain.catalog import PlanVersion, as_sold, sold_versions, version_after_renewal, version_in
from lotus_server.domain.invoicing import BilledPeriod, TaxCategory, TaxRate, TaxTerms, Terms, standard_rate
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import QuantityChange, Subscription, due_after, refuse_overlap, with_cadence_of
from lotus_server.kernel.errors import Invalid
from lotus_server.kernel.quantity import ZERO
from lotus_server.ports.records import Transaction


def terms_of(tx: Transaction, subscription: Subscription, metrics: dict[str, Metric] | None = None) -> Terms:
    """Return everything that decides what a subscription costs; `metrics` saves reading them again for each of many."""
    organization_id = subscription.organization_id
    version = tx.plans.version(organization_id, subscription.version_id)
    assert version is not None, "a subscription's version is never deleted"
    # What was billed before a subscription turned into one to another plan was billed by the version's plan.
    plan = tx.plans.get(organization_id, version.plan_id)
    assert plan is not None, "a subscription's plan is never deleted"
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
        waits=_grouping(organization, customer) is InvoiceGrouping.CUSTOMER_AND_REQUESTS,
    )


def _billed_so_far(tx: Transaction, subscription: Subscription) -> BilledPeriod | None:
    if subscription.cadence.invoiced_until is None:
        return None
    period_start = subscription.open_period.start
    return tx.billed_periods.get(subscription.organization_id, subscription.subscription_id, period_start)


def is_grouped(tx: Transaction, subscription: Subscription) -> bool:
    """Tell whether a customer has one invoice of what several subscriptions have at an instant."""
    organization = tx.organizations.get(subscription.organization_id)
    customer = tx.customers.get(subscription.organization_id, subscription.customer_id)
    assert organization is not None, "a subscription belongs to an organization"
    assert customer is not None, "a subscription belongs to a customer"
    return _grouping(organization, customer) is not InvoiceGrouping.SUBSCRIPTION


def _grouping(organization: Organization, customer: Customer) -> InvoiceGrouping:
    return customer.invoice_grouping or organization.invoice_settings.invoice_grouping


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

    Or on the version that was chosen for it, or on one of the plan into which `version` turns. One that does not go on
    is returned as it is.
    """
    if subscription.is_fully_billed:
        return subscription
    chosen, subscription = _chosen(tx, subscription)
    found = chosen or _turned(tx, version, subscription) or _replaced(tx, version, subscription)
    if found.version_id == version.version_id:
        return subscription
    moved = msgspec.structs.replace(subscription, plan_id=found.plan_id, version_id=found.version_id)
    moved = with_cadence_of(moved, found)
    return msgspec.structs.replace(moved, due_at=due_after(moved))


def _chosen(tx: Transaction, subscription: Subscription) -> tuple[PlanVersion | None, Subscription]:
    """Return the version that was chosen for a renewal, which has just come, and the subscription with what it brings.

    Null when there is none, or when the customer has its plan already by now.
    """
    following = subscription.next_plan
    if following is None:
        return None, subscription
    start = subscription.open_period.start
    without = msgspec.structs.replace(subscription, next_plan=None)
    if _is_taken(tx, msgspec.structs.replace(subscription, plan_id=following.plan_id, starts_at=start)):
        return None, without
    changes = tuple(
        QuantityChange(key, quantity, start, is_planned=True) for key, quantity in sorted(following.quantities.items())
    )
    moved = msgspec.structs.replace(without, quantity_changes=(*without.quantity_changes, *changes))
    return tx.plans.version(subscription.organization_id, following.version_id), moved


def _is_taken(tx: Transaction, turned: Subscription) -> bool:
    """Tell whether the customer has the plan of a subscription already in its time, with another one."""
    try:
        refuse_overlap(turned, tx.subscriptions.of_customer(turned.organization_id, turned.customer_id))
    except Invalid:
        return True
    return False


def _replaced(tx: Transaction, version: PlanVersion, subscription: Subscription) -> PlanVersion:
    if version.replace_with is None:
        return version
    versions = {each.version_id: each for each in tx.plans.versions(version.organization_id, version.plan_id)}
    return version_after_renewal(version, versions, subscription.open_period.start)


def _turned(tx: Transaction, version: PlanVersion, subscription: Subscription) -> PlanVersion | None:
    """Return the version of the plan into which a version turns that the customer can have when a period opens.

    Null when there is none: nothing turns into a plan that is not sold then in the same currency, that is archived, or
    that the customer has already.
    """
    organization_id, opened_at = subscription.organization_id, subscription.open_period.start
    plan = None if version.transition_to is None else tx.plans.get(organization_id, version.transition_to)
    if plan is None or plan.archived or plan.duration is not subscription.duration:
        return None
    sold = sold_versions(tx.plans.versions(organization_id, plan.plan_id), subscription.customer_id, opened_at)
    found = version_in([each for each in sold if each.currency == version.currency], [version.currency])
    turned = msgspec.structs.replace(subscription, plan_id=plan.plan_id, starts_at=opened_at)
    return None if _is_taken(tx, turned) else found


def metrics_by_id(tx: Transaction, organization_id: str) -> dict[str, Metric]:
    """Return all metrics of an organization by their ids."""
    return {metric.metric_id: metric for metric in tx.metrics.all(organization_id)}
