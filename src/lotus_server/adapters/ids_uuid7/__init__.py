"""Ids that sort by the time they were made (UUID version 7, RFC 9562), and secrets from the system's random source."""

import secrets
import threading
import time
import uuid

_COUNTS_PER_MILLISECOND_BITS = 12


class Uuid7Ids:
    """Makes ids and secrets; those of one maker sort in the order in which they were made.

    What is written at one instant (all that happens on a sandbox's standing clock) is told apart by its ids, so their
    order is the order in which it came: RFC 9562, section 6.2, method 3, with the clock's finer part in `rand_a`.
    """

    def __init__(self) -> None:
        """Begin at the present; the machine's clock may step back later, the ids do not."""
        self._lock = threading.Lock()
        self._latest = 0

    def new(self, prefix: str) -> str:
        """Return the prefix, an underscore, and 32 hex digits that sort by time."""
        ticks = (time.time_ns() << _COUNTS_PER_MILLISECOND_BITS) // 1_000_000
        with self._lock:
            self._latest = ticks = max(ticks, self._latest + 1)
        milliseconds, fraction = ticks >> _COUNTS_PER_MILLISECOND_BITS, ticks & 0xFFF
        value = (milliseconds << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | secrets.randbits(62)
        return f"{prefix}_{value:032x}"

    def random_uuid(self) -> str:
        """Return a random UUID (version 4) with dashes."""
        return str(uuid.uuid4())

    def secret(self) -> str:
        """Return 43 URL-safe characters that carry 256 random bits."""
        return secrets.token_urlsafe(32)
