"""Grants of credit: what a customer was given, and when it can pay."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.domain.credits.terms import Term
from lotus_server.kernel.currencies import CURRENCIES, currency
from lotus_server.kernel.errors import FieldProblem, Problems
from lotus_server.kernel.identifiers import name_problem
from lotus_server.kernel.money import round_to_minor_unit
from lotus_server.kernel.quantity import ZERO, in_range

PRIORITY_MIN: Final = 1
PRIORITY_MAX: Final = 255
PRIORITY_DEFAULT: Final = 100
DESCRIPTION_LENGTH_MAX: Final = 500
AMOUNT_LIMIT: Final = Decimal(10) ** 10
ROLLOVERS_MAX: Final = 1_000


class CreditStatus(StrEnum):
    """Whether a grant can still pay, now or later."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class Rollover(msgspec.Struct, frozen=True):
    """What becomes of what a grant has left at its expiry: up to `max_amount` of it (null: all) is a new grant.

    That one lasts for `expires_after` and rolls over in the same way, until this has happened `max_times`.
    """

    expires_after: Term
    max_amount: Decimal | None = None
    max_times: int = 1


class CreditGrant(msgspec.Struct, frozen=True):
    """Credit given to a customer, in major units of one currency.

    It pays from `effective_at` on until `expires_at`, which is excluded (null: for ever). Grants with a lower
    `priority` are used first. `amount_paid` is what the customer paid for it, in `amount_paid_currency`: its cost,
    zero for a present. `invoice_id` names the invoice that gave it because its sum was negative.

    What it has left at its expiry is lost without a `rollover`. `due_at` is the expiry as long as the ledger does not
    show it. A grant that came about by rolling over names the one before it; `rollover_number` counts from the first.
    `is_prepaid` tells that money was paid for it, or for the grant it rolled over from.
    """

    organization_id: str
    credit_id: str
    customer_id: str
    currency: str
    amount: Decimal
    granted_at: datetime
    effective_at: datetime
    expires_at: datetime | None = None
    priority: int = PRIORITY_DEFAULT
    description: str = ""
    amount_paid: Decimal = ZERO
    amount_paid_currency: str | None = None
    invoice_id: str | None = None
    voided_at: datetime | None = None
    rollover: Rollover | None = None
    rolled_over_from: str | None = None
    rollover_number: int = 0
    schedule_id: str | None = None
    is_prepaid: bool = False
    due_at: datetime | None = None

    def pays_at(self, instant: datetime) -> bool:
        """Tell whether the grant can pay at an instant: not voided, `effective_at <= instant < expires_at`."""
        is_over = self.expires_at is not None and instant >= self.expires_at
        return self.voided_at is None and self.effective_at <= instant and not is_over

    def status_at(self, instant: datetime, remaining: Decimal) -> CreditStatus:
        """Return whether what remains of the grant can pay at an instant or later."""
        is_over = self.expires_at is not None and instant >= self.expires_at
        can_pay = self.voided_at is None and not is_over and remaining > 0
        return CreditStatus.ACTIVE if can_pay else CreditStatus.INACTIVE


def grant_problems(grant: CreditGrant) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with a grant."""
    found = Problems()
    amount_problems(found, "amount", grant.amount, "currency_code", grant.currency)
    if grant.amount_paid_currency is not None:
        _money(found, "amount_paid", grant.amount_paid, "amount_paid_currency_code", grant.amount_paid_currency)
    if not PRIORITY_MIN <= grant.priority <= PRIORITY_MAX:
        found.add("priority", "out_of_range", f"priority is a whole number from {PRIORITY_MIN} to {PRIORITY_MAX}.")
    if grant.expires_at is not None and grant.expires_at <= grant.effective_at:
        found.add("expires_at", "invalid", "expires_at must lie after effective_at.")
    if grant.rollover is not None:
        rollover_problems(found, grant.rollover, grant.currency)
        if grant.expires_at is None:
            found.add("expires_at", "required", "What never expires cannot roll over: expires_at is required.")
    if grant.description and (wrong := name_problem(grant.description, length_max=DESCRIPTION_LENGTH_MAX)):
        found.add("description", "invalid", f"description {wrong}.")
    return found.found


def rollover_problems(found: Problems, rollover: Rollover, code: str) -> None:
    """Add everything that is wrong with a rollover of credit in a currency."""
    if rollover.max_amount is not None and code in CURRENCIES:
        _money(found, "rollover.max_amount", rollover.max_amount, "currency_code", code)
        if in_range(rollover.max_amount) and not rollover.max_amount:
            found.add("rollover.max_amount", "not_positive", "rollover.max_amount must be greater than 0.")
    if not 1 <= rollover.max_times <= ROLLOVERS_MAX:
        detail = f"rollover.max_times is a whole number from 1 to {ROLLOVERS_MAX}."
        found.add("rollover.max_times", "out_of_range", detail)


def amount_problems(found: Problems, field: str, amount: Decimal, code_field: str, code: str) -> None:
    """Add everything that is wrong with an amount that must be above zero."""
    _money(found, field, amount, code_field, code)
    if in_range(amount) and not amount:
        found.add(field, "not_positive", f"{field} must be greater than 0.")


def _money(found: Problems, field: str, amount: Decimal, code_field: str, code: str) -> None:
    """Check an amount: not negative, below 10^10, and not finer than the smallest unit of its currency."""
    if code not in CURRENCIES:
        found.add(code_field, "unknown_currency", f"{code!r} is not an ISO 4217 currency code.")
        return
    if not in_range(amount) or amount >= AMOUNT_LIMIT:
        found.add(field, "out_of_range", f"{field} must be below 10^10.")
    elif amount < 0:
        found.add(field, "negative", f"{field} must not be negative.")
    elif round_to_minor_unit(amount, currency(code)) != amount:
        exponent = currency(code).exponent
        found.add(field, "too_precise", f"{field} has at most {exponent} decimal places in {code}.")
