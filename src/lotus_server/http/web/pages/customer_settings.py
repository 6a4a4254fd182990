"""One customer's settings: who they are, where, in which zone and currency, what tax they pay, and how."""

from typing import Any, Final

import msgspec
from starlette.responses import Response

from lotus_server.domain.accounts import TaxStatus
from lotus_server.http.web.addresses import segment
from lotus_server.http.web.forms import Form
from lotus_server.http.web.routing import Pages
from lotus_server.http.web.visit import Visit
from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import LotusError
from lotus_server.kernel.zones import UTC_NAME, time_zones
from lotus_server.usecases.customers import CustomerView, change_customer, get_customer
from lotus_server.wire.customers import customer_change, customer_row

pages = Pages()
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
_ADDRESSES = ("address", "billing_address", "shipping_address")
_LINES = ("line1", "line2", "postal_code", "city", "state", "country")
_TAX = {
    TaxStatus.TAXABLE: "Taxable",
    TaxStatus.EXEMPT: "Exempt",
    TaxStatus.REVERSE_CHARGE: "Reverse charge: the customer pays it where they are",
}


@pages.get("/customers/{customer_id}/settings/")
def settings_page(visit: Visit) -> Response:
    """Show what is known of a customer, to be changed by who may."""
    view = visit.do(get_customer, visit.part("customer_id"))
    visit.form = Form.of(_shown(view))
    return visit.page("customers/settings.html", **_around(view))


@pages.post("/customers/{customer_id}/settings/")
def change(visit: Visit) -> Response:
    """Keep what was changed, or show what is wrong with it."""
    customer_id = visit.part("customer_id")
    visit.require(change_customer)
    view = visit.do(get_customer, customer_id)
    try:
        draft, sent = customer_change(customer_id, _sent(visit.form))
        visit.do(change_customer, draft, sent)
    except LotusError as error:
        return visit.again(error, "customers/settings.html", **_around(view))
    return visit.redirect(visit.url(f"customers/{segment(customer_id)}/settings/"), "Kept.")


def _around(view: CustomerView) -> dict[str, Any]:
    return {
        "customer": view.customer,
        "currencies": [(code, f"{code} · {each.name}") for code, each in sorted(CURRENCIES.items())],
        "zones": [UTC_NAME, *(name for name in sorted(time_zones()) if name != UTC_NAME)],
        "tax_statuses": [(status.value, label) for status, label in _TAX.items()],
        "addresses": [
            ("address", "Address"),
            ("billing_address", "Billing address"),
            ("shipping_address", "Shipping address"),
        ],
        "lines": _LINES,
        "providers": sorted({"stripe", view.customer.payment_provider or "stripe"}),
    }


def _shown(view: CustomerView) -> dict[str, Any]:
    """Return the row of the API as the form has it; properties are one text of JSON."""
    row = customer_row(view)
    kept = ("customer_name", "email", *_ADDRESSES, "tax_rate", "tax_status", "tax_id", "timezone")
    shown = {name: row[name] for name in (*kept, "payment_provider", "payment_provider_id")}
    properties = "" if not view.customer.properties else _pretty(view.customer.properties)
    return {**shown, "currency": view.customer.currency, "properties": properties}


def _pretty(properties: dict[str, Any]) -> str:
    return msgspec.json.format(_encode(properties), indent=2).decode()


def _sent(form: Form) -> dict[str, Any]:
    """Return what the form says; an address whose lines are all blank is none."""
    payload = form.payload(keeps_blank=True)
    for name in _ADDRESSES:
        if name in payload and not any(payload[name].values()):
            payload[name] = None
    return payload
