"""Seats and prepaid units on the wire."""

from decimal import Decimal
from typing import Any

from pydantic import Field

from lotus_server.domain.subscriptions import QuantityChange, charge_key, prepaid_key, prepaid_units, present_quantity
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.quantity import ZERO
from lotus_server.usecases.quantities import PREPAID_FIELD, QuantityOrder
from lotus_server.usecases.subscription_views import SubscriptionView
from lotus_server.wire.forms import Form, Number, Text, read, required

Row = dict[str, Any]


class PrepaidUnitsForm(Form):
    """How many units of a metric are prepaid."""

    metric_id: Text = None
    units: Number = None


class ChargeQuantityForm(Form):
    """How many times a recurring charge is charged."""

    charge: Text = Field(None, description="The id or name of a recurring charge.")
    quantity: Number = None


class QuantityForm(ChargeQuantityForm):
    """A new quantity of a recurring charge, from now on."""

    invoice_now: bool | None = Field(
        None, description="Invoice what the change comes to in the open period at once; else with the next invoice."
    )


class UnitsForm(Form):
    """A new number of prepaid units, from now on."""

    units: Number = None
    invoice_now: bool | None = Field(None, description="At once (default), or with the next invoice.")


def quantity_order(payload: object) -> QuantityOrder:
    """Return the change of a charge's quantity that a body asks for, with the problems found in it."""
    problems = Problems()
    form = read(QuantityForm, payload, problems)
    charge = required(problems, "charge", form.charge)
    quantity = _number(problems, "quantity", form.quantity)
    return QuantityOrder(quantity, bool(form.invoice_now), charge=charge, problems=problems.found)


def units_order(metric_id: str, payload: object) -> QuantityOrder:
    """Return the change of prepaid units that a body asks for, with the problems found in it."""
    problems = Problems()
    form = read(UnitsForm, payload, problems)
    units = _number(problems, "units", form.units)
    invoices_now = form.invoice_now is None or form.invoice_now
    return QuantityOrder(units, invoices_now, metric_id=metric_id, problems=problems.found)


def prepaid_by_metric(forms: list[PrepaidUnitsForm] | None, problems: Problems) -> dict[str, Decimal]:
    """Return the units that a body names, by metric id."""
    return {
        required(problems, f"{PREPAID_FIELD}[{index}].metric_id", each.metric_id): _number(
            problems, f"{PREPAID_FIELD}[{index}].units", each.units
        )
        for index, each in enumerate(forms or [])
    }


def quantities_by_charge(forms: list[ChargeQuantityForm] | None, problems: Problems) -> dict[str, Decimal]:
    """Return the quantities that a body names, by the id or name of a charge."""
    return {
        required(problems, f"quantities[{index}].charge", each.charge): _number(
            problems, f"quantities[{index}].quantity", each.quantity
        )
        for index, each in enumerate(forms or [])
    }


def quantity_rows(view: SubscriptionView) -> list[Row]:
    """Return the quantity of each recurring charge, with its changes so far."""
    subscription = view.subscription
    return [
        {
            "charge_id": charge.charge_id,
            "name": charge.name,
            "quantity": present_quantity(subscription, charge_key(charge), charge.quantity),
            "changes": _change_rows(subscription.quantity_changes, charge_key(charge)),
        }
        for charge in view.version.recurring_charges
    ]


def prepaid_rows(view: SubscriptionView) -> list[Row]:
    """Return the prepaid units of each component that has them, with their changes so far."""
    subscription = view.subscription
    return [
        {
            "metric_id": component.metric_id,
            "units": prepaid_units(subscription, component),
            "changes": _change_rows(subscription.quantity_changes, prepaid_key(component)),
        }
        for component in view.version.components
        if component.prepaid is not None
    ]


def _change_rows(changes: tuple[QuantityChange, ...], key: str) -> list[Row]:
    return [
        {"quantity": change.quantity, "effective_at": to_text(change.effective_at)}
        for change in changes
        if change.key == key
    ]


def _number(problems: Problems, field: str, number: Decimal | None) -> Decimal:
    if number is None and not problems.any_below(field):
        problems.add(field, "required", f"{field} is required.")
    return ZERO if number is None else number
