"""Windows: the usage of a period in stretches of time, of which each is priced as if it were alone."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from lotus_server.domain.catalog import Price
from lotus_server.domain.rating.lines import Rated, Step
from lotus_server.domain.rating.rate import rate
from lotus_server.domain.rating.usage import RatedUsage
from lotus_server.kernel.quantity import EXACT, ZERO, add, readable

STEPS_MAX: Final = 200


def rate_windows(price: Price, windows: Sequence[RatedUsage]) -> Rated:
    """Return what windows cost together; no windows cost nothing, because no price is reached.

    It is the sum of what each costs alone, as of `rate_each`. Equal windows share their steps (`24 windows of 3: ...`),
    in the order in which they first occur; from `STEPS_MAX` steps on, what is left is one step.
    """
    steps: list[Step] = []
    amount, further, further_amount = ZERO, 0, ZERO
    for window, count in _alike(windows):
        rated = rate(price, window)
        times = Decimal(count)
        together = EXACT.multiply(rated.amount, times)
        amount = add(amount, together)
        if len(steps) + len(rated.steps) > STEPS_MAX:
            further, further_amount = further + count, add(further_amount, together)
            continue
        steps += [_of_all(step, f"{_windows(count)} of {readable(window.quantity)}: ", times) for step in rated.steps]
    if further:
        steps.append(Step(f"{_windows(further)} more, each on its own", None, None, further_amount))
    return Rated(amount, tuple(steps) or (Step("no usage in any window", ZERO, None, ZERO),))


def _alike(windows: Sequence[RatedUsage]) -> list[tuple[RatedUsage, int]]:
    """Return windows that cost the same once, with how often they occur; those with groups or values stay single."""
    found: dict[object, tuple[RatedUsage, int]] = {}
    for index, window in enumerate(windows):
        is_plain = window.values is None and window.groups is None
        key = (window.quantity, window.event_count, window.skipped) if is_plain else index
        _, count = found.get(key, (window, 0))
        found[key] = (window, count + 1)
    return list(found.values())


def _of_all(step: Step, name: str, times: Decimal) -> Step:
    """Return a step for several equal windows: `quantity` x `unit_price` remains its amount."""
    return Step(
        f"{name}{step.text}",
        None if step.quantity is None else EXACT.multiply(step.quantity, times),
        step.unit_price,
        None if step.amount is None else EXACT.multiply(step.amount, times),
    )


def _windows(count: int) -> str:
    return "1 window" if count == 1 else f"{count} windows"
