"""API keys and the sandbox's clock on the wire."""

from datetime import datetime
from typing import Any

from lotus_server.domain.accounts import ApiKey, Organization, Scope
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.wire.fields import instant
from lotus_server.wire.forms import Form, Text, choice, currency_row, read, required

Row = dict[str, Any]


class ApiKeyForm(Form):
    """A key to be made."""

    name: Text = None
    scope: Text = None


class OrganizationForm(Form):
    """What of an organization can be changed."""

    rejects_unknown_customers: bool | None = None


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


def rejects_unknown_customers(payload: object) -> bool:
    """Return whether events of unknown customers are to be turned away. Raises Invalid with every problem."""
    problems = Problems()
    form = read(OrganizationForm, payload, problems)
    if form.rejects_unknown_customers is None:
        problems.add("rejects_unknown_customers", "required", "rejects_unknown_customers is required.")
    problems.raise_if_any()
    return bool(form.rejects_unknown_customers)


def organization_row(organization: Organization) -> Row:
    """Return an organization with its settings."""
    return {
        "organization_id": organization.organization_id,
        "organization_name": organization.name,
        "organization_type": organization.type.value,
        "default_currency": currency_row(organization.default_currency),
        "rejects_unknown_customers": organization.rejects_unknown_customers,
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
