"""Ids and secrets: the one source of what must be unique or cannot be guessed."""

from typing import Protocol


class Ids(Protocol):
    """Makes ids and secrets."""

    def new(self, prefix: str) -> str:
        """Return a new id: the prefix, an underscore, and 32 hex digits that sort by time (`metric_0192...`)."""
        ...

    def random_uuid(self) -> str:
        """Return a random UUID (version 4) with dashes, the form that the client libraries use."""
        ...

    def secret(self) -> str:
        """Return 43 URL-safe characters that carry 256 random bits."""
        ...
