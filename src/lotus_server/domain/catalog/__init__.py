"""What is sold and at which price: features, plans, versions, components, recurring charges."""

from lotus_server.domain.catalog.plans import (
    COMPONENTS_MAX,
    FEATURES_MAX,
    RECURRING_CHARGES_MAX,
    Component,
    Feature,
    Plan,
    PlanVersion,
    Proration,
    RecurringCharge,
    Timing,
    VersionStatus,
)
from lotus_server.domain.catalog.prices import (
    TIERS_MAX,
    Graduated,
    Package,
    PerUnit,
    Price,
    Rounding,
    Tier,
    Volume,
    free_units,
)

__all__ = [
    "COMPONENTS_MAX",
    "FEATURES_MAX",
    "RECURRING_CHARGES_MAX",
    "TIERS_MAX",
    "Component",
    "Feature",
    "Graduated",
    "Package",
    "PerUnit",
    "Plan",
    "PlanVersion",
    "Price",
    "Proration",
    "RecurringCharge",
    "Rounding",
    "Tier",
    "Timing",
    "VersionStatus",
    "Volume",
    "free_units",
]
