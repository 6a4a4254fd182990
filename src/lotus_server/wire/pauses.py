"""Pausing and resuming on the wire."""

from enum import StrEnum
from typing import Any, Final

from pydantic import Field

from lotus_server.domain.subscriptions import PausedFees, PausedUsage
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.usecases.pauses import PauseOrder, ResumeOrder
from lotus_server.usecases.subscription_views import SubscriptionView
from lotus_server.wire.fields import instant, is_day
from lotus_server.wire.forms import Form, Text, choice, read

_USAGE: Final = {each.value: each for each in PausedUsage}
_FEES: Final = {each.value: each for each in PausedFees}


class _Invoicing(StrEnum):
    NEXT = "add_to_next_invoice"
    NOW = "invoice_now"


_INVOICING: Final = {each.value: each for each in _Invoicing}


class PauseForm(Form):
    """When to pause, and what becomes of the charges of that time."""

    paused_from: Text = Field(None, description="The first time that is paused; now when missing.")
    paused_until: Text = Field(None, description="The first time that is not; until somebody resumes when missing.")
    flat_fee_behavior: Text = Field(
        None,
        description="charge_prorated (default): the paused time is not charged. charge_full: it is. "
        "prolong: the period, and all that follows, is as much later as the pause lasts.",
    )
    usage_behavior: Text = Field(
        None, description="bill_full (default): events that come in the pause count. bill_none: they do not."
    )
    invoicing_behavior: Text = Field(
        None, description="add_to_next_invoice (default), or invoice_now for a pause that begins now."
    )


class ResumeForm(Form):
    """When to go on."""

    resume_at: Text = Field(None, description="The first time that is not paused any more; now when missing.")
    invoicing_behavior: Text = Field(
        None, description="add_to_next_invoice (default), or invoice_now for a pause that ends now."
    )


def pause_order(payload: object) -> PauseOrder:
    """Return the pause that a body asks for, with the problems found in it. Raises Invalid for what is no object."""
    problems = Problems()
    form = read(PauseForm, payload, problems)
    texts = {"starts_at": form.paused_from, "ends_at": form.paused_until}
    return PauseOrder(
        starts_at=instant(problems, "paused_from", form.paused_from or None),
        ends_at=instant(problems, "paused_until", form.paused_until or None),
        fees=choice(problems, "flat_fee_behavior", form.flat_fee_behavior, _FEES, PausedFees.CHARGE_PRORATED),
        usage=choice(problems, "usage_behavior", form.usage_behavior, _USAGE, PausedUsage.BILL_FULL),
        invoices_now=invoices_now(problems, form.invoicing_behavior),
        days=frozenset(name for name, text in texts.items() if is_day(text)),
        problems=problems.found,
    )


def resume_order(payload: object) -> ResumeOrder:
    """Return the end of a pause that a body asks for, with the problems found in it. Raises Invalid for no object."""
    problems = Problems()
    form = read(ResumeForm, payload, problems)
    return ResumeOrder(
        resumes_at=instant(problems, "resume_at", form.resume_at or None),
        invoices_now=invoices_now(problems, form.invoicing_behavior),
        days=frozenset({"resumes_at"} if is_day(form.resume_at) else ()),
        problems=problems.found,
    )


def invoices_now(problems: Problems, text: str | None) -> bool:
    """Return whether what a change comes to is invoiced at once, and not with the customer's next invoice."""
    return choice(problems, "invoicing_behavior", text, _INVOICING, _Invoicing.NEXT) is _Invoicing.NOW


def pause_rows(view: SubscriptionView) -> list[dict[str, Any]]:
    """Return the pauses of a subscription: past, present and to come."""
    return [
        {
            "paused_from": to_text(each.starts_at),
            "paused_until": None if each.ends_at is None else to_text(each.ends_at),
            "flat_fee_behavior": each.fees.value,
            "usage_behavior": each.usage.value,
        }
        for each in view.subscription.pauses
    ]
