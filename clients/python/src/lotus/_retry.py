"""Which answers are worth another attempt, and how long to wait before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lotus._wire import SERVER_ERROR_STATUS_MIN, Request, Response, retry_after_seconds
from lotus.errors import LotusConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import datetime

BACKOFF_SECONDS_FIRST = 0.5
BACKOFF_SECONDS_MAX = 30.0
DOUBLINGS_MAX = 10  # enough to pass the bound above; more would only overflow
TOO_MANY_REQUESTS = 429

Reply = Response | LotusConnectionError
"""What an attempt comes to: an answer, or the reason why there is none."""


@dataclass(frozen=True)
class Send:
    """Please send this request; send the reply back into the generator."""

    request: Request


@dataclass(frozen=True)
class Pause:
    """Please let this much time pass; the value that is sent back is ignored."""

    seconds: float


@dataclass(frozen=True)
class RetryPolicy:
    """When to try again.

    Attributes:
        retries_max: attempts after the first one; 0 means one attempt in all.
        retry_after_seconds_max: a longer wait demanded by the server ends the attempts instead.
    """

    retries_max: int
    retry_after_seconds_max: float

    def delay_seconds(
        self, reply: Reply, *, retries_done: int, now: datetime, random: Callable[[], float]
    ) -> float | None:
        """Return the wait before the next attempt, or None when the reply is final.

        The wait is drawn evenly from 0 to a bound that doubles with each retry (full jitter), so that many clients
        which failed together do not come back together. A `Retry-After` is waited for in full, and a
        little longer by the first bound's draw.

        Args:
            reply: what the last attempt came to.
            retries_done: how many retries lie behind, from 0.
            now: the instant from which a `Retry-After` date counts.
            random: draws from [0, 1).
        """
        if retries_done >= self.retries_max or not _is_passing(reply):
            return None
        if isinstance(reply, Response):
            demanded = retry_after_seconds(reply.headers, now=now)
            if demanded is not None:
                within = demanded <= self.retry_after_seconds_max
                return demanded + random() * BACKOFF_SECONDS_FIRST if within else None
        return random() * min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_FIRST * 2.0 ** min(retries_done, DOUBLINGS_MAX))


def exchange(
    request: Request, *, policy: RetryPolicy, now: Callable[[], datetime], random: Callable[[], float]
) -> Generator[Send | Pause, Reply | None, Response]:
    """Return the last answer, successful or not; what is to be sent and waited for is yielded.

    Raises:
        LotusConnectionError: the last attempt got no answer.
    """
    retries_done = 0
    while True:
        reply = yield Send(request)
        assert reply is not None, "a Send must be answered with its reply"  # noqa: S101 - a broken driver, never a user
        delay = policy.delay_seconds(reply, retries_done=retries_done, now=now(), random=random)
        if delay is None:
            if isinstance(reply, LotusConnectionError):
                raise reply
            return reply
        yield Pause(delay)
        retries_done += 1


def _is_passing(reply: Reply) -> bool:
    """Whether the same request may well succeed a little later."""
    if isinstance(reply, LotusConnectionError):
        return True
    return reply.status == TOO_MANY_REQUESTS or reply.status >= SERVER_ERROR_STATUS_MIN
