"""Switching plans on the wire."""

from enum import StrEnum
from typing import Any, Final

from pydantic import Field

from lotus_server.kernel.errors import Problems
from lotus_server.usecases.plan_switch import PlanSwitch
from lotus_server.wire.forms import Form, Text, choice, read, unsupported
from lotus_server.wire.quantities import PrepaidUnitsForm, prepaid_by_metric

_USAGE: Final = {"keep_separate": False, "transfer_to_new_subscription": True}


class _When(StrEnum):
    NOW = "now"
    AT_RENEWAL = "at_renewal"


_WHEN: Final = {each.value: each for each in _When}
_INVOICING: Final = ("invoice_now", "add_to_next_invoice")
# How clients of November 2022 say what becomes of the old subscription -> whether it gets a last invoice.
_CHANGES: Final = {
    "change_subscription_plan": True,
    "end_current_subscription_and_bill": True,
    "end_current_subscription_dont_bill": False,
}


class SwitchForm(Form):
    """To what to switch: exactly one of `switch_plan_id` and `switch_plan_version_id`."""

    switch_plan_id: Text = None
    switch_plan_version_id: Text = None
    when: Text = Field(
        None,
        description="now (default). at_renewal: the subscription goes on with the other plan when its period is over; "
        "to the version that it has already: it keeps that after all.",
    )
    usage_behavior: Text = Field(
        None,
        description="keep_separate (default): usage so far is billed with the old subscription. "
        "transfer_to_new_subscription: it counts for the new one, as far as that sells the same metrics.",
    )
    invoicing_behavior: Text = Field(
        None,
        description="invoice_now (default). add_to_next_invoice: what is due now waits for the next invoice.",
    )
    component_fixed_charges_initial_units: list[PrepaidUnitsForm] | None = None
    dynamic_fixed_charges_initial_units: list[PrepaidUnitsForm] | None = Field(
        None, description="Another name for component_fixed_charges_initial_units."
    )


class PlanChangeForm(Form):
    """The form of November 2022: a plan, and what becomes of the old subscription."""

    plan_id: Text = None
    replace_immediately_type: Text = None
    turn_off_auto_renew: bool | None = None
    auto_renew: bool | None = None
    end_date: Text = None
    status: Text = None
    metadata: dict[str, Any] | None = None


def plan_switch(payload: object) -> PlanSwitch:
    """Return the switch that a body describes, with the problems found in it. Raises Invalid for what is no object."""
    problems = Problems()
    form = read(SwitchForm, payload, problems)
    usage, usage_key = form.usage_behavior, "usage_behavior"
    invoicing, invoicing_key = form.invoicing_behavior, "invoicing_behavior"
    if invoicing in _USAGE or usage in _INVOICING:
        # One client library has the two names the wrong way round. Their values differ, so what is meant is certain.
        usage, usage_key, invoicing, invoicing_key = invoicing, invoicing_key, usage, usage_key
    if usage is not None and usage not in _USAGE:
        problems.add(usage_key, "invalid_choice", f"{usage_key} must be one of {', '.join(_USAGE)}.")
    if invoicing is not None and invoicing not in _INVOICING:
        problems.add(invoicing_key, "invalid_choice", f"{invoicing_key} must be one of {', '.join(_INVOICING)}.")
    units = form.component_fixed_charges_initial_units or form.dynamic_fixed_charges_initial_units
    prepaid_units = prepaid_by_metric(units, problems)
    return PlanSwitch(
        plan_id=form.switch_plan_id or None,
        version_id=form.switch_plan_version_id or None,
        at_renewal=choice(problems, "when", form.when, _WHEN, _When.NOW) is _When.AT_RENEWAL,
        carries_usage=_USAGE.get(usage or "", False),
        defers=invoicing == "add_to_next_invoice",
        prepaid_units=prepaid_units,
        problems=problems.found,
    )


def plan_change(payload: object) -> PlanSwitch | None:
    """Return the switch that a PATCH of November 2022 asks for, or null when it names no plan. Raises Invalid."""
    if not isinstance(payload, dict) or payload.get("plan_id") is None:
        return None
    problems = Problems()
    form = read(PlanChangeForm, payload, problems)
    if form.replace_immediately_type not in _CHANGES:
        detail = f"replace_immediately_type must be one of {', '.join(_CHANGES)}."
        problems.add("replace_immediately_type", "invalid_choice", detail)
    if form.auto_renew is not None:
        problems.add("auto_renew", "unsupported", "A change of plan cannot set auto_renew at the same time.")
    for key in ("turn_off_auto_renew", "end_date", "status", "metadata"):
        detail = f"A change of plan cannot set {key} at the same time."
        unsupported(problems, key, getattr(form, key), detail)
    return PlanSwitch(
        plan_id=form.plan_id,
        bills=_CHANGES.get(form.replace_immediately_type or "", True),
        problems=problems.found,
    )
