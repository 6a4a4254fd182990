"""Monthly recurring revenue: what the recurring charges of subscriptions come to in a month."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from lotus_server.domain.catalog import AddOnFrequency, Plan, PlanVersion, RecurringCharge
from lotus_server.domain.invoicing import adjustment_base, adjustment_of
from lotus_server.domain.subscriptions import Pause, PausedFees, QuantityChange, charge_key
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.money import round_to_minor_unit, total
from lotus_server.kernel.period import Duration
from lotus_server.kernel.quantity import EXACT, ONE, ZERO, add, multiply, share

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
    """Return what the recurring charges of a version come to in a month, at the minor unit.

    `quantities` are those that differ from the version's own, by key. The version's price adjustment counts; usage,
    prepaid units, commitments and customers' discounts do not. A month is the twelfth part of a year of 365 days.
    """
    amounts = [_period_amount(charge, quantities) for charge in version.recurring_charges]
    whole = total(amounts)
    adjustment = version.price_adjustment
    if adjustment is not None and whole:
        whole = max(ZERO, add(whole, adjustment_of(adjustment, adjustment_base(adjustment, amounts))))
    return round_to_minor_unit(_in_a_month(whole, duration), currency(version.currency))


def _period_amount(charge: RecurringCharge, quantities: Mapping[str, Decimal]) -> Decimal:
    quantity = quantities.get(charge_key(charge), charge.quantity)
    amount = multiply(charge.amount, quantity)
    return amount if charge.conversion is None else multiply(amount, charge.conversion.rate)


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
    """A version that has recurring charges, and what it comes to by duration, where quantities are its own."""

    version: PlanVersion
    usual: dict[Duration, int]


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
            if version.recurring_charges and version.plan_id not in once
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
