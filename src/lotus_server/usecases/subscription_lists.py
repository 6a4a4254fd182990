"""Subscriptions as people look through them: a row for each, with its customer, its plan and what happens next."""

from datetime import datetime

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.subscriptions import Status, Subscription, Turn, next_turn
from lotus_server.ports.listing import Count, Part, Slice, SoldAs, SubscriptionOrder, SubscriptionQuestion
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services, present


class SubscriptionSummary(msgspec.Struct, frozen=True):
    """A subscription in a list; `next_turn` is null when it has ended."""

    subscription: Subscription
    customer: Customer
    sold_as: SoldAs
    status: Status
    next_turn: Turn | None


class SubscriptionList(msgspec.Struct, frozen=True):
    """A part of a list of subscriptions, and how many are asked for in all."""

    part: Part[SubscriptionSummary]
    count: Count


def view_subscriptions(
    services: Services,
    organization: Organization,
    question: SubscriptionQuestion,
    order: SubscriptionOrder,
    wanted: Slice,
) -> SubscriptionList:
    """Return a part of the subscriptions asked for, in a fixed number of queries whatever the number of rows.

    Raises Invalid for a place that is none.
    """
    now = present(services, organization)
    with services.records.snapshot() as tx:
        part = _part(tx, organization, question, order, wanted, now=now)
        count = part.count_if_whole(wanted) or tx.subscriptions.count(organization.organization_id, question, now)
    return SubscriptionList(part, count)


def read_subscriptions(
    services: Services,
    organization: Organization,
    question: SubscriptionQuestion,
    order: SubscriptionOrder,
    wanted: Slice,
) -> Part[SubscriptionSummary]:
    """Return a part of the subscriptions asked for as `view_subscriptions` does, without counting them: for a table."""
    with services.records.snapshot() as tx:
        return _part(tx, organization, question, order, wanted, now=present(services, organization))


def _part(
    tx: Transaction,
    organization: Organization,
    question: SubscriptionQuestion,
    order: SubscriptionOrder,
    wanted: Slice,
    *,
    now: datetime,
) -> Part[SubscriptionSummary]:
    organization_id = organization.organization_id
    found = tx.subscriptions.part(organization_id, question, order, wanted, now)
    customers = tx.customers.many(organization_id, sorted({each.customer_id for each in found.rows}))
    sold = tx.plans.sold_as(organization_id, sorted({each.version_id for each in found.rows}))
    rows = tuple(
        SubscriptionSummary(
            each, customers[each.customer_id], sold[each.version_id], each.status_at(now), next_turn(each, now)
        )
        for each in found.rows
    )
    return Part(rows, found.before, found.after)
