"""Grants of credit: what a customer was given, and when it can pay."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

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


class CreditStatus(StrEnum):
    """Whether a grant can still pay, now or later."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class CreditGrant(msgspec.Struct, frozen=True):
    """Credit given to a customer, in major units of one currency.

    It pays from `effective_at` on until `expires_at`, which is excluded (null: for ever). Grants with a lower
    `priority` are used first. `amount_paid` is what the customer paid for it, in `amount_paid_currency`: its cost,
    zero for a present. `invoice_id` names the invoice that gave it because its sum was negative.
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
    _money(found, "amount", grant.amount, "currency_code", grant.currency)
    if in_range(grant.amount) and not grant.amount:
        found.add("amount", "not_positive", "amount must be greater than 0.")
    if grant.amount_paid_currency is not None:
        _money(found, "amount_paid", grant.amount_paid, "amount_paid_currency_code", grant.amount_paid_currency)
    if not PRIORITY_MIN <= grant.priority <= PRIORITY_MAX:
        found.add("priority", "out_of_range", f"priority is a whole number from {PRIORITY_MIN} to {PRIORITY_MAX}.")
    if grant.expires_at is not None and grant.expires_at <= grant.effective_at:
        found.add("expires_at", "invalid", "expires_at must lie after effective_at.")
    if grant.description and (wrong := name_problem(grant.description, length_max=DESCRIPTION_LENGTH_MAX)):
        found.add("description", "invalid", f"description {wrong}.")
    return found.found


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
