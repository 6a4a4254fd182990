"""How monthly recurring revenue moves, and what becomes of what there was."""

from decimal import Decimal
from itertools import pairwise

import msgspec

from lotus_server.domain.analytics.comparison import percent_of
from lotus_server.domain.analytics.recurring import Recurring, in_major_units
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.money import round_to_minor_unit, total
from lotus_server.kernel.quantity import ONE, ZERO, multiply, share


class Movements(msgspec.Struct, frozen=True):
    """What brought monthly revenue from `opening` to `closing`, in one currency.

    `new`: of customers who never had any; `reactivation`: of those who had some once, but none at the opening;
    `expansion` and `contraction`: of those who had some and have more, or less; `churn`: of those who have none any
    more. Contraction and churn are not above zero, the others not below. `customers` is how many have some at the
    closing.
    """

    currency: str
    opening: Decimal = ZERO
    new: Decimal = ZERO
    reactivation: Decimal = ZERO
    expansion: Decimal = ZERO
    contraction: Decimal = ZERO
    churn: Decimal = ZERO
    closing: Decimal = ZERO
    customers: int = 0

    @property
    def net_retention_percent(self) -> Decimal | None:
        """Return what is left of the opening revenue, with expansion, in percent of it; null without any."""
        return percent_of(total((self.opening, self.expansion, self.contraction, self.churn)), self.opening)

    @property
    def gross_retention_percent(self) -> Decimal | None:
        """Return what is left of the opening revenue, without expansion, in percent of it; null without any."""
        return percent_of(total((self.opening, self.contraction, self.churn)), self.opening)

    @property
    def annual(self) -> Decimal:
        """Return what the closing revenue comes to in a year (ARR)."""
        return multiply(self.closing, Decimal(12))

    @property
    def per_customer(self) -> Decimal | None:
        """Return the closing revenue per customer who has some (ARPA), at the minor unit; null without any."""
        if not self.customers:
            return None
        return round_to_minor_unit(share(self.closing, ONE, Decimal(self.customers)), currency(self.currency))


class PlanRecurring(msgspec.Struct, frozen=True):
    """The monthly revenue of a plan at the beginning and the end of a window."""

    plan_id: str
    opening: Decimal
    closing: Decimal


def currencies_of(recurring: Recurring) -> tuple[str, ...]:
    """Return the currencies in which there is any monthly revenue at any of the instants, by code."""
    return tuple(sorted({code for code, _ in recurring.by_customer}))


def movements_of(recurring: Recurring, code: str) -> tuple[Movements, ...]:
    """Return how the revenue in a currency moved from each instant to the next."""
    return tuple(_between(recurring, code, pair) for pair in pairwise(range(len(recurring.instants))))


def movements_over(recurring: Recurring, code: str) -> Movements:
    """Return how the revenue in a currency moved from the first instant to the last, whatever happened between."""
    return _between(recurring, code, (0, len(recurring.instants) - 1))


def plans_of(recurring: Recurring, code: str) -> tuple[PlanRecurring, ...]:
    """Return what each plan comes to at the first instant and at the last, the greatest last one first."""
    found = [
        PlanRecurring(plan_id, in_major_units(amounts[0], code), in_major_units(amounts[-1], code))
        for (held_in, plan_id), amounts in recurring.by_plan.items()
        if held_in == code
    ]
    return tuple(sorted(found, key=lambda each: (-each.closing, each.plan_id)))


def _between(recurring: Recurring, code: str, pair: tuple[int, int]) -> Movements:
    opening_place, closing_place = pair
    opening_at = recurring.instants[opening_place]
    sums = dict.fromkeys(Movements.__struct_fields__[1:], 0)
    for customer, amounts in recurring.by_customer.items():
        if customer[0] != code:
            continue
        before, after = amounts[opening_place], amounts[closing_place]
        sums["opening"] += before
        sums["closing"] += after
        sums["customers"] += after > 0
        if before != after:
            sums[_movement(before, after, had_some=recurring.first_at[customer] < opening_at)] += after - before
    counted = sums.pop("customers")
    return Movements(code, **{name: in_major_units(sum_, code) for name, sum_ in sums.items()}, customers=counted)


def _movement(before: int, after: int, *, had_some: bool) -> str:
    if before and after:
        return "expansion" if after > before else "contraction"
    if before:
        return "churn"
    return "reactivation" if had_some else "new"
