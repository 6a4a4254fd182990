"""One line: an exact amount becomes an amount of money, once."""

from decimal import Decimal

from lotus_server.domain.invoicing.invoice import BillingType, InvoiceLine, LineKind
from lotus_server.domain.invoicing.measured import Measured
from lotus_server.domain.invoicing.metered import Group
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.rating import Rated
from lotus_server.kernel.currencies import currency
from lotus_server.kernel.money import round_to_minor_unit
from lotus_server.kernel.period import Period


def line_of(
    terms: Terms,
    rated: Rated,
    *,
    name: str,
    kind: LineKind,
    billing_type: BillingType,
    period: Period,
    quantity: Decimal,
    charge_id: str,
    metric_id: str | None = None,
    group: Group | None = None,
    measured: Measured | None = None,
) -> InvoiceLine:
    """Return the line of a rated amount, rounded to the minor unit of the version's currency."""
    return InvoiceLine(
        name=name,
        kind=kind,
        billing_type=billing_type,
        period=period,
        quantity=quantity,
        exact_amount=rated.amount,
        amount=round_to_minor_unit(rated.amount, currency(terms.version.currency)),
        plan_id=terms.plan.plan_id,
        version_id=terms.version.version_id,
        charge_id=charge_id,
        metric_id=metric_id,
        steps=rated.steps,
        group=group,
        measured=measured,
    )
