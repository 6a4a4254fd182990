"""Subscriptions as people look through them: filtered, sorted, counted."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from lotus_server.adapters.records_sql.rows import of_tenant
from lotus_server.adapters.records_sql.sorted_lists import COUNTED_MAX, Segment, count_up_to, instant_from_text
from lotus_server.adapters.records_sql.tables import SUBSCRIPTIONS
from lotus_server.domain.subscriptions import Status
from lotus_server.kernel.instants import to_microseconds
from lotus_server.ports.listing import Condition, Count, SubscriptionOrder, SubscriptionQuestion, SubscriptionSort

IS_NO_ADDON: Final = SUBSCRIPTIONS.c.parent_id.is_(None)
_OTHERS: Final = SUBSCRIPTIONS.alias()
_LIVE: Final = frozenset({Status.NOT_STARTED, Status.ACTIVE})


def count_subscriptions(
    connection: Connection, organization_id: str, question: SubscriptionQuestion, at: datetime
) -> Count:
    """Return how many subscriptions are asked for."""
    found = select(SUBSCRIPTIONS.c.subscription_id).where(of_tenant(SUBSCRIPTIONS), *conditions_of(question, at))
    some = found.limit(COUNTED_MAX + 1).subquery()
    return count_up_to(connection, select(func.count()).select_from(some), {"organization_id": organization_id})


def conditions_of(question: SubscriptionQuestion, at: datetime | None) -> list[ColumnElement[bool]]:
    """Return the conditions of a question; `at` is the instant at which a subscription has its status."""
    of = SUBSCRIPTIONS.c
    conditions = [
        column == value
        for column, value in (
            (of.customer_id, question.customer_id),
            (of.plan_id, question.plan_id),
            (of.version_id, question.version_id),
        )
        if value is not None
    ]
    conditions.append(of.parent_id.is_not(None) if question.are_addons else IS_NO_ADDON)
    if question.statuses or question.conditions:
        wanted = [_has(status, at) for status in sorted(question.statuses)]
        conditions.append(or_(false(), *wanted, *(_is_in(each, at) for each in sorted(question.conditions))))
    if question.is_renewing is False and question.statuses and not (question.statuses - _LIVE or question.conditions):
        conditions.append(of.ends_at > at)  # few, so that the index that finds them is the right one
    elif question.is_renewing is not None:
        ends_at = _unindexed(of.ends_at)
        conditions.append(ends_at.is_(None) if question.is_renewing else ends_at.is_not(None))
    if question.ends_within is not None:
        assert at is not None, "a time within is one after an instant"
        conditions.append(and_(of.ends_at > at, of.ends_at <= at + question.ends_within))
    if question.starts_before is not None:
        conditions.append(_unindexed(of.starts_at) < to_microseconds(question.starts_before))
    if question.ends_after is not None:
        ends_at = _unindexed(of.ends_at)
        conditions.append(or_(ends_at.is_(None), ends_at > to_microseconds(question.ends_after)))
    return conditions


def _has(status: Status, at: datetime | None) -> ColumnElement[bool]:
    """Return the condition that says of rows what `Subscription.status_at` says of values."""
    assert at is not None, "a status is one at an instant"
    starts_at, ends_at = _unindexed(SUBSCRIPTIONS.c.starts_at), _unindexed(SUBSCRIPTIONS.c.ends_at)
    instant = to_microseconds(at)
    if status is Status.ENDED:
        return ends_at <= instant
    if status is Status.NOT_STARTED:  # few, so that the index that finds them is the right one
        return and_(SUBSCRIPTIONS.c.starts_at > at, or_(ends_at.is_(None), ends_at > instant))
    assert status is Status.ACTIVE, "there is no other status"
    return and_(starts_at <= instant, or_(ends_at.is_(None), ends_at > instant))


def _is_in(condition: Condition, at: datetime | None) -> ColumnElement[bool]:
    """Return the condition that says of rows what people look for beside a status."""
    of = SUBSCRIPTIONS.c
    if condition is Condition.PARKED:
        return of.parked_cause.is_not(None)
    assert at is not None, "who is active is so at an instant"
    if condition is Condition.TRIAL:
        return and_(_has(Status.ACTIVE, at), _is_among(_OTHERS.c.trial_end > at))
    # Instants are kept as texts with a final Z; without it they sort as they follow.
    is_paused = _IsPaused(of.pauses, literal(f"{at:%Y-%m-%dT%H:%M:%S.%f}"))
    return and_(
        _has(Status.ACTIVE, at), _is_among(type_coerce(_OTHERS.c.pauses, Text) != literal_column("'[]'")), is_paused
    )


def _is_among(few: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that a subscription is one of few, which a small index of their own finds.

    SQLite would rather look at all subscriptions in the order that is wanted, one by one.
    """
    return SUBSCRIPTIONS.c.subscription_id.in_(
        select(_OTHERS.c.subscription_id).where(_OTHERS.c.organization_id == bindparam("organization_id"), few)
    )


class _IsPaused(FunctionElement[bool]):
    """Tells whether pauses, as they are kept, cover an instant."""

    type = Boolean()
    inherit_cache = True
    name = "is_paused"


@compiles(_IsPaused, "sqlite")
def _paused_in_sqlite(element: _IsPaused, compiler: SQLCompiler, **how: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own
    covers = (
        "EXISTS (SELECT 1 FROM json_each({}) WHERE rtrim(json_extract(value, '$.starts_at'), 'Z') <= {} "
        "AND coalesce(rtrim(json_extract(value, '$.ends_at'), 'Z') > {}, 1))"
    )
    return _with_places(covers, element, compiler, how)


@compiles(_IsPaused, "postgresql")
def _paused_in_postgresql(element: _IsPaused, compiler: SQLCompiler, **how: Any) -> str:  # noqa: ANN401 - as above
    covers = (
        "EXISTS (SELECT 1 FROM json_array_elements(CAST({} AS json)) WHERE "
        "rtrim(value ->> 'starts_at', 'Z') COLLATE \"C\" <= {} "
        "AND coalesce(rtrim(value ->> 'ends_at', 'Z') COLLATE \"C\" > {}, true))"
    )
    return _with_places(covers, element, compiler, how)


def _with_places(covers: str, element: _IsPaused, compiler: SQLCompiler, how: dict[str, Any]) -> str:
    """Fill in the column and, twice, the instant, in their order there: places of values are counted."""
    pauses, at = element.clauses
    return covers.format(*(compiler.process(each, **how) for each in (pauses, at, at)))


def _unindexed(instant: ColumnElement[Any]) -> ColumnElement[int]:
    """Return a column's microseconds as a value that no index has.

    SQLite prefers an index on any bound, however few rows that leaves out, to the one in the order that is wanted, and
    would then sort nearly all rows.
    """
    return type_coerce(instant, BigInteger) + 0


def segments_of(query: Select[Any], order: SubscriptionOrder) -> list[Segment]:
    """Return a list of subscriptions in an order."""
    key, goes_down = SUBSCRIPTIONS.c.subscription_id, order.is_descending
    if order.by is SubscriptionSort.START:
        start = type_coerce(SUBSCRIPTIONS.c.starts_at, BigInteger)
        return [Segment(query, key, start, goes_down, instant_from_text)]
    if order.by is SubscriptionSort.RENEWAL:
        due_at = SUBSCRIPTIONS.c.due_at
        return [
            Segment(
                query.where(due_at.is_not(None)), key, type_coerce(due_at, BigInteger), goes_down, instant_from_text
            ),
            Segment(query.where(due_at.is_(None)), key),
        ]
    return [Segment(query, key, None, goes_down)]
