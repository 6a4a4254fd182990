"""Parts of addresses."""

from urllib.parse import quote

from lotus_server.domain.accounts import Organization


def handle_of(organization: Organization) -> str:
    """Return what stands for an organization in addresses: the end of its id."""
    return organization.organization_id[-8:]


def segment(text: str) -> str:
    """Return an id as a part of a path."""
    return quote(text, safe="")
