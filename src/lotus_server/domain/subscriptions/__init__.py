"""Subscriptions: periods, renewal, cancellation, as decisions on data."""

from lotus_server.domain.subscriptions.decisions import (
    advance,
    carry_usage,
    end_now,
    end_with_period,
    first_period,
    last_instant,
    metered_period,
    park,
    period_containing,
    refuse_overlap,
    succeed,
    usage_period,
    whole_period,
)
from lotus_server.domain.subscriptions.subscription import Status, Subscription

__all__ = [
    "Status",
    "Subscription",
    "advance",
    "carry_usage",
    "end_now",
    "end_with_period",
    "first_period",
    "last_instant",
    "metered_period",
    "park",
    "period_containing",
    "refuse_overlap",
    "succeed",
    "usage_period",
    "whole_period",
]
