"""From terms and usage to lines and totals. The draft, the invoice and the preview are this same calculation."""

from collections.abc import Mapping
from datetime import datetime

from lotus_server.domain.catalog import Timing
from lotus_server.domain.invoicing.charge_lines import charge_lines
from lotus_server.domain.invoicing.invoice import InvoiceLine
from lotus_server.domain.invoicing.metered import Metered
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.invoicing.usage_lines import usage_lines
from lotus_server.domain.subscriptions import Subscription
from lotus_server.kernel.period import Period


def arrears_lines(terms: Terms, period: Period, usages: Mapping[str, Metered]) -> tuple[InvoiceLine, ...]:
    """Return the lines for what was used and held in `[period.start, period.end)`: usage, then charges in arrears."""
    return (*usage_lines(terms, period, usages), *charge_lines(terms, period, Timing.IN_ARREARS))


def advance_lines(terms: Terms, period: Period) -> tuple[InvoiceLine, ...]:
    """Return the lines of the charges that are due before the period begins."""
    return charge_lines(terms, period, Timing.IN_ADVANCE)


def cause_of_start(subscription: Subscription) -> str:
    """Return what makes the invoice of a subscription's first charges in advance unique."""
    return f"{subscription.subscription_id}:start"


def cause_of_period(subscription: Subscription) -> str:
    """Return what makes the invoice of the open period unique, however the period comes to its end."""
    start: datetime = subscription.open_period.start
    return f"{subscription.subscription_id}:period:{start.isoformat()}"
