"""Counting attempts at what could be guessed."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address, ip_network
from math import ceil

import msgspec

from lotus_server.domain.accounts import AttemptLimit, after_attempt, attempt_allowed_at
from lotus_server.kernel.errors import Throttled
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services


def key_of(kind: str, text: str) -> str:
    """Return the key of what is tried: short whatever was typed, and without the address of anybody."""
    return f"{kind}:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:32]}"


def key_of_address(address: str | None) -> str:
    """Return the key of a network address; of IPv6 that of its network, of which one machine may have every address."""
    text = address or ""
    with suppress(ValueError):
        found = ip_address(text)
        text = str(found if found.version == 4 else ip_network((found, 64), strict=False))
    return key_of("address", text)


def count_attempts(services: Services, limits: Mapping[str, AttemptLimit]) -> None:
    """Count one more attempt at each of the keys, before it is known how it ends.

    So many that come at once are counted as well. Raises Throttled when one of them has to wait; then none counts.
    """
    now = services.clock.now()
    with services.records.transaction() as tx:
        # Always in the same order, so that two transactions never wait for each other.
        for key in sorted(limits):
            attempts = tx.people.attempts.take(key, now)
            allowed_at = attempt_allowed_at(attempts, limits[key])
            if now < allowed_at:
                minutes = ceil((allowed_at - now).total_seconds() / 60)
                wait = "one minute" if minutes == 1 else f"{minutes} minutes"
                raise Throttled(f"Too many attempts. Try again in {wait}.")
            tx.people.attempts.replace(after_attempt(attempts, now))


def take_back_attempt(tx: Transaction, key: str, now: datetime) -> None:
    """The last attempt was none that failed; those before it were."""
    attempts = tx.people.attempts.take(key, now)
    tx.people.attempts.replace(msgspec.structs.replace(attempts, failures=max(attempts.failures - 1, 0)))
