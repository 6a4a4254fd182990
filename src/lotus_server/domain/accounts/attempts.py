"""How often somebody may guess: after some attempts that failed, each further one has to wait twice as long."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

FORGOTTEN_AFTER: Final = timedelta(hours=24)
_WAIT_FIRST: Final = timedelta(minutes=1)


class Attempts(msgspec.Struct, frozen=True):
    """The attempts at one thing that failed in a row, such as the password of an account. `key` names the thing."""

    key: str
    failures: int
    last_at: datetime


class AttemptLimit(msgspec.Struct, frozen=True):
    """How many attempts cost nothing, and how long one has to wait at the most after further ones."""

    free: int
    wait_max: timedelta


# An account is worth guessing at from many places, an address may be shared by a whole office.
OF_ACCOUNT: Final = AttemptLimit(free=5, wait_max=timedelta(minutes=15))
OF_ADDRESS: Final = AttemptLimit(free=30, wait_max=timedelta(minutes=1))
# A million codes, three of which are right: guessing them takes years.
OF_SECOND_FACTOR: Final = AttemptLimit(free=5, wait_max=timedelta(minutes=15))
# Each one may be a mail in somebody's box.
OF_RESETS: Final = AttemptLimit(free=3, wait_max=timedelta(minutes=15))


def attempt_allowed_at(attempts: Attempts, limit: AttemptLimit) -> datetime:
    """Return the earliest instant of the next attempt."""
    beyond = attempts.failures - limit.free
    if beyond < 0:
        return attempts.last_at
    # No power of two is needed that is beyond any wait.
    wait: timedelta = _WAIT_FIRST * (1 << min(beyond, 20))
    return attempts.last_at + min(wait, limit.wait_max)


def after_attempt(attempts: Attempts, now: datetime) -> Attempts:
    """Return the attempts with one more, which counts as failed until it turns out otherwise."""
    is_forgotten = now - attempts.last_at >= FORGOTTEN_AFTER
    return Attempts(attempts.key, 1 if is_forgotten else attempts.failures + 1, now)
