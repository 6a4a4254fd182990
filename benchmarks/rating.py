"""How many lines a core rates in a second, per price model, beside the bare arithmetic of the same amounts.

The bare arithmetic is what nobody can do without: the products and sums of the amount, without looking at the price,
without steps that explain it, without text. Estimate before measuring: a step costs about 2 us (two numbers to text,
two records), so one step should take below 5 us and five steps below 15 us.
"""

import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from benchmarks.report import Row
from lotus_server.domain.catalog import Graduated, Package, PerUnit, Price, Rounding, Tier, Volume
from lotus_server.domain.rating import rate
from lotus_server.kernel.quantity import EXACT, ONE

QUANTITIES = [Decimal(number) + Decimal("0.25") * (number % 4) for number in range(1, 2_000, 7)]
TIERS = (
    Tier(Decimal(100), Decimal("0.05"), Decimal(10)),
    Tier(Decimal(1_000), Decimal("0.02")),
    Tier(None, Decimal("0.01")),
)


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
}


def measure(seconds: float) -> list[Row]:
    """Lines a second on one core, each model beside its bare arithmetic."""
    share = seconds / (2 * len(MODELS))
    rows = []
    for name, (price, bare) in MODELS.items():
        limit = _rate_a_second(bare, share)
        ours = _rate_a_second(partial(rate, price), share)
        rows.append(Row(name, ours, "lines/s", limit, "bare Decimal arithmetic"))
        rows.append(Row(f"{name}: one line", 1e6 / ours, "us"))
    return rows


def _rate_a_second(work: Callable[[Decimal], object], seconds: float) -> float:
    """The best of five rounds: on a shared machine the others measure the neighbours."""
    best = 0.0
    for _ in range(5):
        done = 0
        start = time.perf_counter()
        while time.perf_counter() - start < seconds / 5:
            for quantity in QUANTITIES:
                work(quantity)
            done += len(QUANTITIES)
        best = max(best, done / (time.perf_counter() - start))
    return best
