"""Subscriptions: periods, renewal, cancellation, as decisions on data."""

from lotus_server.domain.subscriptions.subscription import Status, Subscription

__all__ = ["Status", "Subscription"]
