"""What versions have beside charges and components, in JSON: adjustments, commitments, features with values."""

from decimal import Decimal
from typing import Any, Final

from pydantic import Field

from lotus_server.domain.catalog import AdjustmentKind, Commitment, Feature, FeatureValue, PriceAdjustment
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.quantity import ONE, ZERO
from lotus_server.usecases.plans import GrantedFeature
from lotus_server.wire.features import feature_row
from lotus_server.wire.forms import Form, Number, Text, choice

_KINDS: Final = {kind.value: kind for kind in AdjustmentKind}


class AdjustmentForm(Form):
    """A discount or surcharge on every invoice; each key also with `price_adjustment_` before it."""

    kind: Text = Field(None, alias="type", description=f"One of {', '.join(AdjustmentKind)}.")
    amount: Number = Field(None, description="Percent, or money; negative for a discount.")
    name: Text = None
    description: Text = None
    price_adjustment_type: Text = None
    price_adjustment_amount: Number = None
    price_adjustment_name: Text = None
    price_adjustment_description: Text = None

    def to_adjustment(self, problems: Problems, path: str) -> PriceAdjustment:
        """Return the adjustment; what is wrong with it is added to `problems`, below `path`."""
        kind = self.kind if self.kind is not None else self.price_adjustment_type
        amount = self.amount if self.amount is not None else self.price_adjustment_amount
        if kind is None:
            problems.add(f"{path}type", "required", "type is required.")
        if amount is None:
            problems.add(f"{path}amount", "required", "amount is required.")
        return PriceAdjustment(
            choice(problems, f"{path}type", kind, _KINDS, AdjustmentKind.FIXED),
            ZERO if amount is None else amount,
            self.name or self.price_adjustment_name or "",
            self.description or self.price_adjustment_description or "",
        )


class CommitmentForm(Form):
    """The least that a whole billing period comes to."""

    amount: Number = Field(None, description="Of a whole billing period; a part of one counts by its length.")
    overage_factor: Number = Field(None, description="So many times its price costs what is used beyond it (1).")
    includes_recurring_charges: bool | None = Field(None, description="Recurring charges count towards it (true).")

    def to_commitment(self, problems: Problems, path: str) -> Commitment:
        """Return the commitment; what is wrong with it is added to `problems`, below `path`."""
        if self.amount is None:
            problems.add(f"{path}amount", "required", "amount is required.")
        return Commitment(
            ZERO if self.amount is None else self.amount,
            ONE if self.overage_factor is None else self.overage_factor,
            self.includes_recurring_charges is not False,
        )


def granted_feature(given: object, index: int, problems: Problems) -> GrantedFeature:
    """Return a feature of a version: its id or name, alone or within an object that may have a `value`."""
    name, value = given, True
    if isinstance(given, dict):
        name = given.get("feature_id") or given.get("feature_name")
        value = given.get("value", True)
    if not isinstance(name, str):
        problems.add(f"features[{index}]", "invalid", "A feature is named by its id or its name.")
        return GrantedFeature("")
    return GrantedFeature(name, _value(value, index, problems))


def _value(value: object, index: int, problems: Problems) -> FeatureValue:
    if value is None:
        return True
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, bool | Decimal | str):
        return value
    problems.add(f"features[{index}].value", "invalid", "value must be true, false, a number or a text.")
    return True


def granted_row(feature: Feature, value: FeatureValue) -> dict[str, Any]:
    """Return a feature as a version shows it."""
    return {**feature_row(feature), "value": value}


def adjustment_row(adjustment: PriceAdjustment | None) -> dict[str, Any] | None:
    """Return an adjustment as it is shown, with the keys of both forms."""
    if adjustment is None:
        return None
    row = {
        "type": adjustment.kind.value,
        "amount": adjustment.amount,
        "name": adjustment.name,
        "description": adjustment.description,
    }
    return row | {f"price_adjustment_{key}": value for key, value in row.items()}


def commitment_row(commitment: Commitment | None) -> dict[str, Any] | None:
    """Return a commitment as it is shown."""
    if commitment is None:
        return None
    return {
        "amount": commitment.amount,
        "overage_factor": commitment.overage_factor,
        "includes_recurring_charges": commitment.includes_recurring_charges,
    }
