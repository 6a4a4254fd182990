"""Trying out what a customer may do: may it use so many more of something, or a feature, and why."""

from decimal import Decimal

import msgspec

from lotus_server.domain.access import ComponentUsage, LimitType, decide_more
from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import FeatureValue, Plan, PlanVersion
from lotus_server.domain.subscriptions import Subscription
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.quantity import ONE
from lotus_server.usecases.access import (
    active_components,
    load_entitlements,
    read_usages,
    subscriptions_with_feature,
)
from lotus_server.usecases.features import get_feature
from lotus_server.usecases.metrics import get_metric
from lotus_server.usecases.services import Services, present


class AccessTrial(msgspec.Struct, frozen=True):
    """What is tried: exactly one of a metric, of which so many `more` are to be used, and a feature.

    `problems` are those that reading the input found already.
    """

    customer_id: str
    metric_id: str | None = None
    feature_id: str | None = None
    more: Decimal = ONE
    problems: tuple[FieldProblem, ...] = ()


class TriedComponent(msgspec.Struct, frozen=True):
    """What one component of a subscription says; `is_free`: so many more would cost nothing."""

    usage: ComponentUsage
    is_allowed: bool
    is_free: bool


class TriedFeature(msgspec.Struct, frozen=True):
    """What one subscription says of a feature: the value that its plan gives it, false where it has not got it."""

    subscription: Subscription
    plan: Plan
    version: PlanVersion
    value: FeatureValue


class AccessAnswer(msgspec.Struct, frozen=True):
    """Whether it would be allowed; `reason` says why not. `name` is that of the metric or the feature."""

    name: str
    access: bool
    reason: str | None
    components: tuple[TriedComponent, ...] = ()
    features: tuple[TriedFeature, ...] = ()


def preview_access(services: Services, organization: Organization, trial: AccessTrial) -> AccessAnswer:
    """Return what an access check would answer now. Writes nothing.

    Raises Invalid with every problem, NotFound `customer_not_found`, `metric_not_found`, `feature_not_found`.
    """
    problems = Problems()
    problems.extend(trial.problems)
    if (trial.metric_id is None) == (trial.feature_id is None):
        problems.add("metric_id", "exactly_one", "Choose a metric or a feature.")
    if trial.more < ONE:
        problems.add("more", "invalid", "At least one more can be tried.")
    problems.raise_if_any()
    if trial.feature_id is not None:
        return _of_feature(services, organization, trial.customer_id, trial.feature_id)
    assert trial.metric_id is not None, "else there was a problem"
    metric = get_metric(services, organization, trial.metric_id)
    now = present(services, organization)
    entitlements = load_entitlements(services, organization, trial.customer_id)
    held = active_components(entitlements, now, metric_id=metric.metric_id)
    usages = read_usages(services, organization, held, now)
    decision = decide_more(usages, LimitType.TOTAL, trial.more)
    free = decide_more(usages, LimitType.FREE, trial.more)
    tried = zip(usages, decision.allowed, free.allowed, strict=True)
    return AccessAnswer(
        metric.metric_name,
        decision.access,
        decision.reason,
        components=tuple(TriedComponent(usage, is_allowed, is_free) for usage, is_allowed, is_free in tried),
    )


def _of_feature(services: Services, organization: Organization, customer_id: str, feature_id: str) -> AccessAnswer:
    feature = get_feature(services, organization, feature_id)
    now = present(services, organization)
    entitlements = load_entitlements(services, organization, customer_id)
    held = subscriptions_with_feature(entitlements, now, feature_id=feature.feature_id)
    tried = tuple(
        TriedFeature(subscription, *entitlements.plans[subscription.subscription_id], value)
        for subscription, value in held
    )
    access = any(each.value is not False for each in tried)
    reason = None if access else "No active subscription of the customer has this feature."
    return AccessAnswer(feature.feature_name, access, reason, features=tried)
