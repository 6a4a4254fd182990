"""Credit schedules on the wire, and what credits and schedules share: terms and rollovers."""

from typing import Any, Final

from pydantic import Field

from lotus_server.domain.credits import PRIORITY_DEFAULT, Rollover, Term, parse_term
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.period import Duration
from lotus_server.kernel.quantity import ZERO
from lotus_server.usecases.credit_schedules import CreditScheduleDraft, CreditScheduleView
from lotus_server.wire.fields import instant
from lotus_server.wire.forms import Form, Number, Text, choice, currency_code, currency_row, read, required

Row = dict[str, Any]
_RECURS: Final = {duration.value: duration for duration in Duration}
_TERM: Final = "An ISO 8601 duration of years, months, weeks and days, such as P1M or P90D"


class RolloverForm(Form):
    """What becomes of what is left at the expiry; without it, it is lost."""

    expires_after: Text = Field(None, description=f"How long the new credit lasts. {_TERM}.")
    max_amount: Number = Field(None, description="At most so much rolls over; everything when missing.")
    max_times: int | None = Field(None, description="How often in a row; 1 when missing.")


class CreditScheduleForm(Form):
    """Credit to be given again and again. Required are `customer_id`, `amount` and `recurs`."""

    customer_id: Text = None
    amount: Number = Field(None, description="Given each time. Greater than 0, in major units of the currency.")
    recurs: Text = Field(None, description=f"{', '.join(_RECURS)}.")
    currency_code: Any = Field(None, description="An ISO 4217 code; the customer's currency when missing.")
    currency: Any = Field(None, description="Another name for currency_code.")
    starts_at: Text = Field(None, description="The first grant, from which all others are counted; now when missing.")
    ends_at: Text = Field(None, description="From then on nothing is given; without it, until it is cancelled.")
    expires_after: Text = Field(None, description=f"How long each grant lasts; for ever when missing. {_TERM}.")
    priority: int | None = Field(None, description=f"1 to 255, {PRIORITY_DEFAULT} when missing; the lowest pays first.")
    description: Text = None
    rollover: RolloverForm | None = None


def credit_schedule_draft(payload: object) -> CreditScheduleDraft:
    """Return the draft that a body describes, with the problems found in it. Raises Invalid for what is no object."""
    problems = Problems()
    form = read(CreditScheduleForm, payload, problems)
    if form.amount is None:
        problems.add("amount", "required", "amount is required.")
    if form.recurs is None:
        problems.add("recurs", "required", "recurs is required.")
    return CreditScheduleDraft(
        customer_id=required(problems, "customer_id", form.customer_id),
        amount=ZERO if form.amount is None else form.amount,
        recurs=choice(problems, "recurs", form.recurs, _RECURS, Duration.MONTHLY),
        currency=currency_of(problems, "currency_code", form.currency_code or form.currency),
        starts_at=instant(problems, "starts_at", form.starts_at or None),
        ends_at=instant(problems, "ends_at", form.ends_at or None),
        expires_after=term(problems, "expires_after", form.expires_after),
        priority=PRIORITY_DEFAULT if form.priority is None else form.priority,
        description=form.description or "",
        rollover=rollover(problems, form.rollover),
        problems=problems.found,
    )


def currency_of(problems: Problems, field: str, given: object) -> str | None:
    """Return the code of a currency, null without one; what is no currency's is a problem."""
    code = currency_code(given)
    if given and code is None:
        problems.add(field, "unknown_currency", f"{field} must be an ISO 4217 currency code.")
        return code
    return code or None


def term(problems: Problems, field: str, text: str | None) -> Term | None:
    """Return the length of time that a text names, null without one; a wrong one is a problem."""
    if not text:
        return None
    found = parse_term(text.strip())
    if found is None:
        problems.add(
            field, "invalid", f"{field} must be an ISO 8601 duration of at most 100 years, such as P1M or P90D."
        )
    return found


def rollover(problems: Problems, form: RolloverForm | None) -> Rollover | None:
    """Return the rollover that a form describes; without a length for the new credit there is none, but a problem."""
    if form is None:
        return None
    if not form.expires_after:
        problems.add("rollover.expires_after", "required", "rollover.expires_after is required.")
    expires_after = term(problems, "rollover.expires_after", form.expires_after)
    if expires_after is None:
        return None
    return Rollover(expires_after, form.max_amount, 1 if form.max_times is None else form.max_times)


def rollover_row(value: Rollover | None) -> Row | None:
    """Return a rollover."""
    if value is None:
        return None
    return {
        "expires_after": value.expires_after.text,
        "max_amount": value.max_amount,
        "max_times": value.max_times,
    }


def credit_schedule_row(view: CreditScheduleView) -> Row:
    """Return a schedule."""
    schedule = view.schedule
    return {
        "schedule_id": schedule.schedule_id,
        "customer": {
            "customer_name": view.customer.customer_name,
            "email": view.customer.email,
            "customer_id": view.customer.customer_id,
        },
        "amount": schedule.amount,
        "currency": currency_row(schedule.currency),
        "recurs": schedule.recurs.value,
        "starts_at": to_text(schedule.starts_at),
        "ends_at": None if schedule.ends_at is None else to_text(schedule.ends_at),
        "expires_after": None if schedule.expires_after is None else schedule.expires_after.text,
        "priority": schedule.priority,
        "description": schedule.description,
        "rollover": rollover_row(schedule.rollover),
        "status": schedule.status.value,
        "given_count": schedule.given_count,
        "next_at": None if schedule.due_at is None else to_text(schedule.due_at),
        "created_at": to_text(schedule.created_at),
        "canceled_at": None if schedule.canceled_at is None else to_text(schedule.canceled_at),
    }
