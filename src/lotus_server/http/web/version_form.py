"""The form of a version: the terms that there are, in the JSON in which they would be made again."""

from collections.abc import Mapping
from typing import Any

from lotus_server.domain.catalog import Component, Conversion, PlanVersion, RecurringCharge
from lotus_server.http.web.forms import Form
from lotus_server.usecases.plans import PlanView
from lotus_server.wire.components import component_row
from lotus_server.wire.versions import version_row

# What a version says of itself that the next one says anew.
_KEPT = (
    "trial_days",
    "proration_unit",
    "billing_cycle",
    "day_anchor",
    "month_anchor",
    "usage_billing_frequency",
    "transition_to",
)
_OF_COMPONENT = (
    "metric_id",
    "limit",
    "invoicing_interval_unit",
    "invoicing_interval_count",
    "reset_interval_unit",
    "reset_interval_count",
)


def blank_version(currency: str) -> dict[str, Any]:
    """Return where a new version begins: one recurring charge that waits for its amount."""
    return {"currency": currency, "recurring_charges": [{"name": "Base fee"}]}


def form_of_version(view: PlanView, version: PlanVersion, *, customer: str | None = None) -> Form:
    """Return the form that shows a version's terms; with `customer` they are to be a custom version's."""
    row = version_row(view, version)
    payload: dict[str, Any] = {key: row[key] for key in _KEPT if row[key] not in {None, 0}}
    adjustment, commitment = row["price_adjustment"], row["commitment"]
    targets = [customer] if customer else list(version.target_customer_ids)
    payload |= {
        "currency": version.currency,
        "localized_name": version.localized_name,
        "recurring_charges": [_charge(charge) for charge in version.recurring_charges],
        "components": [_component(view, version, component) for component in version.components],
        "features": [
            {"feature_id": feature_id, "value": _value(version.value_of(feature_id))}
            for feature_id in version.feature_ids
        ],
        "commitment": commitment or {},
        "usage_thresholds": row["usage_thresholds"],
        "target_customer_ids": ", ".join(targets),
        "replace": "new_only",
    }
    if adjustment is not None:
        payload["price_adjustment"] = {key: adjustment[key] for key in ("type", "amount", "name", "description")}
    return Form.of(payload)


def _charge(charge: RecurringCharge) -> dict[str, Any]:
    return {
        "name": charge.name,
        "amount": charge.amount,
        "quantity": charge.quantity,
        "timing": charge.timing.value,
        "proration": charge.proration.value,
        **_conversion(charge.conversion),
    }


def _component(view: PlanView, version: PlanVersion, component: Component) -> dict[str, Any]:
    row = component_row(component, view.metrics[component.metric_id], version.currency, view.units)
    shown = {key: row[key] for key in _OF_COMPONENT}
    shown |= {"price": _price(row["price"]), **_conversion(component.conversion)}
    if component.prepaid is not None:
        shown["prepaid_charge"] = row["prepaid_charge"]
    return shown


def _price(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a price as the form has it: dimensions as one text, the values of each cell as one, with their kinds."""
    shown = dict(row)
    if shown.get("dimensions"):
        shown["dimensions:list"] = ", ".join(shown.pop("dimensions"))
        shown["cells"] = [
            {"when:pairs": _pairs(cell["when"]), "price": _price(cell["price"])} for cell in shown.get("cells") or ()
        ]
        shown["default"] = _price(shown["default"]) if shown.get("default") else {}
    return shown


def _pairs(when: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {'' if value is None else value}".strip() for name, value in when.items())


def _conversion(conversion: Conversion | None) -> dict[str, Any]:
    return {} if conversion is None else {"pricing_unit": conversion.unit, "conversion_rate": conversion.rate}


def _value(value: Any) -> Any:  # noqa: ANN401 - whatever a version says of a feature
    return {True: "", False: "no"}.get(value, value) if isinstance(value, bool) else value
