"""Plans and their versions in JSON."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ConfigDict, Field
from typing_extensions import override

from lotus_server.domain.catalog import Feature, Plan, PlanVersion, Proration, Timing
from lotus_server.domain.metering import Metric
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.period import Duration
from lotus_server.usecases.plans import ChargeDraft, PlanDraft, PlanView, Replace, VersionDraft
from lotus_server.wire.charges import ChargeForm, charge_row
from lotus_server.wire.components import ComponentForm, component_row
from lotus_server.wire.features import feature_row
from lotus_server.wire.forms import Form, Number, Text, choice, currency_code, currency_row, required, unsupported

FLAT_FEE_NAME: Final = "Flat Fee"

_INTERVALS: Final = {
    Duration.DAILY: "day",
    Duration.WEEKLY: "week",
    Duration.MONTHLY: "month",
    Duration.QUARTERLY: "quarter",
    Duration.YEARLY: "year",
}
_DURATIONS: Final = {duration.value: duration for duration in Duration} | {
    name: duration for duration, name in _INTERVALS.items()
}
_REPLACES: Final = {replace.value: replace for replace in Replace}
# Keys of the original system that change what is charged, or to whom a version applies, and are not served yet.
_NOT_SERVED: Final = (
    "price_adjustment",
    "day_anchor",
    "month_anchor",
    "active_from",
    "active_to",
    "target_customer_ids",
    "transition_to_plan_id",
)


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
    features: list[Any] | None = Field(None, description="Ids or names of features.")
    trial_days: int | None = None
    replace: Text = Field(None, description="new_only: existing subscriptions keep the version that they have.")
    price_adjustment: Any = None
    day_anchor: Any = None
    month_anchor: Any = None
    active_from: Any = None
    active_to: Any = None
    target_customer_ids: Any = None
    transition_to_plan_id: Any = None
    usage_billing_frequency: Text = None

    def to_version_draft(self, problems: Problems) -> VersionDraft:
        """Return the draft; it carries everything that is wrong with the form, besides what the use case will find."""
        currency = self._currency(problems)
        for key in _NOT_SERVED:
            unsupported(problems, key, getattr(self, key), f"{key} is not supported yet.")
        if self.usage_billing_frequency not in {None, "", "end_of_period"}:
            detail = "Usage is billed at the end of a period: usage_billing_frequency is not supported yet."
            problems.add("usage_billing_frequency", "unsupported", detail)
        charges = [
            form.to_draft(problems, f"recurring_charges[{index}].", currency)
            for index, form in enumerate(self.recurring_charges or ())
        ]
        return VersionDraft(
            version_id=self.version_id,
            currency=currency,
            recurring_charges=(*self._flat_rate(problems), *charges),
            components=tuple(
                form.to_draft(problems, f"components[{index}].") for index, form in enumerate(self.components or ())
            ),
            features=tuple(_feature(value, index, problems) for index, value in enumerate(self.features or ())),
            trial_days=self.trial_days or 0,
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


class PlanForm(VersionForm):
    """A plan to be made, with the terms of its first version."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, json_schema_extra={"required": ["plan_name", "plan_duration"]}
    )

    plan_id: Text = Field(None, description="Made when missing.")
    billing_plan_id: Text = Field(None, description="Another name for plan_id.")
    plan_name: Text = None
    name: Text = Field(None, description="Another name for plan_name.")
    description: Text = None
    plan_description: Text = Field(None, description="Another name for description.")
    plan_duration: Text = Field(None, description=f"One of {', '.join(Duration)}.")
    interval: Text = Field(None, description=f"Another name for plan_duration: {', '.join(_INTERVALS.values())}.")

    @override
    @classmethod
    def arranged(cls, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the payload with the terms that the last form of the original has within `initial_version`."""
        version = payload.get("initial_version")
        return version | payload if isinstance(version, dict) else payload

    def to_draft(self, problems: Problems) -> PlanDraft:
        """Return the draft; it carries everything that is wrong with the form, besides what the use case will find."""
        name = self.plan_name if self.plan_name is not None else self.name
        length = self.plan_duration if self.plan_duration is not None else self.interval
        if length is None:
            problems.add("plan_duration", "required", "plan_duration is required.")
        plan_name = required(problems, "plan_name", name)
        duration = choice(problems, "plan_duration", length, _DURATIONS, Duration.MONTHLY)
        description = self.description if self.description is not None else self.plan_description
        return PlanDraft(
            plan_name=plan_name,
            duration=duration,
            version=self.to_version_draft(problems),
            plan_id=self.plan_id if self.plan_id is not None else self.billing_plan_id,
            description=description or "",
        )


def _feature(value: object, index: int, problems: Problems) -> str:
    if isinstance(value, dict):
        value = value.get("feature_id") or value.get("feature_name")
    if isinstance(value, str):
        return value
    problems.add(f"features[{index}]", "invalid", "A feature is named by its id or its name.")
    return ""


def plan_row(view: PlanView) -> dict[str, Any]:
    """Return a plan as it is shown: the keys of every generation of clients in one row, null where nothing is to say.

    What the first clients read on the plan itself (price, components, features) is that of the current version.
    """
    plan, current = view.plan, view.current_version
    shown = version_row(plan, current, view.metrics, view.features, view.active_subscriptions)
    active = sum(view.active_subscriptions.get(version.version_id, 0) for version in view.versions)
    return {
        "billing_plan_id": plan.plan_id,
        "name": plan.plan_name,
        "description": plan.description,
        "currency": current.currency,
        "interval": _INTERVALS[plan.duration],
        "flat_rate": current.flat_rate,
        "pay_in_advance": current.is_paid_in_advance,
        "components": shown["components"],
        "features": shown["features"],
        "time_created": plan.created_at.date().isoformat(),
        "active_subscriptions": active,
        "plan_id": plan.plan_id,
        "plan_name": plan.plan_name,
        "plan_duration": plan.duration.value,
        "plan_description": plan.description,
        "status": "archived" if plan.archived else "active",
        "external_links": [],
        "tags": [],
        "parent_plan": None,
        "target_customer": None,
        "taxjar_code": None,
        "created_on": to_text(plan.created_at),
        "created_by": None,
        "display_version": shown,
        "versions": [
            version_row(plan, version, view.metrics, view.features, view.active_subscriptions)
            for version in view.versions
        ],
        "num_versions": len(view.versions),
        "active_version": current.version,
    }


def version_row(
    plan: Plan,
    version: PlanVersion,
    metrics: Mapping[str, Metric],
    features: Mapping[str, Feature],
    active_subscriptions: Mapping[str, int],
) -> dict[str, Any]:
    """Return a version as it is shown; `active_subscriptions` counts by version id."""
    return {
        "version_id": version.version_id,
        "version": version.version,
        "plan_id": plan.plan_id,
        "plan_name": plan.plan_name,
        "description": plan.description,
        "status": version.status.value,
        "currency": currency_row(version.currency),
        "recurring_charges": [charge_row(charge, version.currency) for charge in version.recurring_charges],
        "components": [
            component_row(component, metrics[component.metric_id], version.currency) for component in version.components
        ],
        "features": [feature_row(features[feature_id]) for feature_id in version.feature_ids],
        "flat_rate": version.flat_rate,
        "flat_fee_billing_type": (Timing.IN_ADVANCE if version.is_paid_in_advance else Timing.IN_ARREARS).value,
        "usage_billing_frequency": None,
        "price_adjustment": None,
        "trial_days": version.trial_days,
        "active_subscriptions": active_subscriptions.get(version.version_id, 0),
        "created_on": to_text(version.created_at),
        "active_from": to_text(version.created_at),
        "active_to": None,
        "localized_name": None,
        "target_customers": [],
        "alerts": [],
        "transition_to": None,
        "replace_with": None,
    }
