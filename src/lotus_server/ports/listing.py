"""Asking for a part of a list that is filtered and sorted: customers and subscriptions as people look through them."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, Generic, TypeVar

import msgspec

from lotus_server.domain.subscriptions import Status

Row = TypeVar("Row")


class Place(msgspec.Struct, frozen=True):
    """Where a row stands in a sorted list: the value that it is sorted by, as text, and its id.

    The value is null in a list that is sorted by id, and for rows that have none, which stand last.
    """

    value: str | None
    key: str


class Slice(msgspec.Struct, frozen=True):
    """A part of a sorted list: up to `limit` rows after a place, or, backward, the last `limit` rows before it.

    Without a place it begins where the list begins, or, backward, ends where the list ends.
    """

    limit: int
    place: Place | None = None
    is_backward: bool = False


class Count(msgspec.Struct, frozen=True):
    """How many rows a question has for an answer; not exact: at least so many."""

    number: int
    is_exact: bool = True


class Part(msgspec.Struct, Generic[Row], frozen=True):
    """The rows of a slice, in the order of the list.

    `before` is the place before which there are more, and `after` the one after which there are; null: there are none.
    """

    rows: tuple[Row, ...]
    before: Place | None = None
    after: Place | None = None

    def count_if_whole(self, wanted: Slice) -> Count | None:
        """Return how many rows the list has when this is all of it, asked for as `wanted`; null: nobody knows."""
        is_whole = wanted.place is None and self.before is None and self.after is None
        return Count(len(self.rows)) if is_whole else None


class CustomerSort(StrEnum):
    """What a list of customers is sorted by; names without regard to case."""

    ID = "id"
    NAME = "name"
    CREATED = "created"
    OUTSTANDING = "outstanding"


class CustomerOrder(msgspec.Struct, frozen=True):
    """How a list of customers is sorted; `currency` is the one whose outstanding amounts are compared.

    Customers who owe nothing in it stand last, whichever the direction.
    """

    by: CustomerSort = CustomerSort.ID
    is_descending: bool = False
    currency: str = ""


class CustomerQuestion(msgspec.Struct, frozen=True):
    """Which customers to list; null and empty fields ask for nothing.

    `search` is found anywhere in id, name or e-mail address, without regard to case. `is_subscribed`: has an active
    subscription, or has none. `plan_id`: has an active subscription to the plan. `is_owing`: has an unpaid invoice on
    which something is due, or has none. `created_since` is inclusive.
    """

    search: str = ""
    is_subscribed: bool | None = None
    plan_id: str | None = None
    is_owing: bool | None = None
    created_since: datetime | None = None


EVERY_CUSTOMER: Final = CustomerQuestion()


class SubscriptionSort(StrEnum):
    """What a list of subscriptions is sorted by: the id, the start, or when billing has to look at them next."""

    ID = "id"
    START = "start"
    RENEWAL = "renewal"


class SubscriptionOrder(msgspec.Struct, frozen=True):
    """How a list of subscriptions is sorted. Those that are never due again stand last, whichever the direction."""

    by: SubscriptionSort = SubscriptionSort.ID
    is_descending: bool = False


class Condition(StrEnum):
    """What people look for beside a status: billing could not go on; paused, or on trial, while it is active."""

    PARKED = "parked"
    PAUSED = "paused"
    TRIAL = "trial"


class SubscriptionQuestion(msgspec.Struct, frozen=True):
    """Which subscriptions to list, add-ons left out unless `are_addons`; null and empty fields ask for nothing.

    `statuses`, `conditions`: has any of either. `is_renewing`: goes on after its end, or
    does not. `ends_within` asks for those that have not ended and do so within that time. `starts_before` and
    `ends_after` ask for those that cover any instant of `[ends_after, starts_before)`. `are_addons` asks for add-ons,
    which are attached to others, and for nothing else.
    """

    customer_id: str | None = None
    plan_id: str | None = None
    version_id: str | None = None
    statuses: frozenset[Status] = frozenset()
    conditions: frozenset[Condition] = frozenset()
    is_renewing: bool | None = None
    ends_within: timedelta | None = None
    starts_before: datetime | None = None
    ends_after: datetime | None = None
    are_addons: bool = False


EVERY_SUBSCRIPTION: Final = SubscriptionQuestion()


class SoldAs(msgspec.Struct, frozen=True):
    """What a plan version is called: the plan and its name, the version and its number."""

    plan_id: str
    plan_name: str
    version_id: str
    version: int


Outstanding = dict[str, Decimal]
"""What is due on unpaid invoices, by currency; currencies in which nothing is due are left out."""
