"""One-off invoices on the wire."""

from typing import Any

from pydantic import Field

from lotus_server.kernel.errors import Problems
from lotus_server.kernel.quantity import ONE
from lotus_server.usecases.one_off_invoices import OneOffDraft, OneOffLine
from lotus_server.wire.fields import end_instant, instant
from lotus_server.wire.forms import Form, Number, Text, currency_code, read, required


class OneOffLineForm(Form):
    """Something sold: `name`, and either `unit_price` or `amount`."""

    name: Text = None
    quantity: Number = Field(None, description="1 when missing.")
    unit_price: Number = Field(None, description="In major units; it may be finer than the minor unit.")
    amount: Number = Field(None, description="What the line comes to as a whole.")
    period_start: Text = Field(None, description="When the service was rendered; the invoice's own day when missing.")
    period_end: Text = Field(None, description="A date alone is the last day, included.")


class OneOffForm(Form):
    """An invoice to be issued at once. Required are `customer_id` and `lines`."""

    customer_id: Text = None
    currency: Any = Field(None, description="An ISO 4217 code; the customer's currency when missing.")
    currency_code: Any = Field(None, description="Another name for currency.")
    lines: list[OneOffLineForm] | None = None
    note: Text = Field(None, description="Printed below the sums.")
    due_in_days: int | None = Field(None, description="The organization's term when missing.")
    apply_discounts: bool | None = Field(
        None, description="Whether the customer's discounts apply; false when missing."
    )


def one_off_draft(payload: object) -> OneOffDraft:
    """Return the draft that a body describes, with the problems found in it. Raises Invalid for what is no object."""
    problems = Problems()
    form = read(OneOffForm, payload, problems)
    given = form.currency or form.currency_code
    code = currency_code(given)
    if given and code is None:
        problems.add("currency", "unknown_currency", "currency must be an ISO 4217 currency code.")
    return OneOffDraft(
        customer_id=required(problems, "customer_id", form.customer_id),
        lines=tuple(_line(problems, f"lines[{place}]", line) for place, line in enumerate(form.lines or ())),
        currency=code or None,
        note=form.note or "",
        due_in_days=form.due_in_days,
        applies_discounts=bool(form.apply_discounts),
        problems=problems.found,
    )


def _line(problems: Problems, field: str, line: OneOffLineForm) -> OneOffLine:
    return OneOffLine(
        name=required(problems, f"{field}.name", line.name),
        quantity=ONE if line.quantity is None else line.quantity,
        unit_price=line.unit_price,
        amount=line.amount,
        period_start=instant(problems, f"{field}.period_start", line.period_start),
        period_end=end_instant(problems, f"{field}.period_end", line.period_end),
    )
