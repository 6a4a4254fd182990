"""Add-ons in JSON."""

from typing import Any, Final

from pydantic import ConfigDict, Field

from lotus_server.domain.catalog import AddOnFrequency, AddOnInvoicing, AddOnKind
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.usecases.addons import AddOnDraft
from lotus_server.usecases.plans import PlanView
from lotus_server.wire.forms import Text, choice, required
from lotus_server.wire.versions import VersionForm, version_row

_KINDS: Final = {kind.value: kind for kind in AddOnKind}
_FREQUENCIES: Final = {frequency.value: frequency for frequency in AddOnFrequency}
_INVOICINGS: Final = {invoicing.value: invoicing for invoicing in AddOnInvoicing}


class AddOnForm(VersionForm):
    """An add-on to be made, with its terms."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"required": ["addon_name"]})

    addon_id: Text = Field(None, description="Made when missing.")
    addon_name: Text = None
    addon_description: Text = None
    addon_type: Text = Field(None, description=f"One of {', '.join(AddOnKind)}; by whether it has components.")
    billing_frequency: Text = Field(None, description="one_time (default) or recurring.")
    invoice_when: Text = Field(None, description="invoice_on_attach (default) or invoice_on_subscription_end.")

    def to_draft(self, problems: Problems) -> AddOnDraft:
        """Return the draft; it carries everything that is wrong with the form, besides what the use case will find."""
        default = AddOnKind.USAGE_BASED if self.components else AddOnKind.FLAT
        name = required(problems, "addon_name", self.addon_name)
        kind = choice(problems, "addon_type", self.addon_type, _KINDS, default)
        frequency = choice(problems, "billing_frequency", self.billing_frequency, _FREQUENCIES, AddOnFrequency.ONE_TIME)
        invoicing = choice(problems, "invoice_when", self.invoice_when, _INVOICINGS, AddOnInvoicing.ON_ATTACH)
        return AddOnDraft(
            addon_name=name,
            version=self.to_version_draft(problems),
            addon_id=self.addon_id,
            description=self.addon_description or "",
            kind=kind,
            frequency=frequency,
            invoicing=invoicing,
        )


def addon_row(view: PlanView) -> dict[str, Any]:
    """Return an add-on as it is shown, with the terms of its current version."""
    addon, version = view.plan, view.current_version
    assert addon.addon is not None, "it is an add-on"
    shown = version_row(view, version)
    return {
        "addon_id": addon.plan_id,
        "addon_name": addon.plan_name,
        "addon_description": addon.description,
        "addon_type": addon.addon.kind.value,
        "billing_frequency": addon.addon.frequency.value,
        "invoice_when": addon.addon.invoicing.value,
        "status": "archived" if addon.archived else "active",
        "created_on": to_text(addon.created_at),
        "version_id": version.version_id,
        "currency": shown["currency"],
        "flat_rate": shown["flat_rate"],
        "recurring_charges": shown["recurring_charges"],
        "components": shown["components"],
        "features": shown["features"],
        "active_instances": sum(view.active_subscriptions.get(each.version_id, 0) for each in view.versions),
        "versions": [version_row(view, each) for each in view.versions],
    }
