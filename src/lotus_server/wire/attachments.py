"""Add-ons of subscriptions on the wire."""

from typing import Any

from pydantic import Field

from lotus_server.kernel.errors import Problems
from lotus_server.kernel.quantity import ONE
from lotus_server.usecases.attachments import AttachedView, Attachment
from lotus_server.wire.forms import Form, Number, Text, read
from lotus_server.wire.free_form import free_form
from lotus_server.wire.quantities import prepaid_rows, quantity_rows
from lotus_server.wire.subscriptions import addon_row, billing_plan, subscription_record

Row = dict[str, Any]


class AttachForm(Form):
    """Which add-on to attach: exactly one of `addon_id` and `addon_version_id`."""

    addon_id: Text = None
    addon_version_id: Text = None
    quantity: Number = Field(None, description="How many times its recurring charges are charged (1).")
    metadata: dict[str, Any] | None = None


def attachment(payload: object) -> Attachment:
    """Return what a body attaches, with the problems found in it."""
    problems = Problems()
    form = read(AttachForm, payload, problems)
    metadata = free_form(problems, "metadata", form.metadata)
    return Attachment(
        addon_id=form.addon_id or None,
        version_id=form.addon_version_id or None,
        quantity=ONE if form.quantity is None else form.quantity,
        metadata=metadata,
        problems=problems.found,
    )


def attached_row(view: AttachedView) -> Row:
    """Return an attached add-on with its subscription, as the later clients' models read it."""
    record = subscription_record(view.addon)
    return {
        **addon_row(view.addon),
        "customer": record["customer"],
        "parent": {**subscription_record(view.parent), "plan_detail": billing_plan(view.parent)},
        "auto_renew": record["auto_renew"],
        "status": view.addon.status.value,
        "quantities": quantity_rows(view.addon),
        "prepaid_units": prepaid_rows(view.addon),
        "metadata": record["metadata"],
    }
