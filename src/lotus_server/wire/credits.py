"""Credits on the wire."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from pydantic import Field

from lotus_server.domain.credits import PRIORITY_DEFAULT, CreditAccount, CreditPosting, CreditStatus
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.quantity import ZERO
from lotus_server.ports.credit_records import CreditQuestion
from lotus_server.usecases.credits import CreditChange, CreditDraft, CreditView
from lotus_server.wire.credit_schedules import RolloverForm, currency_of, rollover, rollover_row
from lotus_server.wire.fields import instant
from lotus_server.wire.forms import Form, Number, Text, currency_code, currency_row, read, required

Row = dict[str, Any]
_STATUSES: Final = {status.value: status for status in CreditStatus}


class CreditForm(Form):
    """Credit to be given to a customer. Required are `customer_id` and `amount`."""

    customer_id: Text = None
    amount: Number = Field(None, description="Greater than 0, in major units of the currency.")
    currency_code: Any = Field(None, description="An ISO 4217 code; the customer's currency when missing.")
    currency: Any = Field(None, description="Another name for currency_code.")
    description: Text = None
    effective_at: Text = Field(None, description="From when on it can pay; now when missing.")
    expires_at: Text = Field(None, description="From when on it can no longer pay; never when missing.")
    priority: int | None = Field(None, description=f"1 to 255, {PRIORITY_DEFAULT} when missing; the lowest pays first.")
    amount_paid: Number = Field(None, description="What the customer paid for it: invoiced at once, without tax.")
    amount_paid_currency_code: Any = Field(None, description="The currency of amount_paid; the credit's when missing.")
    rollover: RolloverForm | None = None


class CreditUpdateForm(Form):
    """What of a credit can be changed; a key that is left out leaves things as they are."""

    description: Text = None
    expires_at: Text = Field(None, description="Null takes the expiry away.")


def credit_draft(payload: object) -> CreditDraft:
    """Return the draft that a body describes, with the problems found in it. Raises Invalid for what is no object."""
    problems = Problems()
    form = read(CreditForm, payload, problems)
    customer_id = required(problems, "customer_id", form.customer_id)
    if form.amount is None:
        problems.add("amount", "required", "amount is required.")
    return CreditDraft(
        customer_id=customer_id,
        amount=ZERO if form.amount is None else form.amount,
        currency=currency_of(problems, "currency_code", form.currency_code or form.currency),
        description=form.description or "",
        effective_at=instant(problems, "effective_at", form.effective_at or None),
        expires_at=instant(problems, "expires_at", form.expires_at or None),
        priority=PRIORITY_DEFAULT if form.priority is None else form.priority,
        amount_paid=form.amount_paid or ZERO,
        amount_paid_currency=currency_of(problems, "amount_paid_currency_code", form.amount_paid_currency_code),
        rollover=rollover(problems, form.rollover),
        problems=problems.found,
    )


# What a body may carry besides what it changes: the id of its own path, and what clients add of themselves.
_FIXED: Final = (
    "customer_id",
    "amount",
    "currency",
    "currency_code",
    "effective_at",
    "priority",
    "amount_paid",
    "amount_paid_currency_code",
    "rollover",
)


def credit_change(payload: object) -> CreditChange:
    """Return what a body changes of a credit. Raises Invalid with every problem, such as a field that never changes."""
    problems = Problems()
    form = read(CreditUpdateForm, payload, problems)
    assert isinstance(payload, dict), "read has looked at it"
    for field in _FIXED:
        if payload.get(field) is not None:
            detail = f"{field} of a credit never changes; only description and expires_at do."
            problems.add(field, "unchangeable", detail)
    change = CreditChange(
        description=form.description,
        expires_at=instant(problems, "expires_at", form.expires_at or None),
        expires_never="expires_at" in payload and payload["expires_at"] is None,
    )
    problems.raise_if_any()
    return change


def credit_question(query: dict[str, str]) -> CreditQuestion:
    """Return which credits a query asks for; `..._after` is included, `..._before` is not. Raises Invalid."""
    problems = Problems()

    def bounds(name: str) -> tuple[datetime | None, datetime | None]:
        after, before = f"{name}_after", f"{name}_before"
        return (
            instant(problems, after, query.get(after) or None),
            instant(problems, before, query.get(before) or None),
        )

    question = CreditQuestion(
        customer_id=query.get("customer_id") or None,
        currency=currency_code(query.get("currency_code") or query.get("currency")),
        effective=bounds("effective"),
        expires=bounds("expires"),
        granted=bounds("issued"),
    )
    problems.raise_if_any()
    return question


def credit_statuses(texts: Iterable[str]) -> frozenset[CreditStatus]:
    """Return the statuses that a query names. Raises Invalid for one that does not exist."""
    problems = Problems()
    wanted = set(texts)
    if wanted - _STATUSES.keys():
        problems.add("status", "invalid_choice", f"status must be one of {', '.join(_STATUSES)}.")
    problems.raise_if_any()
    return frozenset(_STATUSES[text] for text in wanted)


def credit_row(view: CreditView) -> Row:
    """Return a credit with what was drawn from it."""
    grant, customer = view.grant, view.customer
    paid = grant.amount_paid_currency
    return {
        "credit_id": grant.credit_id,
        "customer": {
            "customer_name": customer.customer_name,
            "email": customer.email,
            "customer_id": customer.customer_id,
        },
        "amount": grant.amount,
        "amount_remaining": view.remaining,
        "currency": currency_row(grant.currency),
        "description": grant.description,
        "effective_at": to_text(grant.effective_at),
        "expires_at": None if grant.expires_at is None else to_text(grant.expires_at),
        "status": view.status.value,
        "amount_paid": grant.amount_paid,
        "amount_paid_currency": None if paid is None else currency_row(paid),
        "drawdowns": [_drawdown_row(posting) for posting in view.drawdowns],
        "priority": grant.priority,
        "issued_at": to_text(grant.granted_at),
        "voided_at": None if grant.voided_at is None else to_text(grant.voided_at),
        "invoice_id": grant.invoice_id,
        "rollover": rollover_row(grant.rollover),
        "rolled_over_from": grant.rolled_over_from,
        "schedule_id": grant.schedule_id,
    }


def _drawdown_row(posting: CreditPosting) -> Row:
    """Return what was taken, as a negative amount, which all clients read; what came back is positive.

    `to` says where it went, or came from: `applied` to an invoice, `expired`, `rolled_over`, `voided`.
    """
    is_taken = posting.source is CreditAccount.AVAILABLE
    return {
        "credit_id": posting.credit_id,
        "amount": posting.amount.copy_negate() if is_taken else posting.amount,
        "description": posting.description,
        "applied_at": to_text(posting.posted_at),
        "invoice_id": posting.invoice_id,
        "to": (posting.target if is_taken else posting.source).value,
    }
