"""The subscriptions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, literal, or_, select, tuple_

from lotus_server.adapters.records_sql.changes import Notes
from lotus_server.adapters.records_sql.rows import Insert, Replace, Unique, Values, can_lock, of_tenant, portions
from lotus_server.adapters.records_sql.sorted_lists import read_part
from lotus_server.adapters.records_sql.subscription_lists import (
    conditions_of,
    count_subscriptions,
    segments_of,
)
from lotus_server.adapters.records_sql.tables import ORGANIZATIONS, SUBSCRIPTIONS
from lotus_server.adapters.records_sql.types import TEXT, Instant
from lotus_server.domain.subscriptions import Subscription
from lotus_server.kernel.period import Period
from lotus_server.ports.listing import EVERY_SUBSCRIPTION, Count, Part, Slice, SubscriptionOrder, SubscriptionQuestion
from lotus_server.ports.records import Page

_COLUMNS: Final = (
    "organization_id",
    "subscription_id",
    "customer_id",
    "plan_id",
    "version_id",
    "duration",
    "starts_at",
    "anchor",
    "ends_at",
    "auto_renew",
    "is_new",
    "open_start",
    "open_end",
    "created_at",
    "due_at",
    "matches",
    "metadata",
    "canceled_at",
    "is_fully_billed",
    "parked_cause",
    "usage_from",
    "quantities",
    "quantity_changes",
    "parent_id",
    "trial_end",
    "timezone",
    "pauses",
    "cadence",
    "looked_back",
    "next_plan",
)
_INSERT: Final = Insert(
    SUBSCRIPTIONS,
    [
        Unique(
            ("organization_id", "subscription_id"), "subscription_exists", "A subscription with this id exists already."
        )
    ],
)
_REPLACE: Final = Replace(SUBSCRIPTIONS, _COLUMNS, "subscription")
_ALL: Final = select(*(SUBSCRIPTIONS.c[name] for name in _COLUMNS))
_OF_ORGANIZATION: Final = _ALL.where(of_tenant(SUBSCRIPTIONS))
_ONE: Final = _OF_ORGANIZATION.where(SUBSCRIPTIONS.c.subscription_id == bindparam("subscription_id"))
# SQLite has no row locks and needs none: there, a transaction that may write is alone from its beginning.
_ONE_FOR_UPDATE: Final = _ONE.with_for_update()

_COVERS: Final = (SUBSCRIPTIONS.c.starts_at <= bindparam("at")) & or_(
    SUBSCRIPTIONS.c.ends_at.is_(None), SUBSCRIPTIONS.c.ends_at > bindparam("at")
)
_OF_CUSTOMER: Final = _OF_ORGANIZATION.where(SUBSCRIPTIONS.c.customer_id == bindparam("customer_id")).order_by(
    SUBSCRIPTIONS.c.starts_at, SUBSCRIPTIONS.c.subscription_id
)
_OF_CUSTOMERS: Final = _OF_ORGANIZATION.where(
    SUBSCRIPTIONS.c.customer_id.in_(bindparam("customer_ids", expanding=True))
).order_by(SUBSCRIPTIONS.c.starts_at, SUBSCRIPTIONS.c.subscription_id)
_LIVE_OF_CUSTOMERS: Final = _OF_CUSTOMERS.where(
    or_(SUBSCRIPTIONS.c.ends_at.is_(None), SUBSCRIPTIONS.c.ends_at > bindparam("at"))
)
_ATTACHED_TO: Final = _OF_ORGANIZATION.where(
    SUBSCRIPTIONS.c.parent_id.in_(bindparam("parent_ids", expanding=True))
).order_by(SUBSCRIPTIONS.c.starts_at, SUBSCRIPTIONS.c.subscription_id)
_OF_CUSTOMER_AT: Final = _OF_CUSTOMER.where(_COVERS)
_COUNT_ACTIVE: Final = (
    select(SUBSCRIPTIONS.c.version_id, func.count())
    .where(of_tenant(SUBSCRIPTIONS), _COVERS)
    .group_by(SUBSCRIPTIONS.c.version_id)
)

_AWAITS: Final = (
    of_tenant(SUBSCRIPTIONS)
    & (SUBSCRIPTIONS.c.open_end <= bindparam("at"))
    & SUBSCRIPTIONS.c.due_at.is_not(None)
    & SUBSCRIPTIONS.c.parked_cause.is_(None)
)
_AWAITING: Final = (
    _ALL.where(_AWAITS)
    .order_by(SUBSCRIPTIONS.c.open_end, SUBSCRIPTIONS.c.subscription_id)
    .with_hint(SUBSCRIPTIONS, "INDEXED BY ix_subscriptions_awaiting", "sqlite")
)
_COUNT_AWAITING: Final = (
    select(func.count())
    .select_from(SUBSCRIPTIONS)
    .where(_AWAITS)
    .with_hint(SUBSCRIPTIONS, "INDEXED BY ix_subscriptions_awaiting", "sqlite")
)
_DUE: Final = (SUBSCRIPTIONS.c.due_at <= bindparam("at")) & SUBSCRIPTIONS.c.due_at.is_not(None)
_DUE_OF_ORGANIZATION: Final = (
    _OF_ORGANIZATION.where(_DUE)
    .order_by(SUBSCRIPTIONS.c.due_at, SUBSCRIPTIONS.c.subscription_id)
    .limit(bindparam("limit"))
)
_DUE_IN_REAL_TIME: Final = (
    _ALL.join(ORGANIZATIONS, ORGANIZATIONS.c.organization_id == SUBSCRIPTIONS.c.organization_id)
    .where(_DUE, ORGANIZATIONS.c.clock_now.is_(None))
    .order_by(SUBSCRIPTIONS.c.due_at, SUBSCRIPTIONS.c.organization_id, SUBSCRIPTIONS.c.subscription_id)
    .limit(bindparam("limit"))
)
_COUNT_DUE: Final = (
    select(SUBSCRIPTIONS.c.organization_id, func.count()).where(_DUE).group_by(SUBSCRIPTIONS.c.organization_id)
)
_COUNT_DUE_OF_ORGANIZATION: Final = _COUNT_DUE.where(of_tenant(SUBSCRIPTIONS))
_COUNT_DUE_IN_REAL_TIME: Final = _COUNT_DUE.join(
    ORGANIZATIONS, ORGANIZATIONS.c.organization_id == SUBSCRIPTIONS.c.organization_id
).where(ORGANIZATIONS.c.clock_now.is_(None))
# Whoever moves a sandbox's clock wants everything done when it returns, and waits; a ticker leaves to others what they
# are at.
_CLAIM_OF_ORGANIZATION: Final = _DUE_OF_ORGANIZATION.with_for_update(of=SUBSCRIPTIONS)
_CLAIM_IN_REAL_TIME: Final = _DUE_IN_REAL_TIME.with_for_update(of=SUBSCRIPTIONS, skip_locked=True)


def subscription_to_row(value: Subscription) -> Values:
    """Return a subscription's columns."""
    return {
        "organization_id": value.organization_id,
        "subscription_id": value.subscription_id,
        "customer_id": value.customer_id,
        "plan_id": value.plan_id,
        "version_id": value.version_id,
        "duration": value.duration,
        "starts_at": value.starts_at,
        "anchor": value.anchor,
        "ends_at": value.ends_at,
        "auto_renew": value.auto_renew,
        "is_new": value.is_new,
        "open_start": value.open_period.start,
        "open_end": value.open_period.end,
        "created_at": value.created_at,
        "due_at": value.due_at,
        "matches": value.matches,
        "metadata": value.metadata,
        "canceled_at": value.canceled_at,
        "is_fully_billed": value.is_fully_billed,
        "parked_cause": value.parked_cause,
        "usage_from": value.usage_from,
        "quantities": value.quantities,
        "quantity_changes": value.quantity_changes,
        "parent_id": value.parent_id,
        "trial_end": value.trial_end,
        "timezone": value.timezone,
        "pauses": value.pauses,
        "cadence": value.cadence,
        "looked_back": value.looked_back,
        "next_plan": value.next_plan,
    }


def subscription_from_row(row: Sequence[Any]) -> Subscription:
    """Return the subscription of a row."""
    fields = [*row[:11], Period(row[11], row[12]), *row[13:]]
    return Subscription(*fields)


class SqlSubscriptions:
    """The subscriptions."""

    def __init__(self, connection: Connection, notes: Notes) -> None:
        """Work within one transaction."""
        self._connection = connection
        self._notes = notes

    def add(self, subscription: Subscription) -> None:
        _INSERT(self._connection, subscription_to_row(subscription))
        self._notes.add(subscription.organization_id, subscription.customer_id)

    def get(self, organization_id: str, subscription_id: str, *, for_update: bool = False) -> Subscription | None:
        query = _ONE_FOR_UPDATE if for_update and can_lock(self._connection) else _ONE
        keys = {"organization_id": organization_id, "subscription_id": subscription_id}
        row = self._connection.execute(query, keys).first()
        return None if row is None else subscription_from_row(row)

    def page(
        self,
        organization_id: str,
        page: Page,
        question: SubscriptionQuestion = EVERY_SUBSCRIPTION,
        at: datetime | None = None,
    ) -> list[Subscription]:
        query = _OF_ORGANIZATION.where(*conditions_of(question, at))
        query = query.order_by(SUBSCRIPTIONS.c.subscription_id).limit(page.limit)
        if page.after is not None:
            query = query.where(SUBSCRIPTIONS.c.subscription_id > page.after)
        rows = self._connection.execute(query, {"organization_id": organization_id})
        return [subscription_from_row(row) for row in rows]

    def part(
        self,
        organization_id: str,
        question: SubscriptionQuestion,
        order: SubscriptionOrder,
        wanted: Slice,
        at: datetime,
    ) -> Part[Subscription]:
        query = _OF_ORGANIZATION.where(*conditions_of(question, at))
        keys = {"organization_id": organization_id}
        return read_part(self._connection, segments_of(query, order), wanted, keys, subscription_from_row)

    def count(self, organization_id: str, question: SubscriptionQuestion, at: datetime) -> Count:
        return count_subscriptions(self._connection, organization_id, question, at)

    def live_of_customers(
        self, organization_id: str, customer_ids: Sequence[str], at: datetime
    ) -> dict[str, list[Subscription]]:
        found: dict[str, list[Subscription]] = {}
        for some in portions(customer_ids):
            keys = {"organization_id": organization_id, "customer_ids": some, "at": at}
            for row in self._connection.execute(_LIVE_OF_CUSTOMERS, keys):
                subscription = subscription_from_row(row)
                if subscription.parent_id is None:
                    found.setdefault(subscription.customer_id, []).append(subscription)
        return found

    def of_customer(self, organization_id: str, customer_id: str, at: datetime | None = None) -> list[Subscription]:
        keys = {"organization_id": organization_id, "customer_id": customer_id}
        if at is None:
            rows = self._connection.execute(_OF_CUSTOMER, keys)
        else:
            rows = self._connection.execute(_OF_CUSTOMER_AT, {**keys, "at": at})
        return [subscription_from_row(row) for row in rows]

    def of_customers(self, organization_id: str, customer_ids: Sequence[str]) -> dict[str, list[Subscription]]:
        found: dict[str, list[Subscription]] = {}
        for some in portions(customer_ids):
            keys = {"organization_id": organization_id, "customer_ids": some}
            for row in self._connection.execute(_OF_CUSTOMERS, keys):
                subscription = subscription_from_row(row)
                found.setdefault(subscription.customer_id, []).append(subscription)
        return found

    def attached_to(self, organization_id: str, parent_ids: Sequence[str]) -> dict[str, list[Subscription]]:
        found: dict[str, list[Subscription]] = {}
        for some in portions(parent_ids):
            keys = {"organization_id": organization_id, "parent_ids": some}
            for row in self._connection.execute(_ATTACHED_TO, keys):
                subscription = subscription_from_row(row)
                assert subscription.parent_id is not None, "asked for by it"
                found.setdefault(subscription.parent_id, []).append(subscription)
        return found

    def count_active(self, organization_id: str, at: datetime) -> dict[str, int]:
        rows = self._connection.execute(_COUNT_ACTIVE, {"organization_id": organization_id, "at": at})
        return {row[0]: row[1] for row in rows}

    def awaiting(self, organization_id: str, at: datetime, page: Page) -> list[Subscription]:
        query = _AWAITING.limit(page.limit)
        if page.after is not None:
            last = self.get(organization_id, page.after)
            if last is None:
                return []
            place = tuple_(literal(last.open_period.end, Instant), literal(last.subscription_id, TEXT))
            query = query.where(tuple_(SUBSCRIPTIONS.c.open_end, SUBSCRIPTIONS.c.subscription_id) > place)
        rows = self._connection.execute(query, {"organization_id": organization_id, "at": at})
        return [subscription_from_row(row) for row in rows]

    def count_awaiting(self, organization_id: str, at: datetime) -> int:
        keys = {"organization_id": organization_id, "at": at}
        return int(self._connection.execute(_COUNT_AWAITING, keys).scalar_one())

    def count_due(self, at: datetime, organization_id: str | None = None) -> dict[str, int]:
        query = _COUNT_DUE_IN_REAL_TIME if organization_id is None else _COUNT_DUE_OF_ORGANIZATION
        keys: Values = {"at": at} if organization_id is None else {"at": at, "organization_id": organization_id}
        return {row[0]: row[1] for row in self._connection.execute(query, keys)}

    def due(self, at: datetime, limit: int, organization_id: str | None = None) -> list[Subscription]:
        keys = {"at": at, "limit": limit}
        if organization_id is None:
            rows = self._connection.execute(_DUE_IN_REAL_TIME, keys)
        else:
            rows = self._connection.execute(_DUE_OF_ORGANIZATION, {**keys, "organization_id": organization_id})
        return [subscription_from_row(row) for row in rows]

    def claim(self, at: datetime, limit: int, organization_id: str | None = None) -> list[Subscription]:
        keys = {"at": at, "limit": limit}
        if organization_id is None:
            rows = self._connection.execute(_CLAIM_IN_REAL_TIME, keys)
        else:
            rows = self._connection.execute(_CLAIM_OF_ORGANIZATION, {**keys, "organization_id": organization_id})
        return [subscription_from_row(row) for row in rows]

    def replace(self, subscription: Subscription) -> None:
        _REPLACE(self._connection, subscription_to_row(subscription))
        self._notes.add(subscription.organization_id, subscription.customer_id)
