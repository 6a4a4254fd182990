"""Who takes part: organizations (the tenants), their API keys, their customers."""

from lotus_server.domain.accounts.accounts import (
    ApiKey,
    Customer,
    Organization,
    OrganizationType,
    Principal,
    Scope,
    allows,
)
from lotus_server.domain.accounts.settings import InvoiceSettings, PaperSize, TaxStatus

__all__ = [
    "ApiKey",
    "Customer",
    "InvoiceSettings",
    "Organization",
    "OrganizationType",
    "PaperSize",
    "Principal",
    "Scope",
    "TaxStatus",
    "allows",
]
