"""The records of logos."""

from typing import Protocol

from lotus_server.domain.accounts import Logo


class Logos(Protocol):
    """The logos of organizations, at most one each."""

    def put(self, logo: Logo) -> None:
        """Keep a logo in the place of the one that the organization may have."""
        ...

    def get(self, organization_id: str) -> Logo | None:
        """Return an organization's logo."""
        ...

    def remove(self, organization_id: str) -> None:
        """Forget an organization's logo, if it has one."""
        ...
