"""Ids that sort by the time they were made (UUID version 7, RFC 9562), and secrets from the system's random source."""

import secrets
import time
import uuid


class Uuid7Ids:
    """Makes ids and secrets."""

    def new(self, prefix: str) -> str:
        """Return the prefix, an underscore, and 32 hex digits that sort by time."""
        milliseconds = time.time_ns() // 1_000_000
        value = (milliseconds << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)
        return f"{prefix}_{value:032x}"

    def random_uuid(self) -> str:
        """Return a random UUID (version 4) with dashes."""
        return str(uuid.uuid4())

    def secret(self) -> str:
        """Return 43 URL-safe characters that carry 256 random bits."""
        return secrets.token_urlsafe(32)
