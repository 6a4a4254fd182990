"""Organizations, API keys and customers."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from lotus_server.domain.accounts.settings import InvoiceGrouping, InvoiceSettings, TaxStatus


class OrganizationType(StrEnum):
    """A production organization lives in real time; a sandbox has a clock of its own that its users move."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"


class Organization(msgspec.Struct, frozen=True):
    """A tenant: nothing of one is ever visible to another. `clock_now` is a sandbox's present; null means real time.

    A sandbox's clock that runs goes from `clock_run_from` to `clock_run_until`, day by day; null: it does not run.
    """

    organization_id: str
    name: str
    type: OrganizationType
    default_currency: str
    created_at: datetime
    clock_now: datetime | None = None
    rejects_unknown_customers: bool = False
    invoice_settings: InvoiceSettings = InvoiceSettings()
    clock_run_from: datetime | None = None
    clock_run_until: datetime | None = None


class Scope(StrEnum):
    """What a key may do: everything, only send events, or only read."""

    FULL = "full"
    INGEST = "ingest"
    READ = "read"


class ApiKey(msgspec.Struct, frozen=True):
    """An API key as it is kept: its hash, never the key itself.

    `prefix` is its public beginning, by which people tell keys apart.
    """

    organization_id: str
    key_id: str
    name: str
    prefix: str
    secret_hash: str
    scope: Scope
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    expires_at: datetime | None = None

    def is_valid_at(self, now: datetime) -> bool:
        """Tell whether the key opens anything at an instant."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Principal(msgspec.Struct, frozen=True):
    """Who is calling: the organization a key belongs to, what the key may do, and its name."""

    organization: Organization
    key_id: str
    scope: Scope
    key_name: str


def allows(scope: Scope, needed: Scope) -> bool:
    """Tell whether a key of one scope may do what needs another: a full key everything, any other only its own."""
    return scope in {Scope.FULL, needed}


class Customer(msgspec.Struct, frozen=True, gc=False):
    """A customer of an organization.

    `customer_id` is the id in the organization's own system, the one its events carry. `invoice_grouping` null: as the
    organization has it.
    """

    organization_id: str
    customer_id: str
    customer_name: str
    created_at: datetime
    currency: str
    email: str | None = None
    payment_provider: str | None = None
    payment_provider_id: str | None = None
    properties: dict[str, Any] = msgspec.field(default_factory=dict)
    address: dict[str, Any] | None = None
    billing_address: dict[str, Any] | None = None
    shipping_address: dict[str, Any] | None = None
    tax_rate: Decimal | None = None
    timezone: str = "UTC"
    tax_status: TaxStatus = TaxStatus.TAXABLE
    tax_id: str | None = None
    invoice_grouping: InvoiceGrouping | None = None
