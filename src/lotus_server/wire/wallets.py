"""Wallets on the wire."""

from typing import Any

from pydantic import Field

from lotus_server.domain.credits import TopUp
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.usecases.wallets import WalletDraft, WalletView
from lotus_server.wire.credit_schedules import currency_of
from lotus_server.wire.forms import Form, Number, currency_row, read

Row = dict[str, Any]


class WalletForm(Form):
    """When prepaid credit is to be topped up. PUT needs `threshold` and `top_up_amount`; PATCH changes what is sent."""

    threshold: Number = Field(None, description="A top-up is wanted when the balance is below it.")
    top_up_amount: Number = Field(None, description="How much is wanted then.")
    max_per_month: Number = Field(None, description="In a calendar month (UTC) not more than so much; null: no limit.")
    currency_code: Any = Field(None, description="An ISO 4217 code; the customer's currency when missing.")


def wallet_draft(payload: object, *, keeps: bool) -> WalletDraft:
    """Return the settings that a body describes; `keeps` leaves what is not sent. Raises Invalid for no object."""
    problems = Problems()
    form = read(WalletForm, payload, problems)
    return WalletDraft(
        threshold=form.threshold,
        top_up_amount=form.top_up_amount,
        max_per_month=form.max_per_month,
        currency=currency_of(problems, "currency_code", form.currency_code),
        limits=isinstance(payload, dict) and "max_per_month" in payload,
        keeps=keeps,
        problems=problems.found,
    )


def wallet_row(view: WalletView) -> Row:
    """Return a wallet."""
    settings = view.settings
    return {
        "customer_id": view.customer.customer_id,
        "currency": currency_row(view.currency),
        "balance": view.balance,
        "is_low": view.is_low,
        "threshold": None if settings is None else settings.threshold,
        "top_up_amount": None if settings is None else settings.top_up_amount,
        "max_per_month": None if settings is None else settings.max_per_month,
        "pending_top_ups": [top_up_row(top_up) for top_up in view.pending],
        "credits": [
            {
                "credit_id": each.grant.credit_id,
                "amount_remaining": each.remaining,
                "expires_at": None if each.grant.expires_at is None else to_text(each.grant.expires_at),
            }
            for each in view.held
        ],
    }


def top_up_row(top_up: TopUp) -> Row:
    """Return a top-up."""
    return {
        "top_up_id": top_up.top_up_id,
        "customer_id": top_up.customer_id,
        "currency": currency_row(top_up.currency),
        "amount": top_up.amount,
        "status": top_up.status.value,
        "wanted_at": to_text(top_up.wanted_at),
        "resolved_at": None if top_up.resolved_at is None else to_text(top_up.resolved_at),
        "credit_id": top_up.credit_id,
    }
