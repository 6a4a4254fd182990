"""Which invoices a list shows, as its query says it."""

from collections.abc import Mapping

import msgspec

from lotus_server.kernel.currencies import CURRENCIES
from lotus_server.kernel.errors import Problems
from lotus_server.ports.invoice_reading import InvoiceOrder, InvoiceQuestion
from lotus_server.usecases.invoice_reading import InvoiceState
from lotus_server.wire.fields import instant
from lotus_server.wire.forms import Form, Number, Text, choice, read

_STATES = {each.value: each for each in InvoiceState}
_ORDERS = {each.value: each for each in InvoiceOrder}
_NUMBER_LENGTH_MAX = 100


class InvoiceFilters(Form):
    """The parameters of a list of invoices."""

    customer_id: Text = None
    payment_status: Text = None
    plan_id: Text = None
    currency_code: Text = None
    number: Text = None
    issued_after: Text = None
    issued_before: Text = None
    due_after: Text = None
    due_before: Text = None
    amount_min: Number = None
    amount_max: Number = None
    sort: Text = None
    order: Text = None


class InvoiceSelection(msgspec.Struct, frozen=True):
    """Which invoices a list shows: those of a state (null: any) that a question asks for."""

    question: InvoiceQuestion
    state: InvoiceState | None = None


def invoice_selection(query: Mapping[str, str]) -> InvoiceSelection:
    """Return what a query asks for; what is empty is as if it were not there. Raises Invalid with every problem."""
    problems = Problems()
    form = read(InvoiceFilters, {key: value for key, value in query.items() if value.strip()}, problems)
    if form.currency_code is not None and form.currency_code not in CURRENCIES:
        problems.add("currency_code", "unknown_currency", "currency_code must be an ISO 4217 currency code.")
    if form.number is not None and len(form.number) > _NUMBER_LENGTH_MAX:
        problems.add("number", "too_long", f"number must have at most {_NUMBER_LENGTH_MAX} characters.")
    if form.order not in {None, "asc", "desc"}:
        problems.add("order", "invalid_choice", "order must be one of asc, desc.")
    state = choice(problems, "payment_status", form.payment_status, _STATES, InvoiceState.UNPAID)
    question = InvoiceQuestion(
        customer_id=form.customer_id,
        plan_id=form.plan_id,
        currency=form.currency_code,
        number=form.number.strip() if form.number else None,
        issued_from=instant(problems, "issued_after", form.issued_after),
        issued_before=instant(problems, "issued_before", form.issued_before),
        due_from=instant(problems, "due_after", form.due_after),
        due_before=instant(problems, "due_before", form.due_before),
        amount_min=form.amount_min,
        amount_max=form.amount_max,
        order=choice(problems, "sort", form.sort, _ORDERS, InvoiceOrder.NUMBER),
        is_ascending=form.order == "asc",
    )
    problems.raise_if_any()
    return InvoiceSelection(question, None if form.payment_status is None else state)
