"""Prices in JSON: `{"model": "graduated", "tiers": [...]}`, and what a price is shown as."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from pydantic import Field

from lotus_server.domain.catalog import (
    CellPrice,
    DimensionValues,
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
from lotus_server.domain.metering import values_key
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.quantity import ONE, ZERO
from lotus_server.wire.forms import Form, Number, Text, choice, required
from lotus_server.wire.original_tiers import ROUNDINGS, TierForm, to_tiers

_SPEND: Final = frozenset({"minimum_spend", "maximum_spend"})
_KEYS: Final = {
    "per_unit": _SPEND | {"unit_price", "free_units", "batch_size", "rounding"},
    "graduated": _SPEND | {"tiers"},
    "volume": _SPEND | {"tiers"},
    "package": _SPEND | {"package_size", "package_price", "free_units", "rounding"},
    "percentage": _SPEND
    | {"rate_percent", "fixed_fee", "free_events", "free_amount", "min_per_event", "max_per_event"},
    "graduated_percentage": _SPEND | {"tiers"},
    "matrix": _SPEND | {"dimensions", "cells", "default"},
    "dynamic": _SPEND | {"amount_property", "multiplier"},
}
MODELS: Final = tuple(_KEYS)
# Stands in for a price that cannot be read, so that the rest of the input can be looked at; its problem is reported.
UNREADABLE: Final = PerUnit(ZERO)


class PriceTierForm(TierForm):
    """A tier of a price: that of units, or of amounts with `rate_percent`."""

    rate_percent: Number = Field(None, description="graduated_percentage: so many percent of the amount (0).")

    def to_percentage_tier(self, problems: Problems, path: str) -> PercentageTier:
        """Return the tier of a graduated percentage; keys that it has not are added to `problems`, below `path`."""
        for key in type(self).model_fields:
            if key not in {"up_to", "rate_percent", "flat_fee"} and getattr(self, key) is not None:
                name = "type" if key == "kind" else key
                problems.add(f"{path}{name}", "not_for_model", f"A tier of a graduated_percentage price has no {name}.")
        return PercentageTier(self.up_to, _or(self.rate_percent, ZERO), _or(self.flat_fee, ZERO))


class CellForm(Form):
    """The price of one group of a matrix."""

    when: dict[str, Any] | None = Field(None, description="The value of each dimension; null: the events lack it.")
    price: "PriceForm | None" = None

    def to_cell(self, dimensions: list[str] | None, problems: Problems, path: str) -> MatrixCell:
        """Return the cell; what is wrong with it is added to `problems`, below `path` (null: dimensions unknown)."""
        if self.when is None:
            problems.add(f"{path}when", "required", "A cell says in when which group it prices.")
        elif dimensions is not None:
            _check_when(self.when, dimensions, problems, f"{path}when.")
        if self.price is None:
            problems.add(f"{path}price", "required", "A cell has a price.")
        price = UNREADABLE if self.price is None else self.price.to_cell_price(problems, f"{path}price.")
        return MatrixCell(dimension_values(dimensions or (), self.when or {}), price)


class PriceForm(Form):
    """A price. Which of the keys it has depends on `model`."""

    price_model: Text = Field(None, alias="model", description=f"One of {', '.join(MODELS)}.")
    unit_price: Number = Field(None, description="per_unit: the price of one batch.")
    free_units: Number = Field(None, description="per_unit, package: so many units cost nothing.")
    batch_size: Number = Field(None, description="per_unit: the number of units in one batch (1).")
    rounding: Text = Field(None, description="per_unit (none), package (up): what happens to a part of a batch.")
    tiers: list[PriceTierForm] | None = Field(
        None, description="graduated, volume, graduated_percentage: ascending, the last without an end."
    )
    package_size: Number = Field(None, description="package: the number of units in one package.")
    package_price: Number = Field(None, description="package: the price of one package.")
    rate_percent: Number = Field(None, description="percentage: so many percent of the events' amounts.")
    fixed_fee: Number = Field(None, description="percentage: due for each event (0).")
    free_events: Number = Field(None, description="percentage: the first so many events of a period are free.")
    free_amount: Number = Field(None, description="percentage: the first so much of a period is free.")
    min_per_event: Number = Field(None, description="percentage: the least that an event costs, its fee included.")
    max_per_event: Number = Field(None, description="percentage: the most that an event costs, its fee included.")
    dimensions: list[str] | None = Field(None, description="matrix: the properties whose values have a price each.")
    cells: list[CellForm] | None = Field(None, description="matrix: the price of each group of values.")
    default: "PriceForm | None" = Field(None, description="matrix: the price of other groups; null: not charged.")
    amount_property: Text = Field(None, description="dynamic: the property of an event that says what it costs.")
    multiplier: Number = Field(None, description="dynamic: so many times the sum of the amounts is charged (1).")
    minimum_spend: Number = Field(None, description="The least that a period costs.")
    maximum_spend: Number = Field(None, description="The most that a period costs.")

    def to_price(self, problems: Problems, path: str = "") -> Price:
        """Return the price; what is missing or does not belong to its model is added to `problems`, below `path`."""
        model = self.price_model
        if model is None:
            problems.add(f"{path}model", "required", f"A price names its model, one of {', '.join(MODELS)}.")
            return UNREADABLE
        if model not in _KEYS:
            detail = f"{model!r} is no price model; there are {', '.join(MODELS)}."
            problems.add(f"{path}model", "invalid_choice", detail)
            return UNREADABLE
        for key in type(self).model_fields:
            if key != "price_model" and key not in _KEYS[model] and getattr(self, key) is not None:
                problems.add(f"{path}{key}", "not_for_model", f"A {model} price has no {key}.")
        return _READERS[model](self, problems, path)

    @property
    def spend(self) -> tuple[Decimal | None, Decimal | None]:
        """Return the minimum and the maximum spend."""
        return self.minimum_spend, self.maximum_spend

    def to_cell_price(self, problems: Problems, path: str) -> CellPrice:
        """Return the price within a matrix, which cannot be a matrix itself."""
        if self.price_model == "matrix":
            problems.add(f"{path}model", "not_for_model", "The price of a cell cannot be a matrix again.")
            return UNREADABLE
        price = self.to_price(problems, path)
        assert not isinstance(price, Matrix)
        return price

    def per_unit(self, problems: Problems, path: str) -> Price:
        """Return the per-unit price that the form describes."""
        rounding = choice(problems, f"{path}rounding", self.rounding, ROUNDINGS, Rounding.NONE)
        price = self._needed(problems, path, "unit_price")
        return PerUnit(price, self.free_units or ZERO, _or(self.batch_size, ONE), rounding, *self.spend)

    def package(self, problems: Problems, path: str) -> Price:
        """Return the package price that the form describes."""
        rounding = choice(problems, f"{path}rounding", self.rounding, ROUNDINGS, Rounding.UP)
        size, price = (self._needed(problems, path, key) for key in ("package_size", "package_price"))
        return Package(size, price, self.free_units or ZERO, rounding, *self.spend)

    def percentage(self, problems: Problems, path: str) -> Price:
        """Return the percentage that the form describes."""
        rate = self._needed(problems, path, "rate_percent")
        events = self.free_events
        if events is not None and events != events.to_integral_value():
            problems.add(f"{path}free_events", "invalid_number", "free_events must be a whole number.")
        return Percentage(
            rate,
            self.fixed_fee or ZERO,
            None if events is None else int(events),
            self.free_amount,
            self.min_per_event,
            self.max_per_event,
            *self.spend,
        )

    def dynamic(self, problems: Problems, path: str) -> Price:
        """Return the dynamic price that the form describes."""
        name = required(problems, f"{path}amount_property", self.amount_property)
        return Dynamic(name, _or(self.multiplier, ONE), *self.spend)

    def tiered(self, problems: Problems, path: str) -> Price:
        """Return the price with tiers that the form describes."""
        if self.tiers is None:
            problems.add(f"{path}tiers", "required", f"A {self.price_model} price needs tiers.")
            return UNREADABLE
        if self.price_model == "graduated_percentage":
            tiers = tuple(
                form.to_percentage_tier(problems, f"{path}tiers[{index}].") for index, form in enumerate(self.tiers)
            )
            return GraduatedPercentage(tiers, *self.spend)
        for index, form in enumerate(self.tiers):
            if form.rate_percent is not None:
                detail = f"A tier of a {self.price_model} price has no rate_percent."
                problems.add(f"{path}tiers[{index}].rate_percent", "not_for_model", detail)
        unit_tiers, limit = to_tiers(self.tiers, problems, f"{path}tiers")
        if limit is not None:
            detail = "The last tier has no end; the limit of a component ends its usage."
            problems.add(f"{path}tiers[{len(self.tiers) - 1}].range_end", "last_tier_not_open", detail)
        if problems.any_below(f"{path}tiers"):
            return UNREADABLE
        kind = Graduated if self.price_model == "graduated" else Volume
        return kind(unit_tiers, *self.spend)

    def matrix(self, problems: Problems, path: str) -> Price:
        """Return the matrix that the form describes."""
        if self.dimensions is None:
            problems.add(f"{path}dimensions", "required", "A matrix price names its dimensions.")
        cells = [
            form.to_cell(self.dimensions, problems, f"{path}cells[{i}].") for i, form in enumerate(self.cells or ())
        ]
        default = None if self.default is None else self.default.to_cell_price(problems, f"{path}default.")
        if self.dimensions is None:
            return UNREADABLE
        return Matrix(tuple(self.dimensions), tuple(cells), default, *self.spend)

    def _needed(self, problems: Problems, path: str, key: str) -> Decimal:
        value: Decimal | None = getattr(self, key)
        if value is None:
            problems.add(f"{path}{key}", "required", f"{key} is required.")
            return ONE
        return value


_READERS: Final[dict[str, Callable[[PriceForm, Problems, str], Price]]] = {
    "per_unit": PriceForm.per_unit,
    "graduated": PriceForm.tiered,
    "volume": PriceForm.tiered,
    "package": PriceForm.package,
    "percentage": PriceForm.percentage,
    "graduated_percentage": PriceForm.tiered,
    "matrix": PriceForm.matrix,
    "dynamic": PriceForm.dynamic,
}


def _check_when(when: dict[str, Any], dimensions: Sequence[str], problems: Problems, path: str) -> None:
    for name, value in when.items():
        if name not in dimensions:
            problems.add(f"{path}{name}", "invalid_choice", f"{name!r} is none of the dimensions.")
        elif isinstance(value, list | dict):
            problems.add(f"{path}{name}", "invalid", f"The value of {name!r} must be a text, a number or null.")
    for name in dimensions:
        if name not in when:
            problems.add(f"{path}{name}", "required", f"A cell has a value for {name!r}; null: the events lack it.")


def dimension_values(dimensions: Sequence[str], properties: dict[str, Any]) -> DimensionValues:
    """Return the values of an event's properties, or of a cell's `when`, by which a matrix knows its group."""
    if not dimensions:
        return ()
    return msgspec.json.decode(values_key(tuple(dimensions), properties), type=DimensionValues)


def _or(value: Decimal | None, default: Decimal) -> Decimal:
    return default if value is None else value


def price_row(price: Price) -> dict[str, Any]:
    """Return a price in the form in which it is given, every key of its model present."""
    spend = {"minimum_spend": price.minimum_spend, "maximum_spend": price.maximum_spend}
    return {**_terms_row(price), **spend}


def _terms_row(price: Price) -> dict[str, Any]:
    match price:
        case PerUnit():
            return {
                "model": "per_unit",
                "unit_price": price.unit_price,
                "free_units": price.free_units,
                "batch_size": price.batch_size,
                "rounding": price.rounding.value,
            }
        case Package():
            return {
                "model": "package",
                "package_size": price.package_size,
                "package_price": price.package_price,
                "free_units": price.free_units,
                "rounding": price.rounding.value,
            }
        case Percentage():
            keys = ("rate_percent", "fixed_fee", "free_events", "free_amount", "min_per_event", "max_per_event")
            return {"model": "percentage", **{key: getattr(price, key) for key in keys}}
        case GraduatedPercentage():
            tiers = [
                {"up_to": tier.up_to, "rate_percent": tier.rate_percent, "flat_fee": tier.flat_fee}
                for tier in price.tiers
            ]
            return {"model": "graduated_percentage", "tiers": tiers}
        case Dynamic():
            return {"model": "dynamic", "amount_property": price.amount_property, "multiplier": price.multiplier}
        case Matrix():
            return _matrix_row(price)
        case _:
            model = "graduated" if isinstance(price, Graduated) else "volume"
            return {"model": model, "tiers": [_tier_row(tier) for tier in price.tiers]}


def _matrix_row(price: Matrix) -> dict[str, Any]:
    cells = [
        {"when": dict(zip(price.dimensions, cell.when, strict=True)), "price": price_row(cell.price)}
        for cell in price.cells
    ]
    return {
        "model": "matrix",
        "dimensions": list(price.dimensions),
        "cells": cells,
        "default": None if price.default is None else price_row(price.default),
    }


def _tier_row(tier: Tier) -> dict[str, Any]:
    return {
        "up_to": tier.up_to,
        "unit_price": tier.unit_price,
        "flat_fee": tier.flat_fee,
        "batch_size": tier.batch_size,
        "rounding": tier.rounding.value,
    }
