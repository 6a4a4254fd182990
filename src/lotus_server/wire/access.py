"""Questions and answers about access, in the form of each generation of clients."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from lotus_server.domain.access import (
    AccessDecision,
    ComponentUsage,
    Entitlements,
    LimitType,
    MeteredComponent,
    is_below,
)
from lotus_server.domain.catalog import Feature, FeatureValue
from lotus_server.domain.metering import Metric
from lotus_server.domain.subscriptions import Subscription, last_instant, period_containing
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text

Row = dict[str, Any]


class Question(msgspec.Struct, frozen=True):
    """What is asked about a customer: a feature, or an event (or metric) against a limit."""

    customer_id: str
    event_name: str | None = None
    feature_name: str | None = None
    metric_id: str | None = None
    limit_type: LimitType = LimitType.TOTAL


def customer_question(query: dict[str, str]) -> Question:
    """Return the question of `GET /api/customer_access/`. Raises Invalid with every problem."""
    problems = Problems()
    customer_id = query.get("customer_id", "")
    event_name, feature_name = query.get("event_name") or None, query.get("feature_name") or None
    limit_type = query.get("event_limit_type") or LimitType.TOTAL.value
    if not customer_id:
        problems.add("customer_id", "required", "customer_id is required.")
    if (event_name is None) == (feature_name is None):
        problems.add("event_name", "exactly_one", "Give exactly one of event_name and feature_name.")
    if limit_type not in {each.value for each in LimitType}:
        problems.add("event_limit_type", "invalid", "event_limit_type is `free` or `total`.")
    problems.raise_if_any()
    return Question(customer_id, event_name, feature_name, None, LimitType(limit_type))


def metric_question(query: dict[str, str]) -> Question:
    """Return the question of `GET /api/customer_metric_access/`: an event name or a metric."""
    problems = Problems()
    customer_id = query.get("customer_id", "")
    event_name, metric_id = query.get("event_name") or None, query.get("metric_id") or None
    if not customer_id:
        problems.add("customer_id", "required", "customer_id is required.")
    if (event_name is None) == (metric_id is None):
        problems.add("event_name", "exactly_one", "Give exactly one of event_name and metric_id.")
    problems.raise_if_any()
    return Question(customer_id, event_name, None, metric_id)


def event_answer(decision: AccessDecision, limit_type: LimitType) -> Row:
    """Return the seed's answer about an event."""
    answer: Row = {
        "access": decision.access,
        "usages": [
            {
                "metric_name": usage.held.metric.metric_name,
                "metric_usage": usage.quantity,
                "metric_limit": usage.held.limit(limit_type),
                "access": allowed,
                "subscription_id": usage.held.subscription.subscription_id,
            }
            for usage, allowed in zip(decision.usages, decision.allowed, strict=True)
        ],
    }
    if decision.reason is not None:
        answer["reason"] = decision.reason
    return answer


def feature_answer(held: list[tuple[Subscription, FeatureValue]]) -> Row:
    """Return the seed's answer about a feature, with the value that the first subscription gives that has it."""
    values = [value for _, value in held if value is not False]
    if values:
        return {"access": True, "value": values[0]}
    reason = "No active subscription of the customer has this feature."
    return {"access": False, "value": False, "reason": reason}


def matching(usages: tuple[ComponentUsage, ...], query: dict[str, str]) -> tuple[ComponentUsage, ...]:
    """Return the usages of the subscriptions that a client asks about with subscription filters, or all without any.

    Clients write them as `subscription_filters[0][property_name]=a&subscription_filters[0][value]=b`.
    """
    wanted = frozenset(_filters(query))
    return tuple(usage for usage in usages if _has_filters(usage.held.subscription, wanted))


def matching_subscriptions(
    held: list[tuple[Subscription, FeatureValue]], query: dict[str, str]
) -> list[tuple[Subscription, FeatureValue]]:
    """Return those of the subscriptions that a client asks about with subscription filters, or all without any."""
    wanted = frozenset(_filters(query))
    return [each for each in held if _has_filters(each[0], wanted)]


def _has_filters(subscription: Subscription, wanted: frozenset[tuple[str, str]]) -> bool:
    return wanted <= {(match.property_name, match.value) for match in subscription.matches}


def _filters(query: dict[str, str]) -> Iterable[tuple[str, str]]:
    for name, value in query.items():
        if name.startswith("subscription_filters[") and name.endswith("][property_name]"):
            stem = name.removesuffix("[property_name]")
            yield value, query.get(f"{stem}[value]", "")


def metric_answer(entitlements: Entitlements, metric: Metric, decision: AccessDecision, now: datetime) -> Row:
    """Return the later clients' answer about a metric."""
    return {
        "customer": customer_row(entitlements),
        "access": decision.access,
        "metric": {
            "metric_id": metric.metric_id,
            "event_name": metric.definition.event_name,
            "metric_name": metric.metric_name,
        },
        "access_per_subscription": [
            {"subscription": subscription_row(usage.held, now), **_limits(usage)} for usage in decision.usages
        ],
    }


def feature_answer_by_subscription(
    entitlements: Entitlements, feature: Feature, held: list[tuple[Subscription, FeatureValue]], now: datetime
) -> Row:
    """Return the later clients' answer about a feature."""
    return {
        "customer": customer_row(entitlements),
        "access": any(value is not False for _, value in held),
        "feature": {
            "feature_id": feature.feature_id,
            "feature_name": feature.feature_name,
            "feature_description": feature.feature_description,
        },
        "access_per_subscription": [
            {
                "subscription": _subscription_row(entitlements, subscription, now),
                "access": value is not False,
                "value": value,
            }
            for subscription, value in held
        ],
    }


def metric_rows(entitlements: Entitlements, usages: tuple[ComponentUsage, ...], now: datetime) -> list[Row]:
    """Return the 0.9 clients' rows about an event or metric: one per subscription, with its components."""
    by_subscription: dict[str, list[ComponentUsage]] = {}
    for usage in usages:
        by_subscription.setdefault(usage.held.subscription.subscription_id, []).append(usage)
    return [
        {
            **_subscription_row(entitlements, found[0].held.subscription, now),
            "plan_id": found[0].held.subscription.plan_id,
            "usage_per_component": [
                {
                    "event_name": usage.held.metric.definition.event_name,
                    "metric_name": usage.held.metric.metric_name,
                    "metric_id": usage.held.metric.metric_id,
                    **_limits(usage),
                }
                for usage in found
            ],
            "access": all(is_below(usage.quantity, usage.held.total_limit) for usage in found),
        }
        for found in by_subscription.values()
    ]


def feature_rows(
    entitlements: Entitlements, feature_name: str, held: list[tuple[Subscription, FeatureValue]], now: datetime
) -> list[Row]:
    """Return the 0.9 clients' rows about a feature: one per subscription."""
    return [
        {
            **_subscription_row(entitlements, subscription, now),
            "plan_id": subscription.plan_id,
            "feature_name": feature_name,
            "access": value is not False,
            "value": value,
        }
        for subscription, value in held
    ]


def customer_row(entitlements: Entitlements) -> Row:
    """Return who is asked about."""
    return {
        "customer_name": entitlements.customer_name,
        "email": entitlements.email,
        "customer_id": entitlements.customer_id,
    }


def subscription_row(held: MeteredComponent, now: datetime) -> Row:
    """Return the subscription of a component, in short."""
    return _row(held.subscription, now, held.plan.plan_name, held.version.version)


def _subscription_row(entitlements: Entitlements, subscription: Subscription, now: datetime) -> Row:
    plan, version = entitlements.plans[subscription.subscription_id]
    return _row(subscription, now, plan.plan_name, version.version)


def _row(subscription: Subscription, now: datetime, plan_name: str, version: int) -> Row:
    period = period_containing(subscription, now)
    return {
        "subscription_id": subscription.subscription_id,
        "start_date": to_text(subscription.starts_at),
        "end_date": to_text(last_instant(period.end)),
        "subscription_filters": [
            {"property_name": match.property_name, "value": match.value} for match in subscription.matches
        ],
        "plan": {
            "plan_name": plan_name,
            "plan_id": subscription.plan_id,
            "version_id": subscription.version_id,
            "version": version,
        },
    }


def _limits(usage: ComponentUsage) -> Row:
    return {
        "metric_usage": usage.quantity,
        "metric_free_limit": usage.held.free_limit,
        "metric_total_limit": usage.held.total_limit,
    }
