"""Credit that is given again and again."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.domain.credits.grants import (
    DESCRIPTION_LENGTH_MAX,
    PRIORITY_DEFAULT,
    PRIORITY_MAX,
    PRIORITY_MIN,
    CreditGrant,
    Rollover,
    amount_problems,
    rollover_problems,
)
from lotus_server.domain.credits.terms import Term
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.identifiers import name_problem
from lotus_server.kernel.period import Duration, boundary

_MONTHS: Final = {Duration.MONTHLY: 1, Duration.QUARTERLY: 3, Duration.YEARLY: 12}


class ScheduleStatus(StrEnum):
    """Whether a schedule still gives credit."""

    ACTIVE = "active"
    ENDED = "ended"
    CANCELED = "canceled"


class CreditSchedule(msgspec.Struct, frozen=True):
    """Credit of `amount` given to a customer at `starts_at` and at each boundary after it, before `ends_at`.

    Boundaries are counted from `starts_at`, so the 31st comes back after a short month. Each grant lasts for
    `expires_after` (null: for ever). `due_at` is when the next grant is due, the one with the number `given_count`;
    null when there is none.
    """

    organization_id: str
    schedule_id: str
    customer_id: str
    currency: str
    amount: Decimal
    recurs: Duration
    starts_at: datetime
    created_at: datetime
    due_at: datetime | None
    ends_at: datetime | None = None
    expires_after: Term | None = None
    priority: int = PRIORITY_DEFAULT
    description: str = ""
    rollover: Rollover | None = None
    given_count: int = 0
    canceled_at: datetime | None = None

    @property
    def status(self) -> ScheduleStatus:
        """Return whether there is another grant to come."""
        if self.canceled_at is not None:
            return ScheduleStatus.CANCELED
        return ScheduleStatus.ENDED if self.due_at is None else ScheduleStatus.ACTIVE


def schedule_problems(schedule: CreditSchedule) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a schedule."""
    found = Problems()
    amount_problems(found, "amount", schedule.amount, "currency_code", schedule.currency)
    if not PRIORITY_MIN <= schedule.priority <= PRIORITY_MAX:
        found.add("priority", "out_of_range", f"priority is a whole number from {PRIORITY_MIN} to {PRIORITY_MAX}.")
    if schedule.ends_at is not None and schedule.ends_at <= schedule.starts_at:
        found.add("ends_at", "end_before_start", "ends_at must lie after starts_at.")
    if schedule.rollover is not None:
        rollover_problems(found, schedule.rollover, schedule.currency)
        if schedule.expires_after is None:
            found.add("expires_after", "required", "What never expires cannot roll over: expires_after is required.")
    if schedule.description and (wrong := name_problem(schedule.description, length_max=DESCRIPTION_LENGTH_MAX)):
        found.add("description", "invalid", f"description {wrong}.")
    return found.found


def give_due(schedule: CreditSchedule, until: datetime) -> tuple[CreditSchedule, list[CreditGrant]]:
    """Return a schedule after everything due by `until` was given, and these grants, each with an id of its own."""
    given = []
    while schedule.due_at is not None and schedule.due_at <= until:
        given.append(_next_grant(schedule, schedule.due_at))
        count = schedule.given_count + 1
        following = boundary(schedule.starts_at, schedule.recurs, count)
        is_over = schedule.ends_at is not None and following >= schedule.ends_at
        schedule = msgspec.structs.replace(schedule, given_count=count, due_at=None if is_over else following)
    return schedule, given


def _next_grant(schedule: CreditSchedule, at: datetime) -> CreditGrant:
    expires_at = _expiry(schedule, at)
    return CreditGrant(
        organization_id=schedule.organization_id,
        credit_id=f"{schedule.schedule_id}_{schedule.given_count + 1:04d}",
        customer_id=schedule.customer_id,
        currency=schedule.currency,
        amount=schedule.amount,
        granted_at=at,
        effective_at=at,
        expires_at=expires_at,
        priority=schedule.priority,
        description=schedule.description,
        rollover=schedule.rollover,
        schedule_id=schedule.schedule_id,
        due_at=expires_at,
    )


def _expiry(schedule: CreditSchedule, at: datetime) -> datetime | None:
    """Return when a grant expires. Months are counted from the schedule's start: after `P1M` the next one is there."""
    if schedule.expires_after is None:
        return None
    if schedule.recurs not in _MONTHS:
        return schedule.expires_after.after(at)
    months = _MONTHS[schedule.recurs] * schedule.given_count
    return schedule.expires_after.after(schedule.starts_at, months_later=months)
