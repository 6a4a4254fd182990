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

__all__ = ["ApiKey", "Customer", "Organization", "OrganizationType", "Principal", "Scope", "allows"]
