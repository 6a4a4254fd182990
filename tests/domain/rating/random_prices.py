"""Random prices from a seeded source, and a price as the dictionary of fractions that the oracle reads."""

import random
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

import msgspec

from lotus_server.domain.catalog import (
    CellPrice,
    Dynamic,
    Graduated,
    GraduatedPercentage,
    Matrix,
    MatrixCell,
    Package,
    Percentage,
    PercentageTier,
    PerUnit,
    Rounding,
    Tier,
    Volume,
)

QUANTITY_MODELS = ("per_unit", "graduated", "volume", "package", "graduated_percentage", "dynamic")
DIMENSIONS = ("model", "region")


def number(source: random.Random, below: int, places: int) -> Decimal:
    return Decimal(source.randrange(below * 10**places)).scaleb(-places)


def maybe(source: random.Random, value: Decimal) -> Decimal:
    """Zero, one time in three: prices with a fee but no unit price, and so on, are where mistakes live."""
    return Decimal(0) if source.random() < 0.34 else value


def _tier(source: random.Random, end: Decimal | None) -> Tier:
    return Tier(
        end,
        maybe(source, number(source, 20, source.randrange(5))),
        maybe(source, number(source, 50, 2)),
        source.choice([Decimal(1), Decimal(3), Decimal(10), Decimal("2.5"), Decimal(7)]),
        source.choice(list(Rounding)),
    )


def _spend(source: random.Random) -> tuple[Decimal | None, Decimal | None]:
    minimum = number(source, 400, 2) if source.random() < 0.2 else None
    maximum = (minimum or Decimal(0)) + number(source, 900, 2) if source.random() < 0.2 else None
    return minimum, maximum


def price_of(source: random.Random, model: str) -> CellPrice:
    """A random price of a model, with a minimum and a maximum spend one time in five each."""
    spend = _spend(source)
    rounding = source.choice(list(Rounding))
    free = maybe(source, number(source, 100, source.randrange(2)))
    size = source.choice([Decimal(1), Decimal(3), Decimal(10), Decimal("2.5"), Decimal(7)])
    if model == "per_unit":
        return PerUnit(number(source, 20, 4), free, size, rounding, *spend)
    if model == "package":
        return Package(size, number(source, 20, 4), free, rounding, *spend)
    if model == "dynamic":
        return Dynamic("cost", number(source, 3, 3), *spend)
    if model == "percentage":
        return _percentage(source, spend)
    ends = [*sorted({number(source, 300, source.randrange(2)) + 1 for _ in range(source.randrange(5))}), None]
    if model == "graduated_percentage":
        return GraduatedPercentage(tuple(_percentage_tier(source, end) for end in ends), *spend)
    return (Graduated if model == "graduated" else Volume)(tuple(_tier(source, end) for end in ends), *spend)


def _percentage_tier(source: random.Random, end: Decimal | None) -> PercentageTier:
    return PercentageTier(end, maybe(source, number(source, 20, 3)), maybe(source, number(source, 50, 2)))


def _percentage(source: random.Random, spend: tuple[Decimal | None, Decimal | None]) -> Percentage:
    minimum = number(source, 3, 2) if source.random() < 0.4 else None
    return Percentage(
        maybe(source, number(source, 20, 3)),
        maybe(source, number(source, 3, 2)),
        source.randrange(1, 8) if source.random() < 0.5 else None,
        number(source, 300, source.randrange(2)) + 1 if source.random() < 0.5 else None,
        minimum,
        (minimum or Decimal(0)) + number(source, 5, 2) if source.random() < 0.4 else None,
        *spend,
    )


def matrix_of(source: random.Random) -> Matrix:
    """A random matrix over two dimensions, the prices of its cells of every model."""
    models = (*QUANTITY_MODELS, "percentage")
    groups = [(one, other) for one in "abc" for other in ("eu", "us")]
    cells = [
        MatrixCell(group, price_of(source, source.choice(models)))
        for group in source.sample(groups, source.randrange(len(groups)))
    ]
    default = price_of(source, source.choice(models)) if source.random() < 0.5 or not cells else None
    return Matrix(DIMENSIONS, tuple(cells), default, *_spend(source))


def as_fractions(value: Any) -> Any:  # noqa: ANN401 - any part of a price
    """A price as plain dictionaries and lists, its numbers as fractions."""
    if isinstance(value, Decimal):
        return Fraction(value)
    if isinstance(value, tuple):
        return [as_fractions(member) for member in value]
    if isinstance(value, msgspec.Struct):
        fields = {field: as_fractions(getattr(value, field)) for field in value.__struct_fields__}
        return {"model": value.__struct_config__.tag, **fields}
    return value.value if isinstance(value, StrEnum) else value
