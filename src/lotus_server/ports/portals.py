"""The records of portals."""

from typing import Protocol

from lotus_server.domain.accounts import Portal


class Portals(Protocol):
    """The portals of organizations, at most one each."""

    def put(self, portal: Portal) -> None:
        """Keep a portal in the place of the one that the organization may have."""
        ...

    def add_if_missing(self, portal: Portal) -> None:
        """Keep a portal unless the organization has one."""
        ...

    def get(self, organization_id: str) -> Portal | None:
        """Return an organization's portal."""
        ...
