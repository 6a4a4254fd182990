"""Recurring charges in JSON."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from lotus_server.domain.catalog import PricingUnit, Proration, RecurringCharge, Timing
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.quantity import ONE, ZERO
from lotus_server.usecases.plans import ChargeDraft
from lotus_server.wire.forms import Form, Number, Text, choice, required, unsupported
from lotus_server.wire.pricing_units import conversion_of, priced_in

_TIMINGS: Final = {timing.value: timing for timing in Timing}
_PRORATIONS: Final = {proration.value: proration for proration in Proration}
_NOT_SERVED: Final = (
    "invoicing_interval_unit",
    "invoicing_interval_count",
    "reset_interval_unit",
    "reset_interval_count",
)


class ChargeForm(Form):
    """A fixed amount for each billing period."""

    name: Text = None
    amount: Number = None
    timing: Text = Field(None, description="in_advance (default) or in_arrears.")
    charge_timing: Text = Field(None, description="Another name for timing.")
    proration: Text = Field(None, description="What a part of a period costs: prorate (default) or full.")
    charge_behavior: Text = Field(None, description="Another name for proration.")
    quantity: Number = Field(None, description="How many times the amount is charged (1).")
    pricing_unit: Any = Field(None, description="The code of a pricing unit, if the amount is not in money.")
    pricing_unit_code: Text = Field(None, description="Another name for pricing_unit.")
    conversion_rate: Number = Field(None, description="What one pricing unit costs in the version's currency.")
    invoicing_interval_unit: Any = None
    invoicing_interval_count: Any = None
    reset_interval_unit: Any = None
    reset_interval_count: Any = None

    def to_draft(self, problems: Problems, path: str, currency: str | None) -> ChargeDraft:
        """Return the draft; everything wrong with the form is added to `problems`, below `path`."""
        if self.amount is None:
            problems.add(f"{path}amount", "required", "amount is required.")
        for key in _NOT_SERVED:
            unsupported(problems, f"{path}{key}", getattr(self, key), f"{key} is not supported yet.")
        unit = self.pricing_unit if self.pricing_unit is not None else self.pricing_unit_code
        key = "pricing_unit" if self.pricing_unit is not None else "pricing_unit_code"
        conversion = conversion_of(unit, self.conversion_rate, problems, path=path, currency=currency, key=key)
        timing, timing_key = self.timing, "timing"
        if timing is None:
            timing, timing_key = self.charge_timing, "charge_timing"
        proration, proration_key = self.proration, "proration"
        if proration is None:
            proration, proration_key = self.charge_behavior, "charge_behavior"
        return ChargeDraft(
            name=required(problems, f"{path}name", self.name),
            amount=ZERO if self.amount is None else self.amount,
            timing=choice(problems, f"{path}{timing_key}", timing, _TIMINGS, Timing.IN_ADVANCE),
            proration=choice(problems, f"{path}{proration_key}", proration, _PRORATIONS, Proration.PRORATE),
            quantity=ONE if self.quantity is None else self.quantity,
            conversion=conversion,
        )


def charge_row(charge: RecurringCharge, currency: str, units: Mapping[str, PricingUnit]) -> dict[str, Any]:
    """Return a recurring charge as it is shown; `units` has the pricing unit that it is in, if any."""
    return {
        "charge_id": charge.charge_id,
        "name": charge.name,
        "amount": charge.amount,
        "timing": charge.timing.value,
        "proration": charge.proration.value,
        "quantity": charge.quantity,
        "charge_timing": charge.timing.value,
        "charge_behavior": charge.proration.value,
        **priced_in(charge.conversion, currency, units),
        "invoicing_interval_unit": None,
        "invoicing_interval_count": None,
        "reset_interval_unit": None,
        "reset_interval_count": None,
    }
