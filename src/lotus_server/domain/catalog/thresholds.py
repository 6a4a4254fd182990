"""Spend thresholds: which of them an amount has reached, and what can be wrong with them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from lotus_server.domain.catalog.checks import check_amount
from lotus_server.domain.catalog.terms import SpendThreshold
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.quantity import EXACT, ZERO, add, multiply, subtract

THRESHOLDS_MAX: Final = 20


def threshold_reached(thresholds: Sequence[SpendThreshold], spent: Decimal) -> Decimal | None:
    """Return the greatest amount at which usage is invoiced that an amount has reached; null when it has reached none.

    An amount that is equal to a threshold has reached it.
    """
    once = [each.amount for each in thresholds if not each.is_recurring]
    reached = max((amount for amount in once if amount <= spent), default=None)
    base = max(once, default=ZERO)
    for each in thresholds:
        beyond = subtract(spent, base)
        if each.is_recurring and beyond >= each.amount:
            times = EXACT.divide_int(beyond, each.amount)
            return add(base, multiply(each.amount, times))
    return reached


def threshold_problems(thresholds: Sequence[SpendThreshold], field: str) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with the thresholds in a field."""
    found = Problems()
    if len(thresholds) > THRESHOLDS_MAX:
        found.add(field, "too_many", f"There are at most {THRESHOLDS_MAX} thresholds.")
        return found.found
    for index, each in enumerate(thresholds):
        check_amount(found, f"{field}[{index}].amount", each.amount)
        if each.amount == 0:
            found.add(f"{field}[{index}].amount", "not_positive", "A threshold is more than nothing.")
        if each in thresholds[:index]:
            found.add(f"{field}[{index}]", "duplicate", "This threshold is there already.")
    if sum(each.is_recurring for each in thresholds) > 1:
        found.add(field, "ambiguous", "There is at most one recurring threshold.")
    return found.found
