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
from lotus_server.domain.accounts.logo import LOGO_BYTES_MAX, LOGO_PIXELS_MAX, LOGO_TYPES, Logo
from lotus_server.domain.accounts.settings import InvoiceSettings, PaperSize, TaxStatus

__all__ = [
    "LOGO_BYTES_MAX",
    "LOGO_PIXELS_MAX",
    "LOGO_TYPES",
    "ApiKey",
    "Customer",
    "InvoiceSettings",
    "Logo",
    "Organization",
    "OrganizationType",
    "PaperSize",
    "Principal",
    "Scope",
    "TaxStatus",
    "allows",
]
