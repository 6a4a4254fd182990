"""Monthly recurring revenue over a window: how it moved, month by month and in all, and which plans it comes from."""

import msgspec

from lotus_server.domain.accounts import Organization
from lotus_server.domain.analytics import (
    Dimension,
    Movements,
    PlanRecurring,
    Recurring,
    Step,
    begin_of,
    currencies_of,
    movements_of,
    movements_over,
    parts_of_window,
    plans_of,
)
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.period import Period
from lotus_server.usecases.revenue import Window, names_of, resolved, zone_of
from lotus_server.usecases.services import Services


class RecurringQuestion(msgspec.Struct, frozen=True):
    """The window that is asked about, and whether it is looked at by days or months."""

    asked: Window = Window()
    step: Step = Step.MONTH
    problems: tuple[FieldProblem, ...] = ()


class RecurringIn(msgspec.Struct, frozen=True):
    """The monthly revenue in a currency: how it moved over the window, in its parts, and by plan with its name."""

    currency: str
    movements: Movements
    parts: tuple[tuple[Period, Movements], ...]
    plans: tuple[tuple[str, PlanRecurring], ...]


class RecurringReport(msgspec.Struct, frozen=True):
    """Monthly recurring revenue by currency, the organization's own first."""

    window: Period
    step: Step
    currencies: tuple[RecurringIn, ...]


def recurring_report(services: Services, organization: Organization, question: RecurringQuestion) -> RecurringReport:
    """Return how monthly recurring revenue moved in a window. What is to begin later counts as it is known now.

    Raises Invalid with every problem, `too_many` for more than 400 days or months.
    """
    problems = Problems()
    problems.extend(question.problems)
    window = resolved(question.asked, services, organization, problems)
    parts = parts_of_window(window, question.step)
    if len(parts) > PARTS_MAX:
        problems.add("step", "too_many", f"At most {PARTS_MAX} days or months can be told apart.")
    problems.raise_if_any()
    organization_id = organization.organization_id
    with services.records.snapshot() as tx:
        plans = tx.plans.all(organization_id)
        zone = zone_of(organization)
        instants = [begin_of(day, zone) for day in (window.start, *(part.end for part in parts))]
        found = Recurring(instants, plans, tx.plans.versions(organization_id))
        for held in tx.figures.held(organization_id, instants[-1]):
            found.add(held)
        names = names_of(tx, organization_id, Dimension.PLAN, ())
    codes = sorted(currencies_of(found), key=lambda code: (code != organization.default_currency, code))
    return RecurringReport(
        window,
        question.step,
        tuple(
            RecurringIn(
                code,
                movements_over(found, code),
                tuple(zip(parts, movements_of(found, code), strict=True)),
                tuple((names.get(each.plan_id, each.plan_id), each) for each in plans_of(found, code)),
            )
            for code in codes
        ),
    )


PARTS_MAX = 400
