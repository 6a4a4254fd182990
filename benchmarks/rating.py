"""How many lines a core rates in a second, per price model, beside the bare arithmetic of the same amounts.

The bare arithmetic is what nobody can do without: the products and sums of the amount, without looking at the price,
without steps that explain it, without text. Estimate before measuring: a step costs about 2 us (two numbers to text,
two records), so one step should take below 5 us and five steps below 15 us. A percentage that has to look at every
event costs a product, a sum and two comparisons for each of them: about 1 us an event, the steps being only a few.
"""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import TypeVar

from benchmarks.report import Row
from lotus_server.domain.catalog import (
    Dynamic,
    Graduated,
    GraduatedPercentage,
    Matrix,
    MatrixCell,
    Package,
    Percentage,
    PercentageTier,
    PerUnit,
    Price,
    Rounding,
    Tier,
    Volume,
)
from lotus_server.domain.rating import RatedUsage, rate
from lotus_server.kernel.quantity import EXACT, ONE

Item = TypeVar("Item")
QUANTITIES = [Decimal(number) + Decimal("0.25") * (number % 4) for number in range(1, 2_000, 7)]
TIERS = (
    Tier(Decimal(100), Decimal("0.05"), Decimal(10)),
    Tier(Decimal(1_000), Decimal("0.02")),
    Tier(None, Decimal("0.01")),
)
PERCENTAGE_TIERS = tuple(PercentageTier(tier.up_to, tier.unit_price * 100, tier.flat_fee) for tier in TIERS)
# One customer's payments of a period: 1,000 of them, and 20 groups of 50.
PAYMENTS = RatedUsage.of_events(QUANTITIES[index % len(QUANTITIES)] for index in range(1_000))
GROUPS = RatedUsage.of_groups(
    {(f"group {number}",): RatedUsage.of_events(QUANTITIES[number : number + 50]) for number in range(20)}
)
EVENT_MODELS: dict[str, tuple[Price, RatedUsage, int]] = {
    "percentage, allowance and fee, 1,000 events": (
        Percentage(Decimal("1.3"), Decimal("0.3"), 10, Decimal(250)),
        PAYMENTS,
        1_000,
    ),
    "percentage, least and most per event, 1,000 events": (
        Percentage(Decimal("1.3"), min_per_event=Decimal(1), max_per_event=Decimal(12)),
        PAYMENTS,
        1_000,
    ),
    "matrix, 20 groups per unit": (
        Matrix(("name",), tuple(MatrixCell(group, PerUnit(ONE)) for group in GROUPS.groups or ())),
        GROUPS,
        20,
    ),
}


def _bare_per_unit(quantity: Decimal) -> Decimal:
    return EXACT.multiply(quantity, Decimal("0.001"))


def _bare_batches(quantity: Decimal) -> Decimal:
    count, rest = EXACT.divmod(EXACT.subtract(quantity, Decimal(50)), Decimal(100))
    return EXACT.multiply(EXACT.add(count, ONE) if rest else count, Decimal(5))


def _bare_graduated(quantity: Decimal) -> Decimal:
    first = EXACT.add(Decimal(10), EXACT.multiply(Decimal(100), Decimal("0.05")))
    second = EXACT.multiply(Decimal(900), Decimal("0.02"))
    third = EXACT.multiply(EXACT.subtract(quantity, Decimal(1_000)), Decimal("0.01"))
    return EXACT.add(EXACT.add(first, second), third)


MODELS: dict[str, tuple[Price, Callable[[Decimal], Decimal]]] = {
    "per unit": (PerUnit(Decimal("0.001")), _bare_per_unit),
    "per unit, free units, batches": (
        PerUnit(Decimal(5), Decimal(50), Decimal(100), Rounding.UP),
        _bare_batches,
    ),
    "package": (Package(Decimal(100), Decimal(5), Decimal(50)), _bare_batches),
    "graduated, 3 tiers and a fee": (Graduated(TIERS), _bare_graduated),
    "volume, 3 tiers": (Volume(TIERS), _bare_per_unit),
    "percentage, plain": (Percentage(Decimal("0.1")), _bare_per_unit),
    "graduated percentage, 3 tiers": (GraduatedPercentage(PERCENTAGE_TIERS), _bare_graduated),
    "dynamic": (Dynamic("cost", Decimal("0.001")), _bare_per_unit),
    "per unit, least and most spend": (
        PerUnit(Decimal("0.001"), minimum_spend=Decimal(1), maximum_spend=Decimal(5)),
        _bare_per_unit,
    ),
}


def measure(seconds: float) -> list[Row]:
    """Lines a second on one core, each model beside its bare arithmetic; then events and groups a second."""
    share = seconds / (2 * (len(MODELS) + len(EVENT_MODELS)))
    rows = []
    for name, (price, bare) in MODELS.items():
        limit = _rate_a_second(bare, QUANTITIES, share)
        ours = _rate_a_second(partial(rate, price), QUANTITIES, share)
        rows.append(Row(name, ours, "lines/s", limit, "bare Decimal arithmetic"))
        rows.append(Row(f"{name}: one line", 1e6 / ours, "us"))
    for name, (price, usage, size) in EVENT_MODELS.items():
        limit = _rate_a_second(_bare_per_unit, QUANTITIES, share)
        ours = size * _rate_a_second(partial(rate, price), [usage], share)
        rows.append(Row(f"{name}: each", ours, "a second", limit, "bare Decimal arithmetic"))
    return rows


def _rate_a_second(work: Callable[[Item], object], items: Sequence[Item], seconds: float) -> float:
    """The best of five rounds, by the processor's time: on a shared machine the clock measures the neighbours."""
    best = 0.0
    for _ in range(5):
        done = 0
        start = time.process_time()
        while time.process_time() - start < seconds / 5:
            for item in items:
                work(item)
            done += len(items)
        best = max(best, done / (time.process_time() - start))
    return best
