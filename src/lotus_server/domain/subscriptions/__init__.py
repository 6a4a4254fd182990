"""Subscriptions: periods, renewal, cancellation, as decisions on data."""

from lotus_server.domain.subscriptions.decisions import (
    advance,
    end_now,
    end_with_period,
    first_period,
    last_instant,
    metered_period,
    park,
    period_containing,
    refuse_overlap,
    whole_period,
)
from lotus_server.domain.subscriptions.subscription import Status, Subscription

__all__ = [
    "Status",
    "Subscription",
    "advance",
    "end_now",
    "end_with_period",
    "first_period",
    "last_instant",
    "metered_period",
    "park",
    "period_containing",
    "refuse_overlap",
    "whole_period",
]
