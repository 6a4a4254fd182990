"""Components in JSON: a metric and its price, in our form and in the two of the original system."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from pydantic import Field

from lotus_server.domain.catalog import (
    Component,
    Graduated,
    PerUnit,
    Prepaid,
    Price,
    PricingUnit,
    Proration,
    Rounding,
    Volume,
    free_units,
)
from lotus_server.domain.metering import Metric
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.period import Duration
from lotus_server.kernel.quantity import ONE, ZERO
from lotus_server.usecases.plans import ComponentDraft
from lotus_server.wire.forms import Form, Number, Text, choice
from lotus_server.wire.intervals import IntervalCount, interval_of, interval_row
from lotus_server.wire.metrics import metric_row
from lotus_server.wire.original_tiers import TierForm, as_tiers, original_rows, to_tiers
from lotus_server.wire.prices import UNREADABLE, PriceForm, price_row
from lotus_server.wire.pricing_units import conversion_of, priced_in

_BATCH_KEYS: Final = ("free_metric_units", "cost_per_batch", "metric_units_per_batch")


_PRORATIONS: Final = {proration.value: proration for proration in Proration}


class PrepaidForm(Form):
    """Units that are bought before they are used."""

    units: Number = Field(None, description="Bought with each period; when missing, each subscription says how many.")
    charge_behavior: Text = Field(None, description="Units held for a part of a period: prorate (default) or full.")

    def to_prepaid(self, problems: Problems, path: str) -> Prepaid:
        """Return the terms; what is wrong with them is added to `problems`, below `path`."""
        behavior = choice(problems, f"{path}charge_behavior", self.charge_behavior, _PRORATIONS, Proration.PRORATE)
        return Prepaid(self.units, behavior)


class ComponentForm(Form):
    """A metric that is sold: `metric_id`, `price`, `limit`, or the keys of the original system."""

    metric_id: Text = Field(None, description="The id of a metric, or the name of one that is not archived.")
    price: PriceForm | None = None
    limit: Number = Field(None, description="Usage at or above it is no longer allowed.")
    metric_name: Text = None
    billable_metric_name: Text = Field(None, description="Original form: the name of a metric.")
    tiers: list[TierForm] | None = Field(None, description="Original form: ranges; the end of the last is the limit.")
    bulk_pricing_enabled: bool | None = Field(None, description="Original form: volume instead of graduated tiers.")
    free_metric_units: Number = Field(None, description="Original form: so many units cost nothing.")
    cost_per_batch: Number = Field(None, description="Original form: the price of a batch; a batch begun is charged.")
    metric_units_per_batch: Number = Field(None, description="Original form: the number of units in one batch (1).")
    max_metric_units: Number = Field(None, description="Original form: the limit.")
    pricing_unit: Any = Field(None, description="The code of a pricing unit, if the price is not in money.")
    conversion_rate: Number = Field(None, description="What one pricing unit costs in the version's currency.")
    prepaid_charge: PrepaidForm | None = Field(None, description="Units are bought before they are used.")
    invoicing_interval_unit: Text = Field(
        None, description="How often its usage is invoiced: day, week, month, year; as the version says when missing."
    )
    invoicing_interval_count: IntervalCount = Field(None, description="So many of the unit (1).")
    reset_interval_unit: Text = Field(
        None, description="How often tiers, free units and limits begin anew; with the billing period when missing."
    )
    reset_interval_count: IntervalCount = Field(None, description="So many of the unit (1).")

    def to_draft(self, problems: Problems, path: str, currency: str | None = None) -> ComponentDraft:
        """Return the draft; everything wrong with the form is added to `problems`, below `path`."""
        metric = self.metric_id or self.metric_name or self.billable_metric_name
        if not metric:
            problems.add(f"{path}metric_id", "required", "A component names its metric.")
        price, end = self._price(problems, path)
        limits = {value for value in (self.limit, self.max_metric_units, end) if value is not None}
        if len(limits) > 1:
            problems.add(f"{path}limit", "ambiguous", "The limit, and the end of the last tier, are not the same.")
        prepaid = self.prepaid_charge
        return ComponentDraft(
            metric or "",
            price,
            max(limits, default=None),
            None if prepaid is None else prepaid.to_prepaid(problems, f"{path}prepaid_charge."),
            conversion_of(self.pricing_unit, self.conversion_rate, problems, path=path, currency=currency),
            self._interval(problems, path, "invoicing_interval"),
            self._interval(problems, path, "reset_interval"),
        )

    def _interval(self, problems: Problems, path: str, field: str) -> Duration | None:
        unit, count = getattr(self, f"{field}_unit"), getattr(self, f"{field}_count")
        return interval_of(problems, f"{path}{field}", unit, count)

    def _price(self, problems: Problems, path: str) -> tuple[Price, Decimal | None]:
        """Return the price, and the limit that the original's last tier sets."""
        has_batches = any(getattr(self, key) is not None for key in _BATCH_KEYS)
        forms = [self.price is not None, self.tiers is not None, has_batches]
        if sum(forms) > 1:
            detail = "A component has one price: price, tiers, or cost_per_batch."
            problems.add(f"{path}price", "ambiguous", detail)
            return UNREADABLE, None
        if self.price is not None:
            return self.price.to_price(problems, f"{path}price."), None
        if self.tiers is not None:
            return self._tiered(self.tiers, problems, f"{path}tiers")
        if has_batches or self.billable_metric_name is not None:
            return self._batched(problems, path), None
        problems.add(f"{path}price", "required", "A component has a price.")
        return UNREADABLE, None

    def _tiered(self, forms: list[TierForm], problems: Problems, path: str) -> tuple[Price, Decimal | None]:
        if not forms:
            problems.add(path, "required", "A tiered price has at least one tier.")
            return UNREADABLE, None
        tiers, end = to_tiers(forms, problems, path)
        if problems.any_below(path):
            return UNREADABLE, None
        return (Volume(tiers) if self.bulk_pricing_enabled else Graduated(tiers)), end

    def _batched(self, problems: Problems, path: str) -> Price:
        """Return the price of the first original: a batch begun beyond the free units is charged, at 0 if unnamed."""
        size = ONE if self.metric_units_per_batch is None else self.metric_units_per_batch
        for key in ("free_metric_units", "cost_per_batch"):
            value: Decimal | None = getattr(self, key)
            if value is not None and value < 0:
                problems.add(f"{path}{key}", "negative", f"{key} must not be negative.")
                return UNREADABLE
        if size <= 0:
            problems.add(f"{path}metric_units_per_batch", "not_positive", "metric_units_per_batch must be above 0.")
            return UNREADABLE
        return PerUnit(self.cost_per_batch or ZERO, self.free_metric_units or ZERO, size, Rounding.UP)


def component_row(
    component: Component, metric: Metric, currency: str, units: Mapping[str, PricingUnit] | None = None
) -> dict[str, Any]:
    """Return a component as it is shown: our form, and the two of the original system beside it.

    What the original's forms cannot say is null there; `price` says it all. `units` has the pricing unit that it is
    priced in, if any.
    """
    tiers = as_tiers(component.price)
    paid = [tier for tier in tiers if not tier.is_free]
    in_batches = paid[0] if len(paid) == 1 and not paid[0].flat_fee else None
    is_free = bool(tiers) and not paid
    return {
        "component_id": component.component_id,
        "id": component.component_id,
        "metric_id": metric.metric_id,
        "metric_name": metric.metric_name,
        "billable_metric": metric_row(metric),
        "billable_metric_name": metric.metric_name,
        "price": price_row(component.price),
        "limit": component.limit,
        "tiers": original_rows(component.price, component.limit),
        "bulk_pricing_enabled": isinstance(component.price, Volume),
        **priced_in(component.conversion, currency, units or {}),
        "free_metric_units": free_units(component.price),
        "cost_per_batch": in_batches.unit_price if in_batches else ZERO if is_free else None,
        "metric_units_per_batch": in_batches.batch_size if in_batches else ONE if is_free else None,
        "max_metric_units": component.limit,
        "prepaid_charge": _prepaid_row(component.prepaid),
        **interval_row("invoicing_interval", component.invoicing_interval),
        **interval_row("reset_interval", component.reset_interval),
    }


def _prepaid_row(prepaid: Prepaid | None) -> dict[str, Any] | None:
    return None if prepaid is None else {"units": prepaid.units, "charge_behavior": prepaid.proration.value}
