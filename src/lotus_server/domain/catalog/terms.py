"""What a version's terms have beside prices: an adjustment, a commitment, a unit of its own, the values of features."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from lotus_server.kernel.period import Duration
from lotus_server.kernel.quantity import ONE

FeatureValue = bool | Decimal | str
"""What a version says of a feature: on or off, how many, or which."""


class Conversion(msgspec.Struct, frozen=True):
    """A price is in a pricing unit (credits, tokens) and not in money; `rate` is what one of them costs, exact.

    The rate is part of the terms and never changes with them.
    """

    unit: str
    rate: Decimal


class ProrationUnit(StrEnum):
    """In what a billing period is divided: exact time, or whole days."""

    EXACT = "exact"
    DAY = "day"


class Calendar(msgspec.Struct, frozen=True, omit_defaults=True):
    """Billing periods begin with the calendar's days, weeks (on Monday), months, quarters and years.

    `day_anchor` is the day of the month, 1 to 31, on which months and longer periods begin; a shorter month has its
    last day instead. `month_anchor`, 1 to 12, is a month in which quarters and years begin.
    """

    day_anchor: int = 1
    month_anchor: int = 1


class AdjustmentKind(StrEnum):
    """How an adjustment changes what a subscription's invoices come to."""

    PERCENTAGE = "percentage"
    FIXED = "fixed"
    OVERRIDE = "price_override"


class PriceAdjustment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A discount or surcharge on every invoice of a version's subscriptions.

    `percentage`: so many percent more (less when negative, at least -100). `fixed`: so much money more, or less.
    `price_override`: so much money instead.
    """

    kind: AdjustmentKind
    amount: Decimal
    name: str = ""
    description: str = ""


class Commitment(msgspec.Struct, frozen=True, omit_defaults=True):
    """The least that a whole billing period comes to, in major units of the version's currency.

    What is used beyond it costs `overage_factor` times its price. Recurring charges of the period count towards it if
    `includes_recurring_charges`.
    """

    amount: Decimal
    overage_factor: Decimal = ONE
    includes_recurring_charges: bool = True


class SpendThreshold(msgspec.Struct, frozen=True, omit_defaults=True):
    """Usage is invoiced as soon as that of a billing period comes to an amount, before discounts and tax.

    A recurring one does so again and again, each time that so much more has come together, counted from the greatest
    one that is not recurring.
    """

    amount: Decimal
    is_recurring: bool = False


class UsageInvoicing(msgspec.Struct, frozen=True, omit_defaults=True):
    """When usage is invoiced other than at the end of a billing period.

    Every `interval` of a period (null: only when the period is over) what has been used so far is invoiced. It says
    nothing about prices: when tiers and limits begin anew is each component's `reset_interval`. `thresholds` are those
    of subscriptions that have none of their own.
    """

    interval: Duration | None = None
    thresholds: tuple[SpendThreshold, ...] = ()


class AddOnKind(StrEnum):
    """What an add-on sells: a fixed amount, or usage."""

    FLAT = "flat"
    USAGE_BASED = "usage_based"


class AddOnFrequency(StrEnum):
    """Whether an add-on is charged once, or for every period of the subscription that it is attached to."""

    ONE_TIME = "one_time"
    RECURRING = "recurring"


class AddOnInvoicing(StrEnum):
    """When an add-on's charges are invoiced: from its attachment on, or always in arrears."""

    ON_ATTACH = "invoice_on_attach"
    ON_SUBSCRIPTION_END = "invoice_on_subscription_end"


class AddOnTerms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What makes a plan an add-on: it is not subscribed to but attached to a subscription."""

    kind: AddOnKind = AddOnKind.FLAT
    frequency: AddOnFrequency = AddOnFrequency.ONE_TIME
    invoicing: AddOnInvoicing = AddOnInvoicing.ON_ATTACH
