"""The hot path: who is calling, and may this customer do this now. Answered from memory and from kept aggregates.

What the records say (keys, subscriptions, catalog) is cached until the records report a change; usage is never
cached, it is read from the aggregates at each call, so an answer counts every event acknowledged before it.
"""

from datetime import datetime
from typing import Final

import msgspec

from lotus_server.domain.access import ComponentUsage, Entitlements, MeteredComponent
from lotus_server.domain.accounts import Organization, Principal
from lotus_server.domain.catalog import Feature, FeatureValue, Plan, PlanVersion
from lotus_server.domain.metering import Aggregation, MetricType, Selection, Usage
from lotus_server.domain.subscriptions import (
    Status,
    Subscription,
    interval_at,
    metered_period,
    period_containing,
    unbilled_within,
    whole_period,
)
from lotus_server.kernel.period import Duration, Period
from lotus_server.ports.records import Transaction
from lotus_server.usecases.catalog_reading import metrics_by_id
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.organizations import authenticate
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.usage_reading import measures_time

CACHED_CUSTOMERS_MAX: Final = 100_000
CACHED_KEYS_MAX: Final = 10_000


class AccessCache:
    """What the records say about callers and customers, kept until they report a change.

    For one thread: the event loop's.
    """

    def __init__(self, services: Services) -> None:
        """Start empty."""
        self._services = services
        self._principals: dict[str, Principal] = {}
        self._entitlements: dict[tuple[str, str], Entitlements] = {}
        self._used_keys: set[str] = set()
        self.changes_seen = 0
        """Note it before something is loaded, and hand it in with what is then to be kept."""

    def principal(self, api_key: str) -> Principal | None:
        """Return who is calling if that is known and still true; None means that it has to be loaded."""
        self._forget_what_changed()
        found = self._principals.get(api_key)
        if found is not None:
            self._used_keys.add(found.key_id)
        return found

    def keep_principal(self, api_key: str, principal: Principal, as_of: int) -> None:
        """Remember who a key belongs to, unless something changed since it was looked up."""
        self._used_keys.add(principal.key_id)
        if as_of != self.changes_seen:
            return
        if len(self._principals) >= CACHED_KEYS_MAX:
            self._principals.clear()
        self._principals[api_key] = principal

    def entitlements(self, organization_id: str, customer_id: str) -> Entitlements | None:
        """Return what a customer is entitled to if that is known.

        `principal` was asked in the same turn of the event loop.
        """
        return self._entitlements.get((organization_id, customer_id))

    def keep_entitlements(self, organization_id: str, entitlements: Entitlements, as_of: int) -> None:
        """Remember what a customer is entitled to, unless something changed since it was looked up."""
        if as_of != self.changes_seen:
            return
        if len(self._entitlements) >= CACHED_CUSTOMERS_MAX:
            self._entitlements.clear()
        self._entitlements[organization_id, entitlements.customer_id] = entitlements

    def take_used_keys(self) -> list[str]:
        """Return the keys used since this was last asked, and forget them."""
        used, self._used_keys = self._used_keys, set()
        return sorted(used)

    def _forget_what_changed(self) -> None:
        changes = self._services.records.changes()
        if changes is None:
            self.changes_seen += 1
            self._principals.clear()
            self._entitlements.clear()
            return
        self.changes_seen += len(changes)
        for change in changes:
            if change.customer_id is not None:
                self._entitlements.pop((change.organization_id, change.customer_id), None)
                continue
            self._principals.clear()
            stale = [key for key in self._entitlements if key[0] == change.organization_id]
            for key in stale:
                del self._entitlements[key]


def load_principal(services: Services, api_key: str) -> Principal:
    """Return who a key belongs to, from the records. Raises Unauthenticated."""
    return authenticate(services, api_key)


def load_entitlements(services: Services, organization: Organization, customer_id: str) -> Entitlements:
    """Return what a customer is entitled to, from the records. Raises NotFound `customer_not_found`."""
    organization_id = organization.organization_id
    now = present(services, organization)
    with services.records.snapshot() as tx:
        customer = require_customer(tx, organization, customer_id)
        subscriptions = tuple(
            subscription
            for subscription in tx.subscriptions.of_customer(organization_id, customer_id)
            if subscription.status_at(now) is not Status.ENDED
        )
        plans = {each.subscription_id: _plan_and_version(tx, each) for each in subscriptions}
        components = _components(tx, organization_id, subscriptions, plans)
        features = _features(tx, organization_id, plans)
    return Entitlements(customer_id, customer.customer_name, customer.email, subscriptions, components, features, plans)


def _plan_and_version(tx: Transaction, subscription: Subscription) -> tuple[Plan, PlanVersion]:
    plan = tx.plans.get(subscription.organization_id, subscription.plan_id)
    version = tx.plans.version(subscription.organization_id, subscription.version_id)
    assert plan is not None, "a subscription's plan is never deleted"
    assert version is not None, "a subscription's version is never deleted"
    return plan, version


def _components(
    tx: Transaction,
    organization_id: str,
    subscriptions: tuple[Subscription, ...],
    plans: dict[str, tuple[Plan, PlanVersion]],
) -> tuple[MeteredComponent, ...]:
    metrics = metrics_by_id(tx, organization_id) if subscriptions else {}
    return tuple(
        MeteredComponent(subscription, *plans[subscription.subscription_id], component, metrics[component.metric_id])
        for subscription in subscriptions
        for component in plans[subscription.subscription_id][1].components
    )


def _features(
    tx: Transaction, organization_id: str, plans: dict[str, tuple[Plan, PlanVersion]]
) -> dict[str, tuple[Feature, ...]]:
    known = {feature.feature_id: feature for feature in tx.features.all(organization_id)} if plans else {}
    return {
        subscription_id: tuple(known[feature_id] for feature_id in version.feature_ids)
        for subscription_id, (_, version) in plans.items()
    }


def active_components(
    entitlements: Entitlements, now: datetime, *, event_name: str | None = None, metric_id: str | None = None
) -> list[MeteredComponent]:
    """Return the components of subscriptions in use whose metric counts an event name, or is a given metric."""
    return [
        held
        for held in entitlements.components
        if (held.metric.definition.event_name == event_name or held.metric.metric_id == metric_id)
        and _is_usable(held.subscription, now)
    ]


def _is_usable(subscription: Subscription, now: datetime) -> bool:
    """Tell whether anything of a subscription may be used: it is active, and not paused."""
    return subscription.status_at(now) is Status.ACTIVE and not subscription.is_paused_at(now)


def selection_of(held: MeteredComponent, now: datetime) -> Selection:
    """Return the question whose answer decides about a component: its usage in the present period.

    Of a gauge it is the present level, because that is what one more would be added to. What is weighed by time is
    counted until now, in a question that is new at each instant: it is computed, and not kept.
    """
    subscription, definition = held.subscription, held.metric.definition
    opened = period_containing(subscription, now)
    period = metered_period(subscription, opened, held.metric.metric_id)
    interval = held.component.reset_interval
    if interval is not None and not subscription.is_trial_at(now):
        period = _reset_period(opened, period, interval_at(subscription, interval, now))
    if definition.type is MetricType.COUNTER:
        without = unbilled_within(subscription, period)
        return Selection(definition, subscription.customer_id, period, subscription.matches, without=without)
    if measures_time(definition):
        period = period.until(now)
    elif definition.type is MetricType.GAUGE:
        definition = msgspec.structs.replace(definition, aggregation=Aggregation.LATEST)
    cycle = _cycle(subscription, opened, interval, now) if definition.depends_on_cycle else None
    without = unbilled_within(subscription, period)
    return Selection(definition, subscription.customer_id, period, subscription.matches, cycle, without)


def _reset_period(opened: Period, metered: Period, interval: Period) -> Period:
    """Return the part of a metered period that counts: the present interval, with what was carried over into it."""
    start = metered.start if interval.start <= opened.start else interval.start
    return Period(start, interval.end)


def _cycle(subscription: Subscription, opened: Period, interval: Duration | None, now: datetime) -> Period:
    if interval is None or subscription.is_trial_at(now):
        return whole_period(subscription, opened.start)
    return interval_at(subscription, interval, now)


def usages_at_hand(
    services: Services, organization: Organization, held: list[MeteredComponent], now: datetime
) -> tuple[ComponentUsage, ...] | None:
    """Return the usage of components without blocking, or None when an aggregate has to be made first."""
    if not held:
        return ()
    selections = [selection_of(each, now) for each in held]
    usages = services.events.usage_at_hand(organization.organization_id, selections)
    if usages is None:
        return None
    return tuple(ComponentUsage(each, usage.quantity) for each, usage in zip(held, usages, strict=True))


def read_usages(
    services: Services, organization: Organization, held: list[MeteredComponent], now: datetime
) -> tuple[ComponentUsage, ...]:
    """Return the usage of components, making aggregates where they do not exist yet."""
    usages: dict[int, Usage] = {}
    for keeps in (True, False):
        places = [index for index, each in enumerate(held) if measures_time(each.metric.definition) is not keeps]
        selections = [selection_of(held[index], now) for index in places]
        if selections:
            found = services.events.usage(organization.organization_id, selections, keeps_aggregates=keeps)
            usages.update(zip(places, found, strict=True))
    return tuple(ComponentUsage(each, usages[index].quantity) for index, each in enumerate(held))


def subscriptions_with_feature(
    entitlements: Entitlements, now: datetime, *, feature_name: str | None = None, feature_id: str | None = None
) -> list[tuple[Subscription, FeatureValue]]:
    """Return each active, not paused subscription with what its plan says of the feature: false where it lacks it."""
    return [
        (subscription, _value_in(entitlements, subscription, feature_name, feature_id))
        for subscription in entitlements.subscriptions
        if _is_usable(subscription, now)
    ]


def _value_in(
    entitlements: Entitlements, subscription: Subscription, feature_name: str | None, feature_id: str | None
) -> FeatureValue:
    _, version = entitlements.plans[subscription.subscription_id]
    for feature in entitlements.features[subscription.subscription_id]:
        if feature_name == feature.feature_name or feature_id == feature.feature_id:
            return version.value_of(feature.feature_id)
    return False
