"""Runs golden entries about what a whole invoice comes to: commitments, adjustments, tax."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from lotus_server.domain.catalog import AdjustmentKind, Commitment, PriceAdjustment, RecurringCharge, Timing
from lotus_server.domain.invoicing import (
    LineKind,
    TaxTerms,
    Terms,
    adjusted,
    arrears_lines,
    commitment_lines,
    standard_rate,
    total_of,
)
from lotus_server.kernel.instants import parse_instant
from lotus_server.kernel.period import Duration, Period, period_at
from lotus_server.kernel.quantity import ZERO, multiply
from tests.records_values import MARCH, invoice_line, plan, plan_version, subscription

Case = dict[str, Any]
_CENT = Decimal("0.01")
_HUNDRED = Decimal(100)
_DURATIONS = {
    "week": Duration.WEEKLY,
    "month": Duration.MONTHLY,
    "quarter": Duration.QUARTERLY,
    "year": Duration.YEARLY,
}
_ADJUSTMENTS = {
    "fixed_adjustment": AdjustmentKind.FIXED,
    "price_override": AdjustmentKind.OVERRIDE,
    "percentage_adjustment": AdjustmentKind.PERCENTAGE,
}


def true_up(setup: Case, inputs: Case) -> Case:
    """A period of a plan with a fee and a commitment, from the start to the end of its first period."""
    start = parse_instant(inputs["start"])
    assert start is not None
    duration = _DURATIONS[inputs["interval"]]
    anchor = start if inputs["alignment"] == "anniversary" else _calendar_start(duration, start)
    period = Period(start, period_at(anchor, duration, start).end)
    charge = RecurringCharge("fee", "Fee", multiply(Decimal(setup["plan_cents"]), _CENT), Timing(f"{setup['billing']}"))
    commitment = Commitment(multiply(Decimal(setup["minimum_cents"]), _CENT))
    version = plan_version(recurring_charges=(charge,), commitment=commitment)
    held = subscription(starts_at=start, anchor=anchor, duration=duration, open_period=period)
    terms = Terms(held, plan(duration=duration), version, {})
    (line,) = commitment_lines(terms, arrears_lines(terms, period, {}), opened=period, held=period)
    return {"true_up_cents": multiply(line.amount, _HUNDRED)}


def _calendar_start(duration: Duration, start: datetime) -> datetime:
    """Return the beginning of the week (Monday), month, quarter or year."""
    if duration is Duration.WEEKLY:
        return start - timedelta(days=start.weekday())
    month = {Duration.MONTHLY: start.month, Duration.QUARTERLY: (start.month - 1) // 3 * 3 + 1}.get(duration, 1)
    return datetime(start.year, month, 1, tzinfo=UTC)


def adjustment_and_tax(_: Case, inputs: Case) -> Case:
    """One line, an adjustment if there is one, and the customer's tax before the organization's."""
    kinds = [(kind, inputs[key]) for key, kind in _ADJUSTMENTS.items() if key in inputs]
    adjustment = PriceAdjustment(kinds[0][0], Decimal(kinds[0][1])) if kinds else None
    terms = Terms(subscription(), plan(), plan_version(price_adjustment=adjustment), {})
    lines = adjusted(terms, (invoice_line(amount=Decimal(inputs["subtotal"])),), opened=MARCH)
    assert all(line.kind is LineKind.ADJUSTMENT for line in lines[1:])
    percent = inputs.get("customer_tax_percent", inputs.get("organization_tax_percent"))
    if percent is not None:
        terms = msgspec.structs.replace(terms, tax=TaxTerms(standard_rate(Decimal(percent))))
    return {"total": total_of(lines, balance=ZERO, code="USD", tax=terms.tax).total}
