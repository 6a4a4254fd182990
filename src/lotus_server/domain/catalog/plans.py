"""What is sold: features, plans, and the versions of a plan that customers subscribe to."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.domain.catalog.prices import Price
from lotus_server.domain.catalog.terms import (
    AddOnTerms,
    Calendar,
    Commitment,
    Conversion,
    FeatureValue,
    PriceAdjustment,
    ProrationUnit,
    UsageInvoicing,
)
from lotus_server.kernel.period import Duration
from lotus_server.kernel.quantity import ONE, ZERO, add, multiply

COMPONENTS_MAX: Final = 200
RECURRING_CHARGES_MAX: Final = 50
FEATURES_MAX: Final = 500
TAGS_MAX: Final = 50
LINKS_MAX: Final = 20
TARGET_CUSTOMERS_MAX: Final = 1_000
TRIAL_DAYS_MAX: Final = 3_650


class Timing(StrEnum):
    """When a recurring charge is invoiced: at the start of its period, or at the end."""

    IN_ADVANCE = "in_advance"
    IN_ARREARS = "in_arrears"


class Proration(StrEnum):
    """What a part of a period costs: its share of the whole, or everything."""

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
    """A fixed amount per billing period, in major units of the version's currency.

    With a `conversion` the amount is in a pricing unit.
    """

    charge_id: str
    name: str
    amount: Decimal
    timing: Timing = Timing.IN_ADVANCE
    proration: Proration = Proration.PRORATE
    quantity: Decimal = ONE
    conversion: Conversion | None = None

    @property
    def period_amount(self) -> Decimal:
        """Return what a whole period costs in money, exact."""
        amount = multiply(self.amount, self.quantity)
        return amount if self.conversion is None else multiply(amount, self.conversion.rate)


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
    `conversion` null: the price is in money. Its usage is invoiced every `invoicing_interval` (null: as the version
    says). Free units, tiers, limits, minimum and maximum spend begin anew with every `reset_interval` (null: with the
    billing period). Both are parts of the billing period and are counted from its anchor.
    """

    component_id: str
    metric_id: str
    price: Price
    limit: Decimal | None = None
    prepaid: Prepaid | None = None
    conversion: Conversion | None = None
    invoicing_interval: Duration | None = None
    reset_interval: Duration | None = None


class Tag(msgspec.Struct, frozen=True):
    """A word by which people find plans, with the colour in which it is shown."""

    name: str
    hex: str = ""
    color: str = ""


class ExternalLink(msgspec.Struct, frozen=True):
    """What a plan is called in another system."""

    source: str
    external_plan_id: str


class Plan(msgspec.Struct, frozen=True):
    """A product in the price list. What it costs is decided by its versions.

    With `addon` it is an add-on. It is attached to subscriptions, and its periods are those of the subscription: its
    `duration` is not looked at.
    """

    organization_id: str
    plan_id: str
    plan_name: str
    description: str
    duration: Duration
    created_at: datetime
    archived: bool = False
    tags: tuple[Tag, ...] = ()
    external_links: tuple[ExternalLink, ...] = ()
    addon: AddOnTerms | None = None


class VersionStatus(StrEnum):
    """Whether new subscriptions may use a version; existing ones go on with an inactive version."""

    NOT_STARTED = "not_started"
    ACTIVE = "active"
    INACTIVE = "inactive"


class PlanVersion(msgspec.Struct, frozen=True):
    """The terms that a subscription refers to. They never change: new terms are a new version.

    What can change is when it is on sale: from `active_from` (null: since it was made) to `active_to`, excluded (null:
    until further notice). With `target_customer_ids` it is a custom version, and only these customers may have it.
    `replace_with` is the version that takes its place when a subscription renews (null: none), and `transition_to` the
    plan into which a subscription turns then (null: none), which comes first. `feature_values` says
    something of features other than that they are on. A part of a billing period is its share of the whole in
    `proration_unit`. For the first `trial_days` days nothing is charged. `calendar`
    null: periods are counted from the day on which charging begins. `usage_invoicing` says when usage is invoiced
    within a period.
    """

    organization_id: str
    version_id: str
    plan_id: str
    version: int
    currency: str
    created_at: datetime
    recurring_charges: tuple[RecurringCharge, ...] = ()
    components: tuple[Component, ...] = ()
    feature_ids: tuple[str, ...] = ()
    trial_days: int = 0
    active_from: datetime | None = None
    active_to: datetime | None = None
    localized_name: str | None = None
    target_customer_ids: tuple[str, ...] = ()
    replace_with: str | None = None
    price_adjustment: PriceAdjustment | None = None
    commitment: Commitment | None = None
    feature_values: dict[str, FeatureValue] = {}
    proration_unit: ProrationUnit = ProrationUnit.EXACT
    calendar: Calendar | None = None
    usage_invoicing: UsageInvoicing = UsageInvoicing()
    transition_to: str | None = None

    @property
    def is_custom(self) -> bool:
        """Tell whether only some customers may have it."""
        return bool(self.target_customer_ids)

    def status_at(self, now: datetime) -> VersionStatus:
        """Return whether it is on sale at `now`, which is so in `[active_from, active_to)`."""
        if self.active_to is not None and now >= self.active_to:
            return VersionStatus.INACTIVE
        has_started = self.active_from is None or now >= self.active_from
        return VersionStatus.ACTIVE if has_started else VersionStatus.NOT_STARTED

    def value_of(self, feature_id: str) -> FeatureValue:
        """Return what the version says of a feature that it has: that it is on, unless it says more."""
        return self.feature_values.get(feature_id, True)

    @property
    def flat_rate(self) -> Decimal:
        """Return the sum of all recurring charges of a whole period in money, exact."""
        whole = ZERO
        for charge in self.recurring_charges:
            whole = add(whole, charge.period_amount)
        return whole

    @property
    def is_paid_in_advance(self) -> bool:
        """Tell whether any recurring charge is invoiced at the start of its period."""
        return any(charge.timing is Timing.IN_ADVANCE for charge in self.recurring_charges)
