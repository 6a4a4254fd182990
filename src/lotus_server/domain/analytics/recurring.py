"""Monthly recurring revenue: what subscriptions come to in a month, whether they are used or not."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.catalog import AddOnFrequency, Commitment, Component, Plan, PlanVersion, RecurringCharge
from lotus_server.domain.invoicing import adjustment_base, adjustment_of
from lotus_server.domain.rating import in_money, rate
from lotus_server.domain.subscriptions import (
    Pause,
    PausedFees,
    QuantityChange,
    charge_key,
    default_prepaid_units,
    prepaid_key,
)
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.money import round_to_minor_unit, total
from lotus_server.kernel.period import Duration
from lotus_server.kernel.quantity import EXACT, ONE, ZERO, add, multiply, share, subtract

_DAYS_A_YEAR: Final = Decimal(365)
_MONTHS_A_YEAR: Final = Decimal(12)
_MONTHS_A_QUARTER: Final = Decimal(3)
_DAYS_A_WEEK: Final = Decimal(7)


class Held(msgspec.Struct, frozen=True):
    """What monthly revenue needs of a subscription; its fields are named and meant as those of a subscription."""

    customer_id: str
    plan_id: str
    version_id: str
    duration: Duration
    starts_at: datetime
    ends_at: datetime | None
    trial_end: datetime | None = None
    quantities: Mapping[str, Decimal] = {}
    quantity_changes: tuple[QuantityChange, ...] = ()
    pauses: tuple[Pause, ...] = ()


def monthly_amount(version: PlanVersion, duration: Duration, quantities: Mapping[str, Decimal]) -> Decimal:
    """Return what a whole period of a version without any usage comes to, for a month, at the minor unit.

    That is its recurring charges, its prepaid units, and what these lack to its commitment, with its price adjustment.
    `quantities` are those that differ from the version's own, by key. Usage and customers' discounts do not count. A
    month is the twelfth part of a year of 365 days.
    """
    charges = [_period_amount(charge, quantities) for charge in version.recurring_charges]
    prepaid = [_prepaid_amount(each, quantities) for each in version.components if each.prepaid is not None]
    amounts = [*charges, *prepaid]
    if version.commitment is not None:
        amounts.append(_missing(version.commitment, charges, prepaid))
    whole = total(amounts)
    adjustment = version.price_adjustment
    if adjustment is not None and whole:
        whole = max(ZERO, add(whole, adjustment_of(adjustment, adjustment_base(adjustment, amounts))))
    return round_to_minor_unit(_in_a_month(whole, duration), currency(version.currency))


def _period_amount(charge: RecurringCharge, quantities: Mapping[str, Decimal]) -> Decimal:
    quantity = quantities.get(charge_key(charge), charge.quantity)
    amount = multiply(charge.amount, quantity)
    return amount if charge.conversion is None else multiply(amount, charge.conversion.rate)


def _prepaid_amount(component: Component, quantities: Mapping[str, Decimal]) -> Decimal:
    units = quantities.get(prepaid_key(component), default_prepaid_units(component))
    return in_money(rate(component.price, units), component.conversion).amount


def _missing(commitment: Commitment, charges: Sequence[Decimal], prepaid: Sequence[Decimal]) -> Decimal:
    """Return what a period without usage lacks to its commitment."""
    reached = total((*charges, *prepaid) if commitment.includes_recurring_charges else prepaid)
    return max(ZERO, subtract(commitment.amount, reached))


def _in_a_month(amount: Decimal, duration: Duration) -> Decimal:
    match duration:
        case Duration.DAILY:
            return share(amount, _DAYS_A_YEAR, _MONTHS_A_YEAR)
        case Duration.WEEKLY:
            return share(amount, _DAYS_A_YEAR, multiply(_MONTHS_A_YEAR, _DAYS_A_WEEK))
        case Duration.MONTHLY:
            return amount
        case Duration.QUARTERLY:
            return share(amount, ONE, _MONTHS_A_QUARTER)
        case Duration.YEARLY:
            return share(amount, ONE, _MONTHS_A_YEAR)


class _Sold(msgspec.Struct, frozen=True):
    """A version that comes to something without usage, and to what by duration, where quantities are its own."""

    version: PlanVersion
    usual: dict[Duration, int]


def _recurs(version: PlanVersion) -> bool:
    """Tell whether a version may come to something without usage."""
    has_prepaid = any(component.prepaid is not None for component in version.components)
    return bool(version.recurring_charges or has_prepaid or version.commitment is not None)


class Recurring:
    """What subscriptions come to in a month just before each of several instants, in minor units of each currency."""

    def __init__(self, instants: Sequence[datetime], plans: Iterable[Plan], versions: Iterable[PlanVersion]) -> None:
        """Ask about instants in ascending order. What an add-on charges once does not recur."""
        self.instants = instants
        once = {
            plan.plan_id for plan in plans if plan.addon is not None and plan.addon.frequency is AddOnFrequency.ONE_TIME
        }
        self._sold = {
            version.version_id: _Sold(version, {})
            for version in versions
            if _recurs(version) and version.plan_id not in once
        }
        self.by_customer: dict[tuple[str, str], list[int]] = {}
        self.by_plan: dict[tuple[str, str], list[int]] = {}
        self.first_at: dict[tuple[str, str], datetime] = {}

    def add(self, held: Held) -> None:
        """Count a subscription.

        `by_customer` and `by_plan` have what there is at each instant, by currency and customer or plan; `first_at` has
        when a customer first came to anything in a currency.
        """
        sold = self._sold.get(held.version_id)
        if sold is None:
            return
        starts_at = held.starts_at if held.trial_end is None else max(held.starts_at, held.trial_end)
        if held.ends_at is not None and held.ends_at <= starts_at:
            return
        for start, end, amount in self._held_amounts(sold, held, starts_at):
            if amount:
                for span in _charged(start, end, held.pauses):
                    self._count(held, sold.version.currency, span, amount)

    def _held_amounts(
        self, sold: "_Sold", held: Held, starts_at: datetime
    ) -> list[tuple[datetime, datetime | None, int]]:
        """Return the times in which a subscription comes to the same, with what that is."""
        if not held.quantities and not held.quantity_changes:
            usual = sold.usual.get(held.duration)
            if usual is None:
                usual = sold.usual[held.duration] = _minor(sold.version, held.duration, {})
            return [(starts_at, held.ends_at, usual)]
        quantities = dict(held.quantities)
        parts: list[tuple[datetime, datetime | None, int]] = []
        start = starts_at
        for change in held.quantity_changes:
            if held.ends_at is not None and change.effective_at >= held.ends_at:
                break
            if change.effective_at > start:
                parts.append((start, change.effective_at, _minor(sold.version, held.duration, quantities)))
                start = change.effective_at
            quantities[change.key] = change.quantity
        parts.append((start, held.ends_at, _minor(sold.version, held.duration, quantities)))
        return parts

    def _count(self, held: Held, code: str, span: tuple[datetime, datetime | None], amount: int) -> None:
        start, end = span
        customer, plan = (code, held.customer_id), (code, held.plan_id)
        self.first_at[customer] = min(start, self.first_at.get(customer, start))
        # Just before an instant: what begins at it is not there yet, and what ends at it still is.
        first = bisect_right(self.instants, start)
        last = len(self.instants) if end is None else bisect_right(self.instants, end)
        if first == last:
            return
        mine = self.by_customer.setdefault(customer, [0] * len(self.instants))
        of_plan = self.by_plan.setdefault(plan, [0] * len(self.instants))
        for place in range(first, last):
            mine[place] += amount
            of_plan[place] += amount


def _charged(start: datetime, end: datetime | None, pauses: Sequence[Pause]) -> list[tuple[datetime, datetime | None]]:
    """Return what is left of a time without the pauses that are not charged; they come in order and do not overlap."""
    spans: list[tuple[datetime, datetime | None]] = []
    for pause in pauses:
        if pause.fees is PausedFees.CHARGE_FULL or (pause.ends_at is not None and pause.ends_at <= start):
            continue
        if end is not None and pause.starts_at >= end:
            break
        if pause.starts_at > start:
            spans.append((start, pause.starts_at))
        if pause.ends_at is None or (end is not None and pause.ends_at >= end):
            return spans
        start = pause.ends_at
    return [*spans, (start, end)]


def _minor(version: PlanVersion, duration: Duration, quantities: Mapping[str, Decimal]) -> int:
    amount = monthly_amount(version, duration, quantities)
    return int(amount.scaleb(currency(version.currency).exponent, context=EXACT))


def in_major_units(amount: int, code: str) -> Decimal:
    """Return an amount of minor units in the major unit of its currency."""
    return Decimal(amount).scaleb(-currency(code).exponent, context=EXACT)
