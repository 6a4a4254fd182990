"""Tiers in JSON, in our form (`up_to`, `unit_price`, `flat_fee`) and in that of the original system.

The original's tiers are `free`, `flat` or `per_unit` ranges that either touch (0-50, 50-100) or are stepped by one
(0-50, 51-100); the last may end, and then usage beyond it was not charged and not allowed.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from pydantic import Field

from lotus_server.domain.catalog import (
    Graduated,
    GraduatedPercentage,
    Package,
    Percentage,
    PerUnit,
    Price,
    Rounding,
    Tier,
    Volume,
    needs_only_quantity,
)
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.quantity import ONE, ZERO, multiply, plain, subtract
from lotus_server.wire.forms import Form, Number, Text, choice

_ORIGINAL_ROUNDINGS: Final = {
    "round_up": Rounding.UP,
    "round_down": Rounding.DOWN,
    "round_nearest": Rounding.NEAREST,
    "no_rounding": Rounding.NONE,
}
ROUNDINGS: Final = {rounding.value: rounding for rounding in Rounding} | _ORIGINAL_ROUNDINGS
_ORIGINAL_NAMES: Final = {rounding: name for name, rounding in _ORIGINAL_ROUNDINGS.items()}
_PERCENT: Final = Decimal("0.01")
_OWN_KEYS: Final = ("up_to", "unit_price", "flat_fee", "batch_size", "rounding")
_ORIGINAL_KEYS: Final = (
    "kind", "range_start", "range_end", "cost_per_batch", "metric_units_per_batch", "batch_rounding_type",
)  # fmt: skip


class TierForm(Form):
    """A tier: `up_to`, `unit_price`, `flat_fee`, `batch_size`, `rounding`, or the keys of the original system."""

    up_to: Number = Field(None, description="The last quantity of the tier; null in the last one.")
    unit_price: Number = Field(None, description="The price of one batch in this tier (0).")
    flat_fee: Number = Field(None, description="Due once when the tier is reached, in the first one always (0).")
    batch_size: Number = Field(None, description="The number of units in one batch (1).")
    rounding: Text = Field(None, description="What happens to a part of a batch: up, down, nearest or none (none).")
    kind: Text = Field(None, alias="type", description="Original form: free, flat or per_unit.")
    range_start: Number = Field(None, description="Original form: where the tier begins.")
    range_end: Number = Field(None, description="Original form: where it ends; null only in the last one.")
    cost_per_batch: Number = Field(None, description="Original form: the price of one batch, or the flat fee.")
    metric_units_per_batch: Number = Field(None, description="Original form: the number of units in one batch (1).")
    batch_rounding_type: Text = Field(None, description=f"Original form: {', '.join(_ORIGINAL_ROUNDINGS)}.")

    def has_any(self, keys: tuple[str, ...]) -> bool:
        """Tell whether any of the keys was given a value."""
        return any(getattr(self, key) is not None for key in keys)


def to_tiers(forms: Sequence[TierForm], problems: Problems, path: str) -> tuple[tuple[Tier, ...], Decimal | None]:
    """Return the tiers, and the limit that the end of the original's last range is (null: none).

    What cannot be understood is added to `problems` below `path`.
    """
    if not any(form.has_any(_ORIGINAL_KEYS) for form in forms):
        return tuple(_own(form, problems, f"{path}[{index}].") for index, form in enumerate(forms)), None
    for index, form in enumerate(forms):
        if form.has_any(_OWN_KEYS):
            problems.add(f"{path}[{index}]", "ambiguous", "A price uses one form of tiers: up_to, or range_start.")
    return _from_original(forms, problems, path)


def _own(form: TierForm, problems: Problems, path: str) -> Tier:
    return Tier(
        form.up_to,
        ZERO if form.unit_price is None else form.unit_price,
        ZERO if form.flat_fee is None else form.flat_fee,
        ONE if form.batch_size is None else form.batch_size,
        choice(problems, f"{path}rounding", form.rounding, ROUNDINGS, Rounding.NONE),
    )


def _from_original(forms: Sequence[TierForm], problems: Problems, path: str) -> tuple[tuple[Tier, ...], Decimal | None]:
    _check_ranges(forms, problems, path)
    tiers = [_original(form, problems, f"{path}[{index}].") for index, form in enumerate(forms)]
    limit = forms[-1].range_end
    if limit is not None:
        # What lay beyond the last range cost nothing more: it was not to be used at all, which the limit sees to.
        tiers.append(Tier())
    return _without_repeated_free(tiers), limit


def _without_repeated_free(tiers: list[Tier]) -> tuple[Tier, ...]:
    kept: list[Tier] = []
    for tier in tiers:
        if kept and kept[-1].is_free and tier.is_free:
            kept.pop()
        kept.append(tier)
    return tuple(kept)


def _check_ranges(forms: Sequence[TierForm], problems: Problems, path: str) -> None:
    """Report ranges that do not begin at 0, leave gaps or overlap, and ends that are missing."""
    first = forms[0].range_start
    if first is not None and first != 0:
        problems.add(f"{path}[0].range_start", "not_contiguous", "The first tier starts at 0.")
    steps: set[Decimal] = set()
    for index, (before, form) in enumerate(pairwise(forms), start=1):
        if before.range_end is None:
            problems.add(f"{path}[{index - 1}].range_end", "required", "Only the last tier may be without an end.")
        elif form.range_start is None:
            problems.add(f"{path}[{index}].range_start", "required", "A tier has a range_start.")
        else:
            steps.add(subtract(form.range_start, before.range_end))
            if len(steps) > 1 or not steps <= {ZERO, ONE}:
                end = plain(before.range_end)
                detail = f"The tier before ends at {end}: ranges all touch, or all start 1 above the end before."
                problems.add(f"{path}[{index}].range_start", "not_contiguous", detail)
    for index, form in enumerate(forms):
        if form.range_end is not None and form.range_end <= (form.range_start or ZERO):
            problems.add(f"{path}[{index}].range_end", "not_ascending", "A tier ends above its start.")


def _original(form: TierForm, problems: Problems, path: str) -> Tier:
    cost = form.cost_per_batch
    if cost is not None and cost < 0:
        problems.add(f"{path}cost_per_batch", "negative", "cost_per_batch must not be negative.")
    if form.kind not in {"free", "flat", "per_unit"}:
        problems.add(f"{path}type", "invalid_choice", "type must be one of free, flat, per_unit.")
    elif form.kind == "free":
        if cost:
            problems.add(f"{path}cost_per_batch", "not_for_type", "A free tier costs nothing.")
        return Tier(form.range_end)
    elif cost is None:
        problems.add(f"{path}cost_per_batch", "required", f"A {form.kind} tier has a cost_per_batch.")
    elif form.kind == "flat":
        return Tier(form.range_end, flat_fee=cost)
    rounding = choice(problems, f"{path}batch_rounding_type", form.batch_rounding_type, ROUNDINGS, Rounding.NONE)
    size = ONE if form.metric_units_per_batch is None else form.metric_units_per_batch
    if size <= 0:
        problems.add(f"{path}metric_units_per_batch", "not_positive", "metric_units_per_batch must be greater than 0.")
    return Tier(form.range_end, ZERO if cost is None else cost, batch_size=size, rounding=rounding)


def original_rows(price: Price, limit: Decimal | None) -> list[dict[str, Any]]:
    """Return a price as the original's tiers; a tier that also has a flat fee has it under the key `flat_fee`."""
    rows: list[dict[str, Any]] = []
    start = ZERO
    for tier in as_tiers(price):
        if start and start == limit and tier.is_free and tier.up_to is None:
            break  # what lies beyond the limit is not a range of the original
        end = limit if tier.up_to is None and limit is not None and limit > start else tier.up_to
        kind = "per_unit" if tier.unit_price else "flat" if tier.flat_fee else "free"
        rows.append(
            {
                "type": kind,
                "range_start": start,
                "range_end": end,
                "cost_per_batch": {"per_unit": tier.unit_price, "flat": tier.flat_fee, "free": ZERO}[kind],
                "metric_units_per_batch": tier.batch_size,
                "batch_rounding_type": _ORIGINAL_NAMES[tier.rounding],
                "flat_fee": tier.flat_fee,
            }
        )
        if tier.up_to is not None:
            start = tier.up_to
    return rows


def as_tiers(price: Price) -> tuple[Tier, ...]:
    """Return a price as tiers that cost the same when graduated, spend limits aside; of a volume price, its own.

    None for a price that needs more than a quantity: no tiers cost the same.
    """
    if isinstance(price, PerUnit):
        return _after_free(price.free_units, Tier(None, price.unit_price, ZERO, price.batch_size, price.rounding))
    if isinstance(price, Package):
        return _after_free(price.free_units, Tier(None, price.package_price, ZERO, price.package_size, price.rounding))
    if isinstance(price, GraduatedPercentage):
        return tuple(Tier(tier.up_to, multiply(tier.rate_percent, _PERCENT), tier.flat_fee) for tier in price.tiers)
    if isinstance(price, Graduated | Volume):
        return price.tiers
    if isinstance(price, Percentage) and needs_only_quantity(price):
        return _after_free(price.free_amount or ZERO, Tier(None, multiply(price.rate_percent, _PERCENT)))
    return ()


def _after_free(free_units: Decimal, paid: Tier) -> tuple[Tier, ...]:
    return (Tier(free_units), paid) if free_units else (paid,)
