"""What is sold: features, plans, and the versions of a plan that customers subscribe to."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.domain.catalog.prices import Price
from lotus_server.kernel.period import Duration
from lotus_server.kernel.quantity import ONE, ZERO, add, multiply

COMPONENTS_MAX: Final = 200
RECURRING_CHARGES_MAX: Final = 50
FEATURES_MAX: Final = 500


class Timing(StrEnum):
    """When a recurring charge is invoiced: at the start of its period, or at the end."""

    IN_ADVANCE = "in_advance"
    IN_ARREARS = "in_arrears"


class Proration(StrEnum):
    """What a part of a period costs: its share of the whole by exact time, or everything."""

    PRORATE = "prorate"
    FULL = "full"


class Feature(msgspec.Struct, frozen=True):
    """Something that a plan switches on, without a quantity."""

    organization_id: str
    feature_id: str
    feature_name: str
    feature_description: str = ""
    archived: bool = False


class RecurringCharge(msgspec.Struct, frozen=True, omit_defaults=True):
    """A fixed amount per billing period, in major units of the version's currency."""

    charge_id: str
    name: str
    amount: Decimal
    timing: Timing = Timing.IN_ADVANCE
    proration: Proration = Proration.PRORATE
    quantity: Decimal = ONE

    @property
    def period_amount(self) -> Decimal:
        """Return what a whole period costs, exact."""
        return multiply(self.amount, self.quantity)


class Prepaid(msgspec.Struct, frozen=True, omit_defaults=True):
    """Units of a component are bought before they are used, and only usage beyond them is charged afterwards.

    `units` are bought with each period (null: each subscription says how many). `proration` is what units cost that
    are held for a part of a period only.
    """

    units: Decimal | None = None
    proration: Proration = Proration.PRORATE


class Component(msgspec.Struct, frozen=True, omit_defaults=True):
    """A metric that is sold, at a price.

    Usage at or above `limit` is no longer allowed (null: no limit). `prepaid` null: usage is charged when it is over.
    """

    component_id: str
    metric_id: str
    price: Price
    limit: Decimal | None = None
    prepaid: Prepaid | None = None


class Plan(msgspec.Struct, frozen=True):
    """A product in the price list. What it costs is decided by its versions."""

    organization_id: str
    plan_id: str
    plan_name: str
    description: str
    duration: Duration
    created_at: datetime
    archived: bool = False


class VersionStatus(StrEnum):
    """Whether new subscriptions may use a version; existing ones go on with an inactive version."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class PlanVersion(msgspec.Struct, frozen=True):
    """The terms that a subscription refers to. They never change: new terms are a new version."""

    organization_id: str
    version_id: str
    plan_id: str
    version: int
    currency: str
    created_at: datetime
    status: VersionStatus = VersionStatus.ACTIVE
    recurring_charges: tuple[RecurringCharge, ...] = ()
    components: tuple[Component, ...] = ()
    feature_ids: tuple[str, ...] = ()
    trial_days: int = 0

    @property
    def flat_rate(self) -> Decimal:
        """Return the sum of all recurring charges of a whole period, exact."""
        whole = ZERO
        for charge in self.recurring_charges:
            whole = add(whole, charge.period_amount)
        return whole

    @property
    def is_paid_in_advance(self) -> bool:
        """Tell whether any recurring charge is invoiced at the start of its period."""
        return any(charge.timing is Timing.IN_ADVANCE for charge in self.recurring_charges)
