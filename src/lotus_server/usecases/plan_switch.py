"""Switching a running subscription to another plan."""

from datetime import datetime
from decimal import Decimal

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import Plan, PlanVersion
from lotus_server.domain.invoicing import (
    FlatFeeBehavior,
    InvoiceLine,
    PeriodBilling,
    Terms,
    adjusted,
    cause_of_period,
    cause_of_start,
    commitment_lines,
    settled_charge_lines,
)
from lotus_server.domain.subscriptions import (
    NextPlan,
    Status,
    Subscription,
    carry_quantities,
    carry_usage,
    end_now,
    refuse_overlap,
    succeed,
)
from lotus_server.kernel.errors import Conflict, FieldProblem, Invalid, Problems
from lotus_server.ports.records import Transaction
from lotus_server.usecases.billing import bring_up_to_date, issue_period, start_lines
from lotus_server.usecases.catalog_reading import terms_of
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.pending import defer
from lotus_server.usecases.quantities import first_quantities, prepaid_keys
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.spend_watching import watch_spend
from lotus_server.usecases.subscription_reading import require_subscription
from lotus_server.usecases.subscription_views import SubscriptionView, views_of
from lotus_server.usecases.usage_billing import billing_of, usage_of
from lotus_server.usecases.version_choice import Wish, choose_version


class PlanSwitch(msgspec.Struct, frozen=True):
    """To which plan (its version on sale) or version to switch; exactly one of the two.

    `at_renewal`: not now, but when the open period is over, as long as the subscription goes on then; the other fields
    but `prepaid_units` mean nothing there.

    `carries_usage`: usage of the open period, of metrics that both versions sell, is not billed with the old
    subscription but counts for the new one. `bills` false writes no last invoice for the old one. `defers`: what would
    be invoiced now waits for the customer's next invoice. `prepaid_units` are by metric id. `problems` are those that
    reading the input found already.
    """

    plan_id: str | None = None
    version_id: str | None = None
    at_renewal: bool = False
    carries_usage: bool = False
    bills: bool = True
    defers: bool = False
    prepaid_units: dict[str, Decimal] = msgspec.field(default_factory=dict)
    problems: tuple[FieldProblem, ...] = ()


def switch_plan(
    services: Services, organization: Organization, subscription_id: str, switch: PlanSwitch
) -> SubscriptionView:
    """End a subscription now and begin one to another version at the same instant, in one transaction.

    The old one is billed for the time it was held: usage, charges in arrears, and each charge in advance by its own
    rule, so that unused time comes back as credit. The new one keeps customer, filters, metadata, end and the
    boundaries of its periods, and its first charges in advance are invoiced. At renewal, one subscription goes on with
    the other version; to the version that it has: it keeps that. Raises Invalid with every problem,
    NotFound, Conflict `invalid_state` when the old one has ended.
    """
    problems = Problems()
    problems.extend(switch.problems)
    if (switch.plan_id is None) == (switch.version_id is None):
        problems.add("switch_plan_id", "required", "Give exactly one of switch_plan_id and switch_plan_version_id.")
    problems.raise_if_any()
    now = present(services, organization)
    with services.records.transaction() as tx:
        customer_id = require_subscription(tx, organization, subscription_id).customer_id
        require_customer(tx, organization, customer_id, for_update=True)
        old = require_subscription(tx, organization, subscription_id, for_update=True)
        old = bring_up_to_date(services, tx, old, now)
        if switch.at_renewal:
            turning = _turning_at_renewal(tx, organization, old, switch, now)
            tx.subscriptions.replace(turning)
            return views_of(tx, organization, [turning], now)[0]
        ended = end_now(old, now)
        plan, version = _target(tx, organization, old, switch, now)
        new = successor_of(services, old, plan, version, now, prepaid_units=switch.prepaid_units)
        terms = terms_of(tx, old)
        if switch.carries_usage:
            new = carry_usage(new, old, _metric_ids(terms.version) & _metric_ids(version), _invoiced_until(terms))
        if switch.bills and old.starts_at <= now:
            lines, billing = last_billing(services, terms, new, now)
            if switch.defers:
                defer(services, tx, terms, lines, cause=cause_of_period(old), now=now, billing=billing)
            else:
                issue_period(services, tx, terms, lines, billing=billing, now=now)
        tx.subscriptions.replace(ended)
        refuse_overlap(new, tx.subscriptions.of_customer(organization.organization_id, customer_id))
        tx.subscriptions.add(new)
        watch_spend(tx, new)
        if switch.defers and new.starts_at <= now:
            begun = terms_of(tx, new, terms.metrics)
            defer(services, tx, begun, start_lines(begun), cause=cause_of_start(new), now=now)
        tx.subscriptions.replace(bring_up_to_date(services, tx, new, now))
        _move_addons(tx, old, new)
        return views_of(tx, organization, [require_subscription(tx, organization, new.subscription_id)], now)[0]


def _turning_at_renewal(
    tx: Transaction, organization: Organization, old: Subscription, switch: PlanSwitch, now: datetime
) -> Subscription:
    """Return a subscription that turns to another version with its next renewal, or no longer does."""
    if old.status_at(now) is Status.ENDED or (old.ends_at is not None and old.ends_at <= old.open_period.end):
        raise Conflict("The subscription does not renew: nothing comes after its present period.", code="invalid_state")
    if switch.version_id == old.version_id:
        return msgspec.structs.replace(old, next_plan=None)
    plan, version = _target(tx, organization, old, switch, now)
    if plan.duration is not old.duration:
        detail = "At renewal a plan can follow that has periods of the same length: switch now, or subscribe anew."
        field = "switch_plan_id" if switch.version_id is None else "switch_plan_version_id"
        raise Invalid.field(field, "other_duration", detail)
    quantities = first_quantities(version, prepaid=switch.prepaid_units, carried=carry_quantities(old, version))
    turned = msgspec.structs.replace(old, plan_id=plan.plan_id, starts_at=old.open_period.end)
    refuse_overlap(turned, tx.subscriptions.of_customer(old.organization_id, old.customer_id))
    chosen = {key: quantities[key] for key in prepaid_keys(version, switch.prepaid_units)}
    return msgspec.structs.replace(old, next_plan=NextPlan(plan.plan_id, version.version_id, chosen))


def _move_addons(tx: Transaction, old: Subscription, new: Subscription) -> None:
    """What is attached to the old subscription goes on, attached to the new one."""
    organization_id = old.organization_id
    for each in tx.subscriptions.attached_to(organization_id, [old.subscription_id]).get(old.subscription_id, ()):
        attached = tx.subscriptions.get(organization_id, each.subscription_id, for_update=True)
        assert attached is not None, "subscriptions are never deleted"
        tx.subscriptions.replace(msgspec.structs.replace(attached, parent_id=new.subscription_id))


def successor_of(
    services: Services,
    old: Subscription,
    plan: Plan,
    version: PlanVersion,
    now: datetime,
    *,
    prepaid_units: dict[str, Decimal] | None = None,
) -> Subscription:
    """Return the subscription to a version that takes the place of another one now; nothing of it is kept yet."""
    new = succeed(old, subscription_id=services.ids.random_uuid(), version=version, duration=plan.duration, now=now)
    carried = carry_quantities(old, version)
    quantities = first_quantities(version, prepaid=prepaid_units or {}, carried=carried)
    return msgspec.structs.replace(new, quantities=quantities)


def last_lines(services: Services, terms: Terms, new: Subscription, now: datetime) -> tuple[InvoiceLine, ...]:
    """Return what the old subscription's open period comes to, as `last_billing` says."""
    return last_billing(services, terms, new, now)[0]


def last_billing(
    services: Services, terms: Terms, new: Subscription, now: datetime
) -> tuple[tuple[InvoiceLine, ...], PeriodBilling]:
    """Return what the old subscription's open period comes to, without the usage that the new one takes over.

    An event at the very instant of the switch belongs to the new subscription.
    """
    opened = terms.subscription.open_period
    held = opened.until(now)
    staying = tuple(each for each in terms.version.components if each.metric_id not in new.usage_from)
    terms = msgspec.structs.replace(terms, succeeded_at=now)
    billed = msgspec.structs.replace(terms, version=msgspec.structs.replace(terms.version, components=staying))
    usage = usage_of(services, billed, opened=opened, held=held, includes_cut=False)
    charges = settled_charge_lines(terms, opened=opened, held=held, behavior=FlatFeeBehavior.OWN)
    billing = billing_of(usage, charges, billed, opened=opened, held=held)
    committed = commitment_lines(terms, billing.lines, opened=opened, held=held)
    return adjusted(terms, (*usage.lines, *charges, *committed), opened=opened), billing


def _invoiced_until(terms: Terms) -> dict[str, datetime]:
    """Return how far usage of the open period was invoiced, by metric id, where some was."""
    until = {} if terms.billed is None else terms.billed.terms.invoiced_until
    metrics = {component.component_id: component.metric_id for component in terms.version.components}
    # Two components can have the same metric; what one of them has invoiced is not charged again.
    return {metrics[key]: max(at for each, at in until.items() if metrics[each] == metrics[key]) for key in until}


def _metric_ids(version: PlanVersion) -> frozenset[str]:
    return frozenset(component.metric_id for component in version.components)


def _target(
    tx: Transaction, organization: Organization, old: Subscription, switch: PlanSwitch, now: datetime
) -> tuple[Plan, PlanVersion]:
    """Return what to switch to: sold now, in the same currency, and not what the subscription has already."""
    present_version = tx.plans.version(organization.organization_id, old.version_id)
    assert present_version is not None, "a subscription's version is never deleted"
    currency = present_version.currency
    customer = require_customer(tx, organization, old.customer_id)
    field = "switch_plan_id" if switch.version_id is None else "switch_plan_version_id"
    wish = Wish(switch.plan_id, switch.version_id, "switch_plan_id", "switch_plan_version_id")
    plan, version = choose_version(tx, organization, customer, wish, now=now, currencies=(currency,))
    if version.version_id == old.version_id:
        raise Invalid.field(field, "same_plan", "The subscription has this version of the plan already.")
    if version.currency != currency:
        detail = (
            f"The subscription is in {currency}, and this version in {version.currency}: cancel and subscribe anew."
        )
        raise Invalid.field(field, "other_currency", detail)
    return plan, version
