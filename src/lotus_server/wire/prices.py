"""Prices in JSON: `{"model": "graduated", "tiers": [...]}`, and what a price is shown as."""

from decimal import Decimal
from typing import Any, Final

from pydantic import Field

from lotus_server.domain.catalog import Graduated, Package, PerUnit, Price, Rounding, Tier, Volume
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.quantity import ONE, ZERO
from lotus_server.wire.forms import Form, Number, Text, choice
from lotus_server.wire.original_tiers import ROUNDINGS, TierForm, to_tiers

MODELS: Final = ("per_unit", "graduated", "volume", "package")
MODELS_TO_COME: Final = ("percentage", "graduated_percentage", "matrix", "dynamic")

_SPEND: Final = frozenset({"minimum_spend", "maximum_spend"})
_KEYS: Final = {
    "per_unit": _SPEND | {"unit_price", "free_units", "batch_size", "rounding"},
    "graduated": _SPEND | {"tiers"},
    "volume": _SPEND | {"tiers"},
    "package": _SPEND | {"package_size", "package_price", "free_units", "rounding"},
}
# Stands in for a price that cannot be read, so that the rest of the input can be looked at; its problem is reported.
UNREADABLE: Final = PerUnit(ZERO)


class PriceForm(Form):
    """A price. Which of the keys it has depends on `model`."""

    price_model: Text = Field(None, alias="model", description=f"One of {', '.join(MODELS)}.")
    unit_price: Number = Field(None, description="per_unit: the price of one batch.")
    free_units: Number = Field(None, description="per_unit, package: so many units cost nothing.")
    batch_size: Number = Field(None, description="per_unit: the number of units in one batch (1).")
    rounding: Text = Field(None, description="per_unit (none), package (up): what happens to a part of a batch.")
    tiers: list[TierForm] | None = Field(None, description="graduated, volume: ascending, the last without an end.")
    package_size: Number = Field(None, description="package: the number of units in one package.")
    package_price: Number = Field(None, description="package: the price of one package.")
    minimum_spend: Number = Field(None, description="The least that a period costs.")
    maximum_spend: Number = Field(None, description="The most that a period costs.")

    def to_price(self, problems: Problems, path: str = "") -> Price:
        """Return the price; what is missing or does not belong to its model is added to `problems`, below `path`."""
        model = self.price_model
        if model is None:
            problems.add(f"{path}model", "required", f"A price names its model, one of {', '.join(MODELS)}.")
            return UNREADABLE
        if model not in _KEYS:
            code = "unsupported" if model in MODELS_TO_COME else "invalid_choice"
            said = "is not supported yet" if model in MODELS_TO_COME else "is no price model"
            problems.add(f"{path}model", code, f"{model!r} {said}; there are {', '.join(MODELS)}.")
            return UNREADABLE
        for key in type(self).model_fields:
            if key != "price_model" and key not in _KEYS[model] and getattr(self, key) is not None:
                problems.add(f"{path}{key}", "not_for_model", f"A {model} price has no {key}.")
        spend = (self.minimum_spend, self.maximum_spend)
        match model:
            case "per_unit":
                rounding = choice(problems, f"{path}rounding", self.rounding, ROUNDINGS, Rounding.NONE)
                price = self._needed(problems, path, "unit_price")
                return PerUnit(price, self.free_units or ZERO, _or(self.batch_size, ONE), rounding, *spend)
            case "package":
                rounding = choice(problems, f"{path}rounding", self.rounding, ROUNDINGS, Rounding.UP)
                size, price = (self._needed(problems, path, key) for key in ("package_size", "package_price"))
                return Package(size, price, self.free_units or ZERO, rounding, *spend)
            case _:
                return self._tiered(model, problems, path)

    def _tiered(self, model: str, problems: Problems, path: str) -> Price:
        if self.tiers is None:
            problems.add(f"{path}tiers", "required", f"A {model} price needs tiers.")
            return UNREADABLE
        tiers, limit = to_tiers(self.tiers, problems, f"{path}tiers")
        if limit is not None:
            detail = "The last tier has no end; the limit of a component ends its usage."
            problems.add(f"{path}tiers[{len(self.tiers) - 1}].range_end", "last_tier_not_open", detail)
        if problems.any_below(f"{path}tiers"):
            return UNREADABLE
        kind = Graduated if model == "graduated" else Volume
        return kind(tiers, self.minimum_spend, self.maximum_spend)

    def _needed(self, problems: Problems, path: str, key: str) -> Decimal:
        value: Decimal | None = getattr(self, key)
        if value is None:
            problems.add(f"{path}{key}", "required", f"{key} is required.")
            return ONE
        return value


def _or(value: Decimal | None, default: Decimal) -> Decimal:
    return default if value is None else value


def price_row(price: Price) -> dict[str, Any]:
    """Return a price in the form in which it is given, every key of its model present."""
    spend = {"minimum_spend": price.minimum_spend, "maximum_spend": price.maximum_spend}
    if isinstance(price, PerUnit):
        return {
            "model": "per_unit",
            "unit_price": price.unit_price,
            "free_units": price.free_units,
            "batch_size": price.batch_size,
            "rounding": price.rounding.value,
            **spend,
        }
    if isinstance(price, Package):
        return {
            "model": "package",
            "package_size": price.package_size,
            "package_price": price.package_price,
            "free_units": price.free_units,
            "rounding": price.rounding.value,
            **spend,
        }
    model = "graduated" if isinstance(price, Graduated) else "volume"
    return {"model": model, "tiers": [_tier_row(tier) for tier in price.tiers], **spend}


def _tier_row(tier: Tier) -> dict[str, Any]:
    return {
        "up_to": tier.up_to,
        "unit_price": tier.unit_price,
        "flat_fee": tier.flat_fee,
        "batch_size": tier.batch_size,
        "rounding": tier.rounding.value,
    }
