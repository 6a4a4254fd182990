"""The records that analytics are made from: sums of revenue, counts, subscriptions; a part of `ports/records.py`."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Protocol

import msgspec

from lotus_server.domain.analytics import Basis, Dimension, Held, RevenueSum, SoldInvoice, Takeback
from lotus_server.kernel.period import Period


class RevenueMark(msgspec.Struct, frozen=True):
    """Up to which invoice and which credit note revenue is summed up, by their places in the order of making.

    `timezone` is the one whose days the sums are of.
    """

    invoices: int = 0
    credit_notes: int = 0
    timezone: str = "UTC"


class Booked(msgspec.Struct, frozen=True):
    """What is to be summed up next, the mark after it, and the one before.

    `voided` are invoices at or before that mark, by id, which were voided and are still in the sums.
    """

    invoices: tuple[SoldInvoice, ...]
    takebacks: tuple[Takeback, ...]
    voided: tuple[tuple[str, SoldInvoice], ...]
    mark: RevenueMark
    before: RevenueMark = RevenueMark()

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to sum up."""
        return not (self.invoices or self.takebacks or self.voided)


class RevenueBook(Protocol):
    """Revenue by day, summed up from invoices and credit notes in the order in which those were made."""

    def is_behind(self, organization_id: str) -> bool:
        """Tell whether anything of an organization is not summed up yet."""
        ...

    def timezone(self, organization_id: str) -> str:
        """Return the time zone whose days the sums are of."""
        ...

    def begin_anew(self, organization_id: str, timezone: str) -> None:
        """Forget all sums; those to come are of the days of a time zone."""
        ...

    def next(self, organization_id: str, limit: int) -> Booked:
        """Return up to `limit` of each kind that are to be summed up next."""
        ...

    def keep(self, organization_id: str, sums: Sequence[RevenueSum], booked: Booked) -> bool:
        """Add sums to those that are kept, and remember what they were made from.

        False, and nothing is kept, when any of that is in the sums already: somebody else summed it up meanwhile.
        """
        ...

    def by_day(
        self, organization_id: str, basis: Basis, dimension: Dimension, window: Period
    ) -> list[tuple[str, str, datetime, Decimal]]:
        """Return currency, key, day and amount of each day of a window that has any, in this order."""
        ...

    def by_key(
        self, organization_id: str, basis: Basis, dimension: Dimension, window: Period
    ) -> dict[tuple[str, str], Decimal]:
        """Return what a window comes to by currency and key."""
        ...


class DayCounts(msgspec.Struct, frozen=True):
    """How many things there are at the beginning of a window, and how many come and go on each of its days.

    Days on which nothing happens are left out.
    """

    at_start: int
    came: dict[datetime, int]
    went: dict[datetime, int]


class ParkedSubscription(msgspec.Struct, frozen=True):
    """A subscription that could not be billed, why, and when it is tried again."""

    subscription_id: str
    customer_id: str
    cause: str
    retry_at: datetime | None


class Verification(msgspec.Struct, frozen=True):
    """What the last recount of an organization's aggregates found: how many there are, and how many were wrong."""

    organization_id: str
    verified_at: datetime
    aggregate_count: int
    drift_count: int


class Figures(Protocol):
    """What there is and how it came to be, counted where it lies."""

    def subscriptions(self, organization_id: str, window: Period, zone: tzinfo = UTC) -> DayCounts:
        """Return how many subscriptions were active, began and ended on days of a zone; add-ons are not counted."""
        ...

    def customers(self, organization_id: str, window: Period, zone: tzinfo = UTC) -> DayCounts:
        """Return how many customers there were and were made on days of a zone; none ever goes."""
        ...

    def held(self, organization_id: str, before: datetime) -> Iterator[Held]:
        """Yield every subscription that began before an instant, also those that have ended, and add-ons."""
        ...

    def parked(self, organization_id: str, limit: int) -> tuple[int, list[ParkedSubscription]]:
        """Return how many subscriptions could not be billed, and up to `limit` of them, by id."""
        ...

    def customer_ids(self, organization_id: str) -> list[str]:
        """Return the id of every customer, in order."""
        ...

    def keep_verification(self, verification: Verification) -> None:
        """Keep what a recount found in place of the one before."""
        ...

    def verification(self, organization_id: str) -> Verification | None:
        """Return what the last recount found; null when there was none."""
        ...
