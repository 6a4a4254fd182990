"""The schedules by which credit is given."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from lotus_server.adapters.records_sql.credit_tables import CREDIT_SCHEDULES
from lotus_server.adapters.records_sql.rows import Insert, Replace, Unique, Values, can_lock, of_tenant
from lotus_server.domain.credits import CreditSchedule
from lotus_server.ports.paging import Page

_COLUMNS: Final = CREDIT_SCHEDULES.c
_INSERT: Final = Insert(
    CREDIT_SCHEDULES,
    [Unique(("organization_id", "schedule_id"), "credit_schedule_exists", "A schedule with this id exists already.")],
)
_REPLACE: Final = Replace(CREDIT_SCHEDULES, ("due_at", "given_count", "canceled_at"), "credit schedule")
_ALL: Final = select(*(_COLUMNS[name] for name in CreditSchedule.__struct_fields__)).where(of_tenant(CREDIT_SCHEDULES))
_ONE: Final = _ALL.where(_COLUMNS.schedule_id == bindparam("schedule_id"))
_ONE_FOR_UPDATE: Final = _ONE.with_for_update()
_DUE: Final = _ALL.where(
    _COLUMNS.customer_id == bindparam("customer_id"),
    _COLUMNS.due_at <= bindparam("at"),
    _COLUMNS.due_at.is_not(None),
).order_by(_COLUMNS.schedule_id)
_DUE_FOR_UPDATE: Final = _DUE.with_for_update()


def credit_schedule_to_row(value: CreditSchedule) -> Values:
    """Return a schedule's columns."""
    return {name: getattr(value, name) for name in CreditSchedule.__struct_fields__}


def credit_schedule_from_row(row: Sequence[Any]) -> CreditSchedule:
    """Return the schedule of a row whose columns are in the order of the fields."""
    return CreditSchedule(*row)


class SqlCreditSchedules:
    """The schedules by which credit is given."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, schedule: CreditSchedule) -> None:
        _INSERT(self._connection, credit_schedule_to_row(schedule))

    def get(self, organization_id: str, schedule_id: str, *, for_update: bool = False) -> CreditSchedule | None:
        query = _ONE_FOR_UPDATE if for_update and can_lock(self._connection) else _ONE
        keys = {"organization_id": organization_id, "schedule_id": schedule_id}
        row = self._connection.execute(query, keys).first()
        return None if row is None else credit_schedule_from_row(row)

    def page(self, organization_id: str, page: Page, *, customer_id: str | None = None) -> list[CreditSchedule]:
        query = _ALL.order_by(_COLUMNS.schedule_id).limit(page.limit)
        if customer_id is not None:
            query = query.where(_COLUMNS.customer_id == customer_id)
        if page.after is not None:
            query = query.where(_COLUMNS.schedule_id > page.after)
        rows = self._connection.execute(query, {"organization_id": organization_id})
        return [credit_schedule_from_row(row) for row in rows]

    def due(self, organization_id: str, customer_id: str, at: datetime) -> list[CreditSchedule]:
        query = _DUE_FOR_UPDATE if can_lock(self._connection) else _DUE
        keys = {"organization_id": organization_id, "customer_id": customer_id, "at": at}
        return [credit_schedule_from_row(row) for row in self._connection.execute(query, keys)]

    def replace(self, schedule: CreditSchedule) -> None:
        _REPLACE(self._connection, credit_schedule_to_row(schedule))
