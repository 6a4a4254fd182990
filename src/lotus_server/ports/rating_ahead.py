"""Rating the usage of the next subscriptions of a billing run beside it, in a process of its own."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from lotus_server.domain.invoicing import InvoiceLine
from lotus_server.domain.metering import LogPosition


class NextDue(msgspec.Struct, frozen=True, array_like=True):
    """The question for what is due by `until` and comes after a subscription, given as its due time and its two ids.

    `organization_id` null: that of the organizations that live in real time.
    """

    until: datetime
    organization_id: str | None
    after: tuple[datetime, str, str]
    limit: int


class RatedPeriod(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the usage of the open period of a subscription, which is over, comes to.

    `inputs` is the digest of everything besides events that the lines were made from.
    """

    subscription_id: str
    inputs: str
    lines: tuple[InvoiceLine, ...]
    usage_digest: str


class RatedOrganization(msgspec.Struct, frozen=True, array_like=True):
    """Periods of one organization; `position` is how far the log of events went before anybody asked for usage."""

    organization_id: str
    position: LogPosition
    periods: list[RatedPeriod]


class Rater(Protocol):
    """A process that rates beside a billing run. It may be slow or die: then the run rates by itself."""

    def ask(self, question: NextDue) -> None:
        """Let it rate the next ones from now on. Returns at once."""
        ...

    def take(self) -> list[RatedOrganization]:
        """Return the answer to what was asked last, once it has come; nothing when there is none or will be none."""
        ...


class RatingAhead(Protocol):
    """Where such processes come from."""

    def rater(self) -> AbstractContextManager[Rater]:
        """Start one, which ends with the block. It is not waited for: until it is ready, it answers nothing."""
        ...
