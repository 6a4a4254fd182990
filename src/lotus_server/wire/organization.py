"""API keys and the sandbox's clock on the wire."""

from datetime import datetime
from typing import Any

from babel import Locale, UnknownLocaleError
from pydantic import Field

from lotus_server.domain.accounts import ApiKey, InvoiceGrouping, InvoiceSettings, Organization, PaperSize, Scope
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.usecases.organizations import OrganizationChange
from lotus_server.wire.addresses import AddressForm
from lotus_server.wire.fields import instant
from lotus_server.wire.forms import Form, Number, Text, choice, currency_row, read, required
from lotus_server.wire.groupings import invoice_grouping_of

Row = dict[str, Any]


class ApiKeyForm(Form):
    """A key to be made."""

    name: Text = None
    scope: Text = None


class OrganizationForm(Form):
    """What of an organization can be changed; what is not sent stays as it is, and null clears it."""

    organization_name: Text = None
    rejects_unknown_customers: bool | None = None
    legal_name: Text = Field(None, description="The seller's name on invoices, when it is not the organization's.")
    address: AddressForm | None = None
    email: Text = None
    phone: Text = None
    tax_id: Text = None
    tax_rate: Number = Field(None, description="Percent of tax for customers without a rate of their own; null: none.")
    prices_include_tax: bool | None = None
    payment_grace_period: int | None = Field(None, description="Days from the issue of an invoice until it is due.")
    locale: Text = Field(None, description="How documents write words, numbers and dates, such as de_DE.")
    timezone: Text = Field(None, description="In which zone documents show days, such as Europe/Berlin.")
    paper: Text = Field(None, description="a4 or letter.")
    invoice_grace_hours: int | None = Field(
        None, description="Hours from the end of a period until its invoice is issued (0)."
    )
    invoice_grouping: Text = Field(
        None,
        description="subscription (default), customer or customer_and_requests: what is on one invoice.",
    )
    note: Text = Field(None, description="What stands below the sums of every invoice.")


class ClockForm(Form):
    """Where to move the sandbox's present."""

    now: Text = None


def api_key_draft(payload: object) -> tuple[str, Scope]:
    """Return name and scope of a key to be made. Raises Invalid with every problem."""
    problems = Problems()
    form = read(ApiKeyForm, payload, problems)
    name = required(problems, "name", form.name)
    scope = choice(problems, "scope", form.scope, {each.value: each for each in Scope}, Scope.FULL)
    problems.raise_if_any()
    return name, scope


# The settings whose names differ on the wire; the others are called the same.
_WIRE_NAMES = {"tax_rate": "tax_percent", "payment_grace_period": "payment_term_days"}
_SETTINGS = (
    "legal_name",
    "address",
    "email",
    "phone",
    "tax_id",
    "tax_rate",
    "prices_include_tax",
    "payment_grace_period",
    "locale",
    "timezone",
    "paper",
    "note",
    "invoice_grace_hours",
    "invoice_grouping",
)


def organization_change(payload: object) -> OrganizationChange:
    """Return what a body changes of an organization. Raises Invalid with every problem of reading it."""
    problems = Problems()
    form = read(OrganizationForm, payload, problems)
    defaults = InvoiceSettings()
    settings: Row = {}
    for name in _SETTINGS:
        if name in form.model_fields_set:
            kept, value = _WIRE_NAMES.get(name, name), getattr(form, name)
            settings[kept] = getattr(defaults, kept) if value is None else value
    if form.address is not None:
        settings["address"] = form.address.to_fields()
    if form.paper is not None:
        sizes = {each.value: each for each in PaperSize}
        settings["paper"] = choice(problems, "paper", form.paper, sizes, PaperSize.A4)
    if form.invoice_grouping is not None:
        grouping = invoice_grouping_of(problems, form.invoice_grouping)
        settings["invoice_grouping"] = grouping or InvoiceGrouping.SUBSCRIPTION
    if form.locale is not None and not _is_locale(form.locale):
        problems.add("locale", "unknown_locale", f"{form.locale!r} is not a locale, such as en_US.")
    problems.raise_if_any()
    return OrganizationChange(form.organization_name, form.rejects_unknown_customers, settings)


def _is_locale(text: str) -> bool:
    try:
        Locale.parse(text)
    except (UnknownLocaleError, ValueError):
        return False
    return True


def organization_row(organization: Organization) -> Row:
    """Return an organization with its settings."""
    settings = organization.invoice_settings
    return {
        "organization_id": organization.organization_id,
        "organization_name": organization.name,
        "organization_type": organization.type.value,
        "default_currency": currency_row(organization.default_currency),
        "rejects_unknown_customers": organization.rejects_unknown_customers,
        "legal_name": settings.legal_name,
        "address": settings.address,
        "email": settings.email,
        "phone": settings.phone,
        "tax_id": settings.tax_id,
        "tax_rate": settings.tax_percent,
        "prices_include_tax": settings.prices_include_tax,
        "payment_grace_period": settings.payment_term_days,
        "locale": settings.locale,
        "timezone": settings.timezone,
        "paper": settings.paper.value,
        "note": settings.note,
        "invoice_grace_hours": settings.invoice_grace_hours,
        "invoice_grouping": settings.invoice_grouping.value,
        "created": to_text(organization.created_at),
    }


def clock_instant(payload: object) -> datetime:
    """Return where to move the clock. Raises Invalid with every problem."""
    problems = Problems()
    form = read(ClockForm, payload, problems)
    now = instant(problems, "now", required(problems, "now", form.now))
    problems.raise_if_any()
    assert now is not None, "a missing or wrong time was a problem"
    return now


def api_key_row(key: ApiKey) -> Row:
    """Return a key as it may be shown: never the key itself."""
    return {
        "key_id": key.key_id,
        "name": key.name,
        "prefix": key.prefix,
        "scope": key.scope.value,
        "created": to_text(key.created_at),
        "last_used": to_text(key.last_used_at) if key.last_used_at else None,
        "revoked": to_text(key.revoked_at) if key.revoked_at else None,
        "expiry_date": to_text(key.expires_at) if key.expires_at else None,
    }
