"""May this customer do this now, and how much is left."""

from lotus_server.domain.access.access import (
    AccessDecision,
    ComponentUsage,
    Entitlements,
    LimitType,
    MeteredComponent,
    decide,
    decide_more,
    is_below,
)

__all__ = [
    "AccessDecision",
    "ComponentUsage",
    "Entitlements",
    "LimitType",
    "MeteredComponent",
    "decide",
    "decide_more",
    "is_below",
]
