"""Customers as people look through them: searched, filtered, sorted, counted."""

import math
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Double,
    Select,
    and_,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)

from lotus_server.adapters.records_sql.rows import of_tenant
from lotus_server.adapters.records_sql.sorted_lists import (
    COUNTED_MAX,
    Segment,
    count_up_to,
    instant_from_text,
    read_part,
)
from lotus_server.adapters.records_sql.tables import CUSTOMERS, INVOICES, SUBSCRIPTIONS
from lotus_server.domain.accounts import Customer
from lotus_server.ports.listing import Count, CustomerOrder, CustomerQuestion, CustomerSort, Part, Slice

SORTED_LENGTH_MAX: Final = 100
"""Names are sorted by so many characters, because an index of PostgreSQL holds no more than 2,700 bytes of a row."""

_SMALLEST_UNITS: Final = 10_000  # the ten-thousandth is the smallest unit that a currency has
_CUSTOMERS: Final = select(*(CUSTOMERS.c[name] for name in Customer.__struct_fields__)).where(of_tenant(CUSTOMERS))
# As a literal, so that either database sees that the index of unpaid invoices answers.
_IS_UNPAID: Final = INVOICES.c.payment_status == literal_column("'unpaid'")
_IS_DUE: Final = and_(of_tenant(INVOICES), _IS_UNPAID, INVOICES.c.total != INVOICES.c.credited)


class Asked(msgspec.Struct, frozen=True):
    """A question, asked of an organization at an instant."""

    organization_id: str
    question: CustomerQuestion
    at: datetime

    @property
    def parameters(self) -> dict[str, Any]:
        """Return what the question's conditions have parameters for."""
        return {"organization_id": self.organization_id}


def searched_text(customer_id: str, customer_name: str, email: str | None) -> str:
    """Return the text in which a search looks for a customer; what is searched for lies within one of its lines."""
    return "\n".join((customer_id, customer_name, email or "")).casefold()


def sorted_name(customer_name: str) -> str:
    """Return what a customer's name is sorted by."""
    return customer_name.casefold()[:SORTED_LENGTH_MAX]


def customer_part(connection: Connection, asked: Asked, order: CustomerOrder, wanted: Slice) -> Part[Customer]:
    """Return a slice of the customers asked for."""
    query = _CUSTOMERS.where(*conditions_of(connection, asked.question, asked.at))
    return read_part(connection, _segments(query, order), wanted, asked.parameters, lambda row: Customer(*row))


def count_customers(connection: Connection, asked: Asked) -> Count:
    """Return how many customers are asked for."""
    conditions = conditions_of(connection, asked.question, asked.at)
    found = select(CUSTOMERS.c.customer_id).where(of_tenant(CUSTOMERS), *conditions)
    some = found.limit(COUNTED_MAX + 1).subquery()
    return count_up_to(connection, select(func.count()).select_from(some), asked.parameters)


def conditions_of(connection: Connection, question: CustomerQuestion, at: datetime | None) -> list[ColumnElement[bool]]:
    """Return the conditions of a question; `at` is the instant at which subscriptions are active."""
    conditions: list[ColumnElement[bool]] = []
    if needle := question.search.strip().casefold():
        conditions.append(CUSTOMERS.c.search_text.contains(needle, autoescape=True))
    if question.is_subscribed is not None:
        is_subscribed = _is_subscribed(connection, at)
        conditions.append(is_subscribed if question.is_subscribed else ~is_subscribed)
    if question.plan_id is not None:
        of_plan = select(SUBSCRIPTIONS.c.customer_id).where(
            of_tenant(SUBSCRIPTIONS), SUBSCRIPTIONS.c.plan_id == question.plan_id, _is_active(at)
        )
        conditions.append(CUSTOMERS.c.customer_id.in_(of_plan))
    if question.is_owing is not None:
        is_owing = exists().where(_IS_DUE, INVOICES.c.customer_id == CUSTOMERS.c.customer_id)
        conditions.append(is_owing if question.is_owing else ~is_owing)
    if question.created_since is not None:
        conditions.append(CUSTOMERS.c.created_at >= question.created_since)
    return conditions


def _is_subscribed(connection: Connection, at: datetime | None) -> ColumnElement[bool]:
    """Return the condition that a customer has an active subscription.

    SQLite looks up an `exists` customer by customer, which takes five times as long as reading one index through.
    PostgreSQL makes one join of it; `not in` it would answer customer by customer when there are very many.
    """
    active = and_(of_tenant(SUBSCRIPTIONS), _is_active(at))
    if connection.dialect.name == "sqlite":
        return CUSTOMERS.c.customer_id.in_(select(SUBSCRIPTIONS.c.customer_id).where(active))
    return exists().where(active, SUBSCRIPTIONS.c.customer_id == CUSTOMERS.c.customer_id)


def _is_active(at: datetime | None) -> ColumnElement[bool]:
    return and_(
        SUBSCRIPTIONS.c.starts_at <= at,
        or_(SUBSCRIPTIONS.c.ends_at.is_(None), SUBSCRIPTIONS.c.ends_at > at),
    )


def _segments(query: Select[Any], order: CustomerOrder) -> list[Segment]:
    key, goes_down = CUSTOMERS.c.customer_id, order.is_descending
    if order.by is CustomerSort.NAME:
        return [Segment(query, key, CUSTOMERS.c.sort_name, goes_down)]
    if order.by is CustomerSort.CREATED:
        created = type_coerce(CUSTOMERS.c.created_at, BigInteger)
        return [Segment(query, key, created, goes_down, instant_from_text)]
    if order.by is CustomerSort.OUTSTANDING:
        return _by_outstanding(query, order)
    return [Segment(query, key, None, goes_down)]


def _by_outstanding(query: Select[Any], order: CustomerOrder) -> list[Segment]:
    """Return those who owe something in the order of how much, then those who do not.

    SQLite has no exact sums. What is shown is summed exactly elsewhere; this decides only who stands before whom, and a
    whole number of the smallest units is the same number each time.
    """
    owed = cast(INVOICES.c.total, Double) - cast(INVOICES.c.credited, Double)
    owing = (
        select(INVOICES.c.customer_id, func.round(func.sum(owed) * _SMALLEST_UNITS).label("owed"))
        .where(_IS_DUE, INVOICES.c.currency == order.currency)
        .group_by(INVOICES.c.customer_id)
        .subquery("owing")
    )
    key = CUSTOMERS.c.customer_id
    owes = exists().where(_IS_DUE, INVOICES.c.currency == order.currency, INVOICES.c.customer_id == key)
    return [
        Segment(
            query.join(owing, owing.c.customer_id == key),
            key,
            type_coerce(owing.c.owed, Double),
            order.is_descending,
            _amount_from_text,
        ),
        Segment(query.where(~owes), key),
    ]


def _amount_from_text(text: str) -> object:
    amount = float(text)
    if not math.isfinite(amount):
        raise ValueError(text)
    return amount
