"""The customers and their subscriptions: a part of the records port."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from lotus_server.domain.accounts import Customer
from lotus_server.domain.subscriptions import Subscription
from lotus_server.ports.listing import (
    EVERY_CUSTOMER,
    EVERY_SUBSCRIPTION,
    Count,
    CustomerOrder,
    CustomerQuestion,
    Part,
    Slice,
    SubscriptionOrder,
    SubscriptionQuestion,
)
from lotus_server.ports.paging import Page


class Customers(Protocol):
    """The customers."""

    def add(self, customer: Customer) -> None:
        """Keep a new customer. Raises Conflict `customer_exists`."""
        ...

    def get(self, organization_id: str, customer_id: str, *, for_update: bool = False) -> Customer | None:
        """Return one customer; `for_update` lets transactions that ask so for the same customer go one by one."""
        ...

    def known(self, organization_id: str, customer_ids: Sequence[str]) -> frozenset[str]:
        """Return those of the ids that are customers."""
        ...

    def many(self, organization_id: str, customer_ids: Sequence[str]) -> dict[str, Customer]:
        """Return those of the customers that exist, by id, in one query."""
        ...

    def page(
        self, organization_id: str, page: Page, question: CustomerQuestion = EVERY_CUSTOMER, at: datetime | None = None
    ) -> list[Customer]:
        """Return the customers asked for in the order of their ids; `page.after` is a customer id.

        `at` is the instant at which subscriptions are active, if that is asked about.
        """
        ...

    def part(
        self, organization_id: str, question: CustomerQuestion, order: CustomerOrder, wanted: Slice, at: datetime
    ) -> Part[Customer]:
        """Return a slice of the customers asked for, as of `at`. Raises Invalid for a place that no row can have."""
        ...

    def count(self, organization_id: str, question: CustomerQuestion, at: datetime) -> Count:
        """Return how many customers are asked for, exactly up to 10,000."""
        ...

    def replace(self, customer: Customer) -> None:
        """Keep new values of an existing customer."""
        ...


class Subscriptions(Protocol):
    """The subscriptions."""

    def add(self, subscription: Subscription) -> None:
        """Keep a new subscription. Raises Conflict `subscription_exists`."""
        ...

    def get(self, organization_id: str, subscription_id: str, *, for_update: bool = False) -> Subscription | None:
        """Return one subscription; `for_update` keeps everybody else from changing it until the transaction ends."""
        ...

    def page(
        self,
        organization_id: str,
        page: Page,
        question: SubscriptionQuestion = EVERY_SUBSCRIPTION,
        at: datetime | None = None,
    ) -> list[Subscription]:
        """Return the subscriptions asked for, no add-ons, in the order of their ids; `page.after` is such an id.

        `at` is the instant at which a subscription has its status, if that is asked about.
        """
        ...

    def part(
        self,
        organization_id: str,
        question: SubscriptionQuestion,
        order: SubscriptionOrder,
        wanted: Slice,
        at: datetime,
    ) -> Part[Subscription]:
        """Return a slice of the subscriptions asked for. Raises Invalid for a place that no row can have."""
        ...

    def count(self, organization_id: str, question: SubscriptionQuestion, at: datetime) -> Count:
        """Return how many subscriptions are asked for, exactly up to 10,000."""
        ...

    def live_of_customers(
        self, organization_id: str, customer_ids: Sequence[str], at: datetime
    ) -> dict[str, list[Subscription]]:
        """Return the subscriptions of several customers that have not ended, by start, then id; without add-ons."""
        ...

    def of_customer(self, organization_id: str, customer_id: str, at: datetime | None = None) -> list[Subscription]:
        """Return a customer's subscriptions by start, then id; with `at` only those that cover the instant."""
        ...

    def of_customers(self, organization_id: str, customer_ids: Sequence[str]) -> dict[str, list[Subscription]]:
        """Return the subscriptions of several customers by start, then id, in one query."""
        ...

    def attached_to(self, organization_id: str, parent_ids: Sequence[str]) -> dict[str, list[Subscription]]:
        """Return the add-ons of several subscriptions by start, then id, in one query; one without any is left out."""
        ...

    def count_active(self, organization_id: str, at: datetime) -> dict[str, int]:
        """Return how many subscriptions cover an instant, by version id; versions without one are left out."""
        ...

    def awaiting(self, organization_id: str, at: datetime, page: Page) -> list[Subscription]:
        """Return the subscriptions whose open period is over by `at` and has no invoice yet, by its end, then id.

        Parked ones are left out; `page.after` is an id.
        """
        ...

    def count_awaiting(self, organization_id: str, at: datetime) -> int:
        """Return how many subscriptions `awaiting` has in all."""
        ...

    def count_due(self, at: datetime, organization_id: str | None = None) -> dict[str, int]:
        """Return how many subscriptions `due` has in all, by organization; no key without any."""
        ...

    def due(self, at: datetime, limit: int, organization_id: str | None = None) -> list[Subscription]:
        """Return up to `limit` subscriptions with `due_at <= at`, earliest first.

        Of one organization, or of every one in real time.
        """
        ...

    def claim(self, at: datetime, limit: int, organization_id: str | None = None) -> list[Subscription]:
        """Return what `due` does, and nobody else changes them until the transaction ends.

        Of one organization after waiting for whoever changes them now; in real time without those.
        """
        ...

    def replace(self, subscription: Subscription) -> None:
        """Keep new values of an existing subscription."""
        ...
