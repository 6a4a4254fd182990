"""From terms and usage to lines and totals. The draft, the invoice and the preview are this same calculation."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from lotus_server.domain.invoicing.charge_lines import charges_in_advance, charges_in_arrears, pending_changes
from lotus_server.domain.invoicing.invoice import InvoiceLine
from lotus_server.domain.invoicing.metered import Metered
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.invoicing.usage_lines import usage_lines
from lotus_server.domain.subscriptions import Subscription
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import plain

_CREDIT: Final = "credit:"


def arrears_lines(
    terms: Terms, period: Period, usages: Mapping[str, Metered], *, opened: Period | None = None
) -> tuple[InvoiceLine, ...]:
    """Return the lines for what was used, in one piece, and held in `[period.start, period.end)`."""
    return (*usage_lines(terms, period, usages), *held_lines(terms, period, opened=opened))


def held_lines(terms: Terms, period: Period, *, opened: Period | None = None) -> tuple[InvoiceLine, ...]:
    """Return the lines for what was held in `[period.start, period.end)`, which come after those for usage.

    First charges in arrears, then the changes of quantities within what was invoiced in advance: `opened`, of which
    `period` is the part so far (null: all of it).
    """
    return (
        *charges_in_arrears(terms, period),
        *pending_changes(terms, period if opened is None else opened),
    )


def advance_lines(terms: Terms, period: Period) -> tuple[InvoiceLine, ...]:
    """Return the lines of the charges and prepaid units that are due before the period begins."""
    return charges_in_advance(terms, period)


def cause_of_start(subscription: Subscription) -> str:
    """Return what makes the invoice of a subscription's first charges in advance unique."""
    return f"{subscription.subscription_id}:start"


def cause_of_usage(subscription: Subscription, until: datetime) -> str:
    """Return what makes the invoice of usage up to an instant within the open period unique."""
    return f"{subscription.subscription_id}:usage:{until.isoformat()}"


def cause_of_threshold(subscription: Subscription, reached: Decimal) -> str:
    """Return what makes the invoice of usage that has reached a threshold in the open period unique."""
    start = subscription.open_period.start
    return f"{subscription.subscription_id}:spend:{start.isoformat()}:{plain(reached)}"


def cause_of_period(subscription: Subscription) -> str:
    """Return what makes the invoice of the open period unique, however the period comes to its end."""
    start: datetime = subscription.open_period.start
    return f"{subscription.subscription_id}:period:{start.isoformat()}"


def cause_of_credit(credit_id: str) -> str:
    """Return what makes the invoice of credit that a customer buys unique."""
    return f"{_CREDIT}{credit_id}"


def credit_of_cause(cause: str) -> str | None:
    """Return the id of the credit that was bought by an invoice of a cause, null for any other invoice."""
    return cause.removeprefix(_CREDIT) if cause.startswith(_CREDIT) else None
