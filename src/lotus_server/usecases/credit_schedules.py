"""Credit given by a schedule: set up, listed, ended."""

from datetime import datetime
from decimal import Decimal

import msgspec

from lotus_server.domain.accounts import Customer, Organization
from lotus_server.domain.credits import (
    PRIORITY_DEFAULT,
    CreditSchedule,
    Rollover,
    ScheduleStatus,
    Term,
    schedule_problems,
)
from lotus_server.kernel.errors import Conflict, FieldProblem, NotFound, Problems
from lotus_server.kernel.period import Duration
from lotus_server.ports.paging import Page
from lotus_server.ports.records import Transaction
from lotus_server.usecases.credit_settlement import settle_credit
from lotus_server.usecases.customers import require_customer
from lotus_server.usecases.services import Services, present


class CreditScheduleDraft(msgspec.Struct, frozen=True):
    """Credit to be given again and again, from now on unless it names a later start.

    In the customer's currency unless it names one. `problems` are those that reading the input found already.
    """

    customer_id: str
    amount: Decimal
    recurs: Duration
    currency: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    expires_after: Term | None = None
    priority: int = PRIORITY_DEFAULT
    description: str = ""
    rollover: Rollover | None = None
    problems: tuple[FieldProblem, ...] = ()


class CreditScheduleView(msgspec.Struct, frozen=True):
    """A schedule with its customer."""

    schedule: CreditSchedule
    customer: Customer


def create_credit_schedule(
    services: Services, organization: Organization, draft: CreditScheduleDraft
) -> CreditScheduleView:
    """Set up a schedule; its first grant is given at once if it starts now.

    Raises Invalid with every problem, NotFound `customer_not_found`.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        problems = Problems()
        problems.extend(draft.problems)
        customer = None if problems.any_below("customer_id") else require_customer(tx, organization, draft.customer_id)
        starts_at = draft.starts_at or now
        schedule = CreditSchedule(
            organization_id=organization.organization_id,
            schedule_id=services.ids.new("credit_schedule"),
            customer_id=draft.customer_id,
            currency=draft.currency or (customer.currency if customer else organization.default_currency),
            amount=draft.amount,
            recurs=draft.recurs,
            starts_at=starts_at,
            created_at=now,
            due_at=starts_at,
            ends_at=draft.ends_at,
            expires_after=draft.expires_after,
            priority=draft.priority,
            description=draft.description,
            rollover=draft.rollover,
        )
        problems.extend(schedule_problems(schedule))
        if starts_at < now:
            problems.add(
                "starts_at", "invalid", "starts_at must not lie in the past: what was not given then is a credit."
            )
        problems.raise_if_any()
        assert customer is not None, "without one there was a problem"
        tx.credit_schedules.add(schedule)
        settle_credit(services, tx, schedule.organization_id, schedule.customer_id, now)
        return CreditScheduleView(_require(tx, organization, schedule.schedule_id), customer)


def list_credit_schedules(
    services: Services, organization: Organization, page: Page, *, customer_id: str | None = None
) -> list[CreditScheduleView]:
    """Return schedules, ended ones too, in the order in which they were set up."""
    with services.records.snapshot() as tx:
        schedules = tx.credit_schedules.page(organization.organization_id, page, customer_id=customer_id)
        ids = sorted({schedule.customer_id for schedule in schedules})
        customers = tx.customers.many(organization.organization_id, ids)
    return [CreditScheduleView(schedule, customers[schedule.customer_id]) for schedule in schedules]


def get_credit_schedule(services: Services, organization: Organization, schedule_id: str) -> CreditScheduleView:
    """Return one schedule. Raises NotFound `credit_schedule_not_found`."""
    with services.records.snapshot() as tx:
        return _view(tx, organization, _require(tx, organization, schedule_id))


def cancel_credit_schedule(services: Services, organization: Organization, schedule_id: str) -> CreditScheduleView:
    """End a schedule now. What it has given stays; what was due before is given first.

    Raises NotFound `credit_schedule_not_found`, Conflict `invalid_state` when it gives nothing any more.
    """
    now = present(services, organization)
    with services.records.transaction() as tx:
        customer_id = _require(tx, organization, schedule_id).customer_id
        settle_credit(services, tx, organization.organization_id, customer_id, now)
        schedule = _require(tx, organization, schedule_id, for_update=True)
        if schedule.status is not ScheduleStatus.ACTIVE:
            raise Conflict("The schedule has ended already.", code="invalid_state")
        canceled = msgspec.structs.replace(schedule, canceled_at=now, due_at=None)
        tx.credit_schedules.replace(canceled)
        return _view(tx, organization, canceled)


def _require(
    tx: Transaction, organization: Organization, schedule_id: str, *, for_update: bool = False
) -> CreditSchedule:
    schedule = tx.credit_schedules.get(organization.organization_id, schedule_id, for_update=for_update)
    if schedule is None:
        raise NotFound(f"There is no credit schedule {schedule_id!r}.", code="credit_schedule_not_found")
    return schedule


def _view(tx: Transaction, organization: Organization, schedule: CreditSchedule) -> CreditScheduleView:
    return CreditScheduleView(schedule, require_customer(tx, organization, schedule.customer_id))
