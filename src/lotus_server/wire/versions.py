"""Versions of plans and add-ons in JSON."""

from typing import Any, Final

from msgspec import UNSET
from pydantic import Field

from lotus_server.domain.catalog import PlanVersion, Proration, ProrationUnit, Timing, VersionStatus
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.usecases.plan_versions import Replace, VersionChange
from lotus_server.usecases.plans import ChargeDraft, PlanView, VersionDraft
from lotus_server.wire.calendars import Anchor, calendar_of, calendar_row
from lotus_server.wire.charges import ChargeForm, charge_row
from lotus_server.wire.components import ComponentForm, component_row
from lotus_server.wire.fields import instant
from lotus_server.wire.forms import Form, Number, Text, choice, currency_code, currency_row, unsupported
from lotus_server.wire.intervals import ThresholdForm, frequency_text, threshold_rows, usage_invoicing_of
from lotus_server.wire.terms import (
    AdjustmentForm,
    CommitmentForm,
    adjustment_row,
    commitment_row,
    granted_feature,
    granted_row,
)

FLAT_FEE_NAME: Final = "Flat Fee"
_UNITS: Final = {unit.value: unit for unit in ProrationUnit}
_REPLACES: Final = {replace.value: replace for replace in Replace}
# Keys of the original system that change what is charged, and are not served yet.
_NOT_SERVED: Final = ("transition_to_plan_id",)


class VersionForm(Form):
    """The terms of a version to be made."""

    version_id: Text = Field(None, description="Made when missing.")
    currency: Any = Field(None, description="An ISO 4217 code; the organization's when missing.")
    currency_code: Any = Field(None, description="Another name for currency.")
    recurring_charges: list[ChargeForm] | None = None
    flat_rate: Number = Field(None, description="Original form: one recurring charge of this amount.")
    pay_in_advance: bool | None = Field(None, description="Original form: when flat_rate is charged (false).")
    flat_fee_billing_type: Text = Field(None, description="Original form: in_advance or in_arrears.")
    components: list[ComponentForm] | None = None
    features: list[Any] | None = Field(
        None, description="Ids or names of features, or objects with feature_id or feature_name and a value."
    )
    trial_days: int | None = Field(None, description="For so many days from the start nothing is charged (0).")
    replace: Text = Field(
        None,
        description="Which subscriptions get it: new_only (default), on_renewal (existing ones when they renew), "
        "immediately (existing ones now).",
    )
    price_adjustment: AdjustmentForm | None = None
    commitment: CommitmentForm | None = None
    proration_unit: Text = Field(
        None, description="How parts of a period are counted: exact (default), by exact time, or day, in whole days."
    )
    active_from: Text = Field(None, description="On sale from this instant on; at once when missing.")
    active_to: Text = Field(None, description="On sale until this instant; until further notice when missing.")
    localized_name: Text = Field(None, description="What customers see instead of the plan's name.")
    target_customer_ids: list[str] | None = Field(None, description="A custom version, for these customers only.")
    billing_cycle: Text = Field(
        None,
        description="anniversary (default): periods are counted from the first charged day; calendar: they begin "
        "with the calendar's weeks (Monday), months, quarters or years.",
    )
    day_anchor: Anchor = Field(None, description="The day of the month on which periods begin, 1 to 31.")
    month_anchor: Anchor = Field(None, description="A month in which quarters or years begin, 1 to 12.")
    transition_to: Text = Field(
        None, description="The plan into which subscriptions turn at the end of their period or trial."
    )
    transition_to_plan_id: Any = None
    usage_billing_frequency: Text = Field(
        None,
        description="How often usage is invoiced: end_of_period (default), or in parts of the billing period: daily, "
        "monthly, quarterly.",
    )
    usage_thresholds: list[ThresholdForm] | None = Field(
        None, description="Usage is invoiced, too, when that of a period reaches one of these amounts."
    )

    def to_version_draft(self, problems: Problems) -> VersionDraft:
        """Return the draft; it carries everything that is wrong with the form, besides what the use case will find."""
        currency = self._currency(problems)
        for key in _NOT_SERVED:
            unsupported(problems, key, getattr(self, key), f"{key} is not supported yet.")
        calendar = calendar_of(problems, self.billing_cycle, self.day_anchor, self.month_anchor)
        charges = [
            form.to_draft(problems, f"recurring_charges[{index}].", currency)
            for index, form in enumerate(self.recurring_charges or ())
        ]
        return VersionDraft(
            version_id=self.version_id,
            currency=currency,
            recurring_charges=(*self._flat_rate(problems), *charges),
            components=tuple(
                form.to_draft(problems, f"components[{index}].", currency)
                for index, form in enumerate(self.components or ())
            ),
            features=tuple(granted_feature(value, index, problems) for index, value in enumerate(self.features or ())),
            trial_days=self.trial_days or 0,
            active_from=instant(problems, "active_from", self.active_from or None),
            active_to=instant(problems, "active_to", self.active_to or None),
            localized_name=self.localized_name or None,
            target_customer_ids=tuple(self.target_customer_ids or ()),
            price_adjustment=(
                None
                if self.price_adjustment is None
                else self.price_adjustment.to_adjustment(problems, "price_adjustment.")
            ),
            commitment=None if self.commitment is None else self.commitment.to_commitment(problems, "commitment."),
            proration_unit=choice(problems, "proration_unit", self.proration_unit or None, _UNITS, ProrationUnit.EXACT),
            calendar=calendar or None,
            usage_invoicing=usage_invoicing_of(problems, self.usage_billing_frequency, self.usage_thresholds),
            transition_to=self.transition_to or None,
            problems=problems.found,
        )

    def to_replace(self, problems: Problems) -> Replace:
        """Return which subscriptions get the version."""
        return choice(problems, "replace", self.replace, _REPLACES, Replace.NEW_ONLY)

    def _currency(self, problems: Problems) -> str | None:
        given = self.currency if self.currency is not None else self.currency_code
        code = currency_code(given)
        if given is not None and code is None:
            problems.add("currency", "unknown_currency", "currency must be an ISO 4217 currency code.")
        return code

    def _flat_rate(self, problems: Problems) -> tuple[ChargeDraft, ...]:
        """Return the one charge that the original's flat rate is; none when it is 0."""
        if not self.flat_rate:
            return ()
        if self.recurring_charges:
            problems.add("flat_rate", "ambiguous", "A version has either a flat_rate or recurring_charges.")
        if self.flat_rate < 0:
            problems.add("flat_rate", "negative", "flat_rate must not be negative.")
            return ()
        default = Timing.IN_ADVANCE if self.pay_in_advance else Timing.IN_ARREARS
        known = {timing.value: timing for timing in Timing}
        timing = choice(problems, "flat_fee_billing_type", self.flat_fee_billing_type, known, default)
        return (ChargeDraft(FLAT_FEE_NAME, self.flat_rate, timing, Proration.PRORATE),)


class VersionChangeForm(Form):
    """When and to whom a version is sold from now on; what is not given stays as it is."""

    active_from: Text = Field(None, description="On sale from this instant on; null: since it was made.")
    active_to: Text = Field(None, description="On sale until this instant; null: until further notice.")
    localized_name: Text = Field(None, description="What customers see instead of the plan's name; null: nothing else.")
    replace_with: Text = Field(None, description="The version that subscriptions have after a renewal; null: this one.")
    transition_to: Text = Field(
        None, description="The plan into which subscriptions turn at the end of their period or trial; null: none."
    )
    target_customer_ids: list[str] | None = Field(None, description="Who may have a custom version.")

    def to_change(self, problems: Problems) -> VersionChange:
        """Return the change; it carries everything that is wrong with the form, besides what the use case will find."""
        given = self.model_fields_set
        start = instant(problems, "active_from", self.active_from or None)
        end = instant(problems, "active_to", self.active_to or None)
        return VersionChange(
            active_from=start if "active_from" in given else UNSET,
            active_to=end if "active_to" in given else UNSET,
            localized_name=(self.localized_name or None) if "localized_name" in given else UNSET,
            replace_with=(self.replace_with or None) if "replace_with" in given else UNSET,
            transition_to=(self.transition_to or None) if "transition_to" in given else UNSET,
            target_customer_ids=(
                tuple(dict.fromkeys(self.target_customer_ids or ())) if "target_customer_ids" in given else UNSET
            ),
            problems=problems.found,
        )


def version_row(view: PlanView, version: PlanVersion) -> dict[str, Any]:
    """Return a version of a plan as it is shown."""
    plan = view.plan
    return {
        "version_id": version.version_id,
        "version": version.version,
        "plan_id": plan.plan_id,
        "plan_name": plan.plan_name,
        "description": plan.description,
        "status": _status(view, version),
        "currency": currency_row(version.currency),
        "recurring_charges": [charge_row(charge, version.currency, view.units) for charge in version.recurring_charges],
        "components": [
            component_row(component, view.metrics[component.metric_id], version.currency, view.units)
            for component in version.components
        ],
        "features": [
            granted_row(view.features[feature_id], version.value_of(feature_id)) for feature_id in version.feature_ids
        ],
        "flat_rate": version.flat_rate,
        "flat_fee_billing_type": (Timing.IN_ADVANCE if version.is_paid_in_advance else Timing.IN_ARREARS).value,
        "usage_billing_frequency": frequency_text(version.usage_invoicing),
        "usage_thresholds": threshold_rows(version.usage_invoicing.thresholds),
        "price_adjustment": adjustment_row(version.price_adjustment),
        "commitment": commitment_row(version.commitment),
        "proration_unit": version.proration_unit.value,
        "trial_days": version.trial_days,
        **calendar_row(version.calendar),
        "active_subscriptions": view.active_subscriptions.get(version.version_id, 0),
        "created_on": to_text(version.created_at),
        "active_from": to_text(version.created_at if version.active_from is None else version.active_from),
        "active_to": None if version.active_to is None else to_text(version.active_to),
        "localized_name": version.localized_name,
        "target_customers": [_target(view, customer_id) for customer_id in version.target_customer_ids],
        "alerts": [],
        "transition_to": version.transition_to,
        "replace_with": version.replace_with,
    }


def _status(view: PlanView, version: PlanVersion) -> str:
    """Return the status; of a version that is off sale and still in use, also what becomes of its subscriptions."""
    status = version.status_at(view.now)
    if status is not VersionStatus.INACTIVE or not view.active_subscriptions.get(version.version_id):
        return status.value
    return "grandfathered" if version.replace_with is None else "retiring"


def _target(view: PlanView, customer_id: str) -> dict[str, Any]:
    customer = view.customers[customer_id]
    return {"customer_id": customer_id, "customer_name": customer.customer_name, "email": customer.email}
