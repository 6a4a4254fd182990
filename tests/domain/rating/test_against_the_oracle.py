"""Rating agrees with brute force over fractions on thousands of random prices."""

import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from lotus_server.domain.catalog import Graduated, Package, PerUnit, Price, Rounding, Tier, Volume
from lotus_server.domain.rating import rate
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.money import round_to_minor_unit
from tests.domain.rating import oracle

CASES = 2_000
EXACT_BELOW = Fraction(1, 10**85)


def _number(source: random.Random, below: int, places: int) -> Decimal:
    return Decimal(source.randrange(below * 10**places)).scaleb(-places)


def _maybe(source: random.Random, value: Decimal) -> Decimal:
    """Zero, one time in three: prices with a fee but no unit price, and so on, are where mistakes live."""
    return Decimal(0) if source.random() < 0.34 else value


def _tier(source: random.Random, end: Decimal | None) -> Tier:
    return Tier(
        end,
        _maybe(source, _number(source, 20, source.randrange(5))),
        _maybe(source, _number(source, 50, 2)),
        source.choice([Decimal(1), Decimal(3), Decimal(10), Decimal("2.5"), Decimal(7)]),
        source.choice(list(Rounding)),
    )


def _price(source: random.Random, model: str) -> Price:
    minimum = _number(source, 400, 2) if source.random() < 0.2 else None
    maximum = (minimum or Decimal(0)) + _number(source, 900, 2) if source.random() < 0.2 else None
    rounding = source.choice(list(Rounding))
    free = _maybe(source, _number(source, 100, source.randrange(2)))
    size = source.choice([Decimal(1), Decimal(3), Decimal(10), Decimal("2.5"), Decimal(7)])
    if model == "per_unit":
        return PerUnit(_number(source, 20, 4), free, size, rounding, minimum, maximum)
    if model == "package":
        return Package(size, _number(source, 20, 4), free, rounding, minimum, maximum)
    ends = sorted({_number(source, 300, source.randrange(2)) + 1 for _ in range(source.randrange(5))})
    tiers = tuple(_tier(source, end) for end in [*ends, None])
    return (Graduated if model == "graduated" else Volume)(tiers, minimum, maximum)


def _as_fractions(value: Any) -> Any:  # noqa: ANN401 - any part of a price  # noqa: ANN401 - any part of a price
    if isinstance(value, Decimal):
        return Fraction(value)
    if isinstance(value, tuple):
        return [_as_fractions(member) for member in value]
    if isinstance(value, Tier | PerUnit | Package | Graduated | Volume):
        return {field: _as_fractions(getattr(value, field)) for field in value.__struct_fields__}
    return value.value if isinstance(value, Rounding) else value


def _quantities(source: random.Random, price: Price) -> list[Decimal]:
    """Some anywhere, and those where tiers meet: at an end, just below and just above it."""
    found = [Decimal(0), _number(source, 400, source.randrange(3))]
    if isinstance(price, Graduated | Volume):
        ends = [tier.up_to for tier in price.tiers if tier.up_to is not None]
        found += [end + step for end in ends for step in (Decimal("-0.01"), Decimal(0), Decimal("0.01"))]
    return found


@pytest.mark.parametrize("model", ["per_unit", "graduated", "volume", "package"])
def test_a_price_costs_what_brute_force_says(model: str) -> None:
    source = random.Random(f"{model} 2026")
    usd = CURRENCIES["USD"]
    for _ in range(CASES // 4):
        price = _price(source, model)
        for quantity in _quantities(source, price):
            expected = oracle.cost({"model": model, **_as_fractions(price)}, Fraction(quantity))
            rated = rate(price, quantity)

            assert abs(expected - Fraction(rated.amount)) < EXACT_BELOW, (price, quantity)
            cents = Fraction(round_to_minor_unit(rated.amount, usd))
            assert oracle.rounded(expected, 2) == cents, (price, quantity)
