"""Lines for recurring charges."""

from lotus_server.domain.catalog import Proration, RecurringCharge, Timing
from lotus_server.domain.invoicing.invoice import BillingType, InvoiceLine, LineKind
from lotus_server.domain.invoicing.lines import line_of
from lotus_server.domain.invoicing.terms import Terms
from lotus_server.domain.rating import Rated, Step, prorate
from lotus_server.domain.subscriptions import whole_period
from lotus_server.kernel.period import Period


def charge_lines(terms: Terms, period: Period, timing: Timing) -> tuple[InvoiceLine, ...]:
    """Return a line for each charge of a timing."""
    charges = terms.version.recurring_charges
    return tuple(charge_line(terms, charge, period) for charge in charges if charge.timing is timing)


def charge_line(terms: Terms, charge: RecurringCharge, period: Period) -> InvoiceLine:
    """Return the line of one recurring charge for a period or a part of one."""
    return line_of(
        terms,
        _rated_charge(terms, charge, period),
        name=f"{terms.plan.plan_name} {charge.name}",
        kind=LineKind.RECURRING,
        billing_type=BillingType(charge.timing.value),
        period=period,
        quantity=charge.quantity,
        charge_id=charge.charge_id,
    )


def _rated_charge(terms: Terms, charge: RecurringCharge, period: Period) -> Rated:
    """Return a charge for a period: its share of the whole period by exact time, or all of it."""
    step = Step(f"{charge.name}: a whole period", charge.quantity, charge.amount, charge.period_amount)
    whole = whole_period(terms.subscription, period.start)
    if charge.proration is Proration.FULL or period == whole:
        return Rated(charge.period_amount, (step,))
    return prorate(charge.period_amount, part=period, whole=whole, of=charge.name)
