"""Pricing units in JSON, and prices that are in one."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import ConfigDict, Field

from lotus_server.domain.catalog import Conversion, PricingUnit
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.quantity import ONE
from lotus_server.usecases.pricing_units import PricingUnitDraft
from lotus_server.wire.forms import Form, Text, currency_row, required


class PricingUnitForm(Form):
    """A unit of the organization's own to be made."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"required": ["code", "name", "symbol"]})

    code: Text = Field(None, description="What components and charges call it.")
    name: Text = None
    symbol: Text = None

    def to_draft(self, problems: Problems) -> PricingUnitDraft:
        """Return the draft; it carries everything that is wrong with the form, besides what the use case will find."""
        return PricingUnitDraft(
            code=required(problems, "code", self.code),
            name=required(problems, "name", self.name),
            symbol=required(problems, "symbol", self.symbol),
            problems=problems.found,
        )


def pricing_unit_row(unit: PricingUnit) -> dict[str, Any]:
    """Return a pricing unit as it is shown."""
    return {"code": unit.code, "name": unit.name, "symbol": unit.symbol, "custom": True}


def conversion_of(
    given: object,
    rate: Decimal | None,
    problems: Problems,
    *,
    path: str,
    currency: str | None,
    key: str = "pricing_unit",
) -> Conversion | None:
    """Return what a price is in if it is not money: the unit named by a code, or by an object with one, and its rate.

    What is wrong is added to `problems`, below `path`. `currency` is the version's (null: not said), `key` the field
    that names the unit.
    """
    code = given.get("code") if isinstance(given, dict) else given
    if code is not None and not isinstance(code, str):
        problems.add(f"{path}{key}", "invalid", "A pricing unit is named by its code.")
        return None
    if code is None or code.upper() in CURRENCIES:
        if rate is not None:
            detail = "What is priced in money is not converted: name a pricing unit, or leave conversion_rate out."
            problems.add(f"{path}conversion_rate", "ambiguous", detail)
        if code is not None and code.upper() != currency:
            detail = "All prices of a version are in its currency, or in a pricing unit with a conversion_rate."
            problems.add(f"{path}{key}", "unsupported", detail)
        return None
    if rate is None:
        detail = "conversion_rate is required: what one unit costs in the version's currency."
        problems.add(f"{path}conversion_rate", "required", detail)
    return Conversion(code, ONE if rate is None else rate)


def priced_in(conversion: Conversion | None, currency: str, units: Mapping[str, PricingUnit]) -> dict[str, Any]:
    """Return the keys that say what a price is in; `units` has the pricing unit by its code."""
    if conversion is None:
        return {"pricing_unit": currency_row(currency), "conversion_rate": None}
    unit = units[conversion.unit]
    shown = {"code": unit.code, "name": unit.name, "symbol": unit.symbol}
    return {"pricing_unit": shown, "conversion_rate": conversion.rate}
