"""Customers as people look through them: a row for each, with what it has and owes."""

from datetime import datetime

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.catalog import Plan
from lotus_server.domain.subscriptions import Status, Turn, earliest_turn
from lotus_server.ports.listing import (
    Count,
    CustomerOrder,
    CustomerQuestion,
    Outstanding,
    Part,
    Slice,
    SoldAs,
)
from lotus_server.ports.records import Transaction
from lotus_server.usecases.services import Services, present


class CustomerSummary(msgspec.Struct, frozen=True):
    """A customer in a list: what it is subscribed to now, what it owes, and what happens to a subscription next."""

    customer: Customer
    plans: tuple[SoldAs, ...]
    outstanding: Outstanding
    next_turn: Turn | None


class CustomerList(msgspec.Struct, frozen=True):
    """A part of a list of customers, and how many are asked for in all."""

    part: Part[CustomerSummary]
    count: Count


def view_customers(
    services: Services, organization: Organization, question: CustomerQuestion, order: CustomerOrder, wanted: Slice
) -> CustomerList:
    """Return a part of the customers asked for, in a fixed number of queries whatever the number of rows.

    Outstanding amounts are compared in the organization's currency unless the order names one. Raises Invalid for a
    place that is none.
    """
    now = present(services, organization)
    with services.records.snapshot() as tx:
        part = _part(tx, organization, question, order, wanted, now=now)
        count = part.count_if_whole(wanted) or tx.customers.count(organization.organization_id, question, now)
    return CustomerList(part, count)


def read_customers(
    services: Services, organization: Organization, question: CustomerQuestion, order: CustomerOrder, wanted: Slice
) -> Part[CustomerSummary]:
    """Return a part of the customers asked for as `view_customers` does, without counting them: for a whole table."""
    with services.records.snapshot() as tx:
        return _part(tx, organization, question, order, wanted, now=present(services, organization))


def _part(
    tx: Transaction,
    organization: Organization,
    question: CustomerQuestion,
    order: CustomerOrder,
    wanted: Slice,
    *,
    now: datetime,
) -> Part[CustomerSummary]:
    organization_id = organization.organization_id
    if not order.currency:
        order = msgspec.structs.replace(order, currency=organization.default_currency)
    found = tx.customers.part(organization_id, question, order, wanted, now)
    ids = [customer.customer_id for customer in found.rows]
    held = tx.subscriptions.live_of_customers(organization_id, ids, now)
    owed = tx.invoices.outstanding(organization_id, ids)
    sold = tx.plans.sold_as(organization_id, sorted({each.version_id for some in held.values() for each in some}))
    rows = tuple(
        CustomerSummary(
            customer,
            tuple(
                sold[each.version_id]
                for each in held.get(customer.customer_id, [])
                if each.status_at(now) is Status.ACTIVE
            ),
            owed.get(customer.customer_id, {}),
            earliest_turn(held.get(customer.customer_id, []), now),
        )
        for customer in found.rows
    )
    return Part(rows, found.before, found.after)


def list_plan_names(services: Services, organization: Organization) -> list[Plan]:
    """Return the plans that customers can be asked for by, in the order in which they were made, without versions."""
    with services.records.snapshot() as tx:
        return [plan for plan in tx.plans.all(organization.organization_id) if plan.addon is None]
