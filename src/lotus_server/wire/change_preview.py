"""A change of a subscription that is only to be previewed, on the wire."""

from collections.abc import Callable
from typing import Any, Final

from pydantic import Field

from lotus_server.domain.accounts import Organization
from lotus_server.kernel.errors import Invalid, Problems
from lotus_server.usecases.attachments import attach_addon
from lotus_server.usecases.pauses import pause_subscription, resume_subscription
from lotus_server.usecases.plan_switch import switch_plan
from lotus_server.usecases.quantities import set_quantity
from lotus_server.usecases.services import Services
from lotus_server.usecases.subscriptions import cancel_subscription, change_subscription
from lotus_server.wire.attachments import attachment
from lotus_server.wire.forms import Form, Text, read, required
from lotus_server.wire.pauses import pause_order, resume_order
from lotus_server.wire.plan_switch import plan_switch
from lotus_server.wire.quantities import quantity_order, units_order
from lotus_server.wire.subscriptions import later_cancellation, subscription_change

Change = Callable[[Services, Organization, str], object]


class ChangePreviewForm(Form):
    """A change: its `action`, and beside it what the call for that change takes."""

    action: Text = Field(
        None,
        description="cancel, switch_plan, update, quantities, change_prepaid_units, attach_addon, pause or resume.",
    )
    metric_id: Text = Field(None, description="Of change_prepaid_units: whose units.")


def previewed_change(payload: object) -> Change:
    """Return the change that a body describes. Raises Invalid with every problem."""
    problems = Problems()
    form = read(ChangePreviewForm, payload, problems)
    action = required(problems, "action", form.action)
    problems.raise_if_any()
    known = _CHANGES.get(action)
    if known is None:
        raise Invalid.field("action", "invalid_choice", f"action must be one of {', '.join(_CHANGES)}.")
    return known(payload)


def _cancel(payload: object) -> Change:
    how = later_cancellation(payload)
    return lambda services, organization, subscription_id: cancel_subscription(
        services, organization, subscription_id, how
    )


def _switch(payload: object) -> Change:
    to = plan_switch(payload)
    return lambda services, organization, subscription_id: switch_plan(services, organization, subscription_id, to)


def _update(payload: object) -> Change:
    change = subscription_change(payload)
    return lambda services, organization, subscription_id: change_subscription(
        services, organization, subscription_id, change
    )


def _quantities(payload: object) -> Change:
    order = quantity_order(payload)
    return lambda services, organization, subscription_id: set_quantity(services, organization, subscription_id, order)


def _units(payload: object) -> Change:
    problems = Problems()
    metric_id = required(problems, "metric_id", read(ChangePreviewForm, payload, problems).metric_id)
    problems.raise_if_any()
    order = units_order(metric_id, payload)
    return lambda services, organization, subscription_id: set_quantity(services, organization, subscription_id, order)


def _attach(payload: object) -> Change:
    wanted = attachment(payload)
    return lambda services, organization, subscription_id: attach_addon(services, organization, subscription_id, wanted)


def _pause(payload: object) -> Change:
    order = pause_order(payload)
    return lambda services, organization, subscription_id: pause_subscription(
        services, organization, subscription_id, order
    )


def _resume(payload: object) -> Change:
    order = resume_order(payload)
    return lambda services, organization, subscription_id: resume_subscription(
        services, organization, subscription_id, order
    )


_CHANGES: Final[dict[str, Callable[[object], Change]]] = {
    "cancel": _cancel,
    "switch_plan": _switch,
    "update": _update,
    "quantities": _quantities,
    "change_prepaid_units": _units,
    "attach_addon": _attach,
    "pause": _pause,
    "resume": _resume,
}


def previewed_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row of an invoice that is not issued: what names an issued one is null."""
    return {**row, "invoice_id": None, "invoice_number": None}
