"""Checks of single values, which add what is wrong to the problems of the thing that they are part of."""

from decimal import Decimal
from typing import Final

from lotus_server.kernel.errors import Problems
from lotus_server.kernel.identifiers import name_problem
from lotus_server.kernel.quantity import DIVISION, in_range

AMOUNT_LIMIT: Final = Decimal(10) ** 15
RATE_LIMIT: Final = Decimal(10) ** 9
BATCH_SIZE_MIN: Final = Decimal(10) ** -6
DESCRIPTION_LENGTH_MAX: Final = 2_000
_RATE_STEP: Final = Decimal(10) ** -15


def description_problem(text: str) -> str | None:
    """Return why a text cannot be a description, as the end of a sentence; it may be empty and have line breaks."""
    if len(text) > DESCRIPTION_LENGTH_MAX:
        return f"must have at most {DESCRIPTION_LENGTH_MAX} characters"
    inner = text.translate({0x09: None, 0x0A: None, 0x0D: None}).strip()
    return name_problem(inner, length_max=DESCRIPTION_LENGTH_MAX) if inner else None


def check_text(found: Problems, field: str, problem: str | None) -> None:
    """Add why a text cannot be what the field takes, given as the end of a sentence (null: it can)."""
    if problem:
        found.add(field, "invalid", f"{field} {problem}.")


def check_amount(found: Problems, field: str, amount: Decimal) -> None:
    """Check an amount of money: not negative, below 10^15 major units."""
    if not in_range(amount) or amount >= AMOUNT_LIMIT:
        found.add(field, "out_of_range", f"{field} must be below 10^15, with at most 30 decimal places.")
    elif amount < 0:
        found.add(field, "negative", f"{field} must not be negative.")


def check_rate(found: Problems, rate: Decimal) -> None:
    """Check what a pricing unit costs: more than nothing, so few digits that any rated amount times it is exact."""
    if not in_range(rate) or rate >= RATE_LIMIT:
        found.add("conversion_rate", "out_of_range", "conversion_rate must be below 10^9.")
    elif rate <= 0:
        found.add("conversion_rate", "not_positive", "conversion_rate must be greater than 0.")
    elif rate != rate.quantize(_RATE_STEP, context=DIVISION):
        found.add("conversion_rate", "too_precise", "conversion_rate must have at most 15 decimal places.")


def check_quantity(found: Problems, field: str, quantity: Decimal) -> bool:
    """Check a number of units: not negative, within the digits that are exact. Tell whether it passed."""
    if not in_range(quantity):
        found.add(field, "out_of_range", f"{field} must have at most 30 digits before and 30 after the decimal point.")
    elif quantity < 0:
        found.add(field, "negative", f"{field} must not be negative.")
    else:
        return True
    return False


def check_batch(found: Problems, field: str, size: Decimal) -> None:
    """Check the size of a batch: positive, and not so small or large that a division would need too many digits."""
    if in_range(size) and size <= 0:
        found.add(field, "not_positive", f"{field} must be greater than 0.")
    elif not in_range(size) or not BATCH_SIZE_MIN <= size < AMOUNT_LIMIT:
        found.add(field, "out_of_range", f"{field} must be at least 0.000001 and below 10^15.")


def check_limits(found: Problems, lower: str, minimum: Decimal | None, upper: str, maximum: Decimal | None) -> None:
    """Check two amounts (null: no such limit) of which one bounds from below and one from above."""
    given = {field: limit for field, limit in ((lower, minimum), (upper, maximum)) if limit is not None}
    for field, limit in given.items():
        check_amount(found, field, limit)
    if len(given) == 2 and all(map(in_range, given.values())) and given[lower] > given[upper]:
        found.add(upper, "below_minimum", f"{upper} must not be below {lower}.")
