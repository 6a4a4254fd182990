"""From terms and usage to lines, and from lines to totals."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.catalog import Component, PerUnit, Price, Proration, RecurringCharge, Timing
from lotus_server.domain.invoicing import (
    FlatFeeBehavior,
    LineKind,
    Metered,
    Terms,
    advance_lines,
    amount_properties,
    arrears_lines,
    settled_charge_lines,
    total_of,
    usage_lines,
)
from lotus_server.domain.metering import Usage
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Period
from lotus_server.kernel.quantity import add, subtract
from tests.domain.rating.strategies import prices
from tests.records_values import MARCH, invoice_line, metric, plan, plan_version, subscription

CURRENCIES = {"USD": 2, "JPY": 0, "KWD": 3}
amounts = st.decimals(0, 10_000, places=4)
charges = st.builds(
    RecurringCharge,
    charge_id=st.just("fee"),
    name=st.just("Fee"),
    amount=amounts,
    timing=st.sampled_from(Timing),
    proration=st.sampled_from(Proration),
    quantity=st.decimals(0, 20, places=2),
)
instants_of_march = st.integers(0, MARCH.microseconds).map(lambda n: MARCH.start + timedelta(microseconds=n))


def terms(*charges: RecurringCharge, price: Price | None = None, currency: str = "USD") -> Terms:
    components = () if price is None else (Component("component", "calls", price),)
    version = plan_version(currency=currency, recurring_charges=charges, components=components)
    return Terms(subscription(), plan(), version, {"calls": metric()})


def fee(amount: str, timing: Timing = Timing.IN_ARREARS, proration: Proration = Proration.PRORATE) -> RecurringCharge:
    return RecurringCharge("fee", "Fee", Decimal(amount), timing, proration)


def used(quantity: Decimal) -> dict[str, Metered]:
    return {"component": Metered(Usage(quantity, 1, 0))}


@given(prices, st.decimals(0, 100_000, places=3), st.sampled_from(sorted(CURRENCIES)))
def test_a_line_is_rounded_once_and_keeps_what_it_was_rounded_from(
    price: Price, quantity: Decimal, currency: str
) -> None:
    usage = Usage(quantity, 1, 0)
    metered = Metered(usage, dict.fromkeys(amount_properties(price), usage))

    (line,) = usage_lines(terms(price=price, currency=currency), MARCH, {"component": metered})

    unit = Decimal(1).scaleb(-CURRENCIES[currency])
    assert line.amount == line.amount.quantize(unit)
    assert abs(subtract(line.amount, line.exact_amount)) <= unit / 2
    assert total(step.amount for step in line.steps if step.amount is not None) == line.exact_amount


@given(st.lists(st.decimals(-(10**30), 10**30, places=2), max_size=20), st.decimals(0, 10**30, places=2))
def test_the_sum_of_the_lines_is_what_is_applied_granted_and_left_to_pay(
    line_amounts: list[Decimal], balance: Decimal
) -> None:
    lines = tuple(invoice_line(amount=amount) for amount in line_amounts)

    totals = total_of(lines, balance=balance, code="USD")

    assert totals.subtotal == total(line_amounts)
    assert subtract(add(totals.credit_applied, totals.total), totals.credit_granted) == totals.subtotal
    assert 0 <= totals.credit_applied <= balance
    assert totals.total >= 0
    assert not (totals.credit_granted and totals.total)


def test_credit_pays_no_more_than_there_is_to_pay() -> None:
    totals = total_of((invoice_line(amount=Decimal(10)),), balance=Decimal(25), code="USD")

    assert (totals.credit_applied, totals.total) == (Decimal(10), Decimal(0))


def test_a_negative_balance_pays_nothing() -> None:
    totals = total_of((invoice_line(amount=Decimal(10)),), balance=Decimal(-5), code="USD")

    assert (totals.credit_applied, totals.total) == (Decimal(0), Decimal(10))


def test_no_lines_come_to_nothing() -> None:
    totals = total_of((), balance=Decimal(5), code="JPY")

    assert {totals.subtotal, totals.credit_applied, totals.total} == {Decimal(0)}


@given(charges)
def test_a_whole_period_costs_the_whole_charge(charge: RecurringCharge) -> None:
    lines = (*advance_lines(terms(charge), MARCH), *arrears_lines(terms(charge), MARCH, {}))

    assert [line.exact_amount for line in lines] == [charge.period_amount]


@given(st.lists(instants_of_march, max_size=5), amounts)
def test_the_parts_of_a_period_cost_together_what_it_costs(cuts: list[datetime], amount: Decimal) -> None:
    edges = sorted({MARCH.start, MARCH.end, *cuts})
    parts = [Period(*pair) for pair in pairwise(edges)]
    charge = fee(str(amount))

    exact = total(line.exact_amount for part in parts for line in arrears_lines(terms(charge), part, {}))

    # Each share is exact to 90 places.
    assert abs(subtract(exact, amount)) < Decimal(1).scaleb(-80)


def test_a_charge_is_prorated_by_the_microsecond() -> None:
    part = Period(MARCH.start, MARCH.start + timedelta(days=15, hours=12))

    (line,) = arrears_lines(terms(fee("31")), part, {})

    assert line.amount == Decimal("15.50")


def test_a_charge_without_proration_is_due_in_full_for_any_part() -> None:
    part = Period(MARCH.start, MARCH.start + timedelta(microseconds=1))

    (line,) = arrears_lines(terms(fee("31", proration=Proration.FULL)), part, {})

    assert line.amount == Decimal("31.00")


def test_usage_comes_before_charges_and_each_line_says_what_it_is() -> None:
    lines = arrears_lines(terms(fee("31"), price=PerUnit(Decimal("0.10"))), MARCH, used(Decimal(5)))

    assert [(line.kind, line.amount) for line in lines] == [
        (LineKind.USAGE, Decimal("0.50")),
        (LineKind.RECURRING, Decimal("31.00")),
    ]


def test_a_component_without_usage_has_a_line() -> None:
    (line,) = usage_lines(terms(price=PerUnit(Decimal("0.10"))), MARCH, {"component": Metered(Usage(None, 0, 0))})

    assert (line.quantity, line.amount) == (Decimal(0), Decimal("0.00"))


# settlement


def settled(charge: RecurringCharge, held: Period, behavior: FlatFeeBehavior) -> Decimal:
    """What a charge comes to in all: what was invoiced in advance, and what the cancellation adds or takes back."""
    of = terms(charge)
    before = total(line.amount for line in advance_lines(of, MARCH))
    lines = settled_charge_lines(of, opened=MARCH, held=held, behavior=behavior)
    return add(before, total(line.amount for line in lines))


@given(charges, instants_of_march)
def test_a_refund_leaves_nothing_to_pay_for(charge: RecurringCharge, now: datetime) -> None:
    assert settled(charge, Period(MARCH.start, now), FlatFeeBehavior.REFUND) == 0


@given(charges, instants_of_march)
def test_charged_in_full_is_what_the_whole_period_costs(charge: RecurringCharge, now: datetime) -> None:
    (whole,) = (*advance_lines(terms(charge), MARCH), *arrears_lines(terms(charge), MARCH, {}))

    assert settled(charge, Period(MARCH.start, now), FlatFeeBehavior.CHARGE_FULL) == whole.amount


@given(charges, instants_of_march)
def test_charged_for_the_time_held_it_is_the_same_in_advance_and_in_arrears(
    charge: RecurringCharge, now: datetime
) -> None:
    held = Period(MARCH.start, now)
    pair = [
        RecurringCharge("fee", "Fee", charge.amount, timing, charge.proration, charge.quantity) for timing in Timing
    ]

    for behavior in (FlatFeeBehavior.OWN, FlatFeeBehavior.CHARGE_PRORATED):
        in_advance, in_arrears = (settled(each, held, behavior) for each in pair)

        assert in_advance == in_arrears


@given(charges, instants_of_march)
def test_as_invoiced_takes_nothing_back(charge: RecurringCharge, now: datetime) -> None:
    held = Period(MARCH.start, now)

    lines = settled_charge_lines(terms(charge), opened=MARCH, held=held, behavior=FlatFeeBehavior.AS_INVOICED)

    assert all(line.amount >= 0 for line in lines)
    assert bool(lines) is (charge.timing is Timing.IN_ARREARS)


@pytest.mark.parametrize("behavior", FlatFeeBehavior)
def test_what_is_taken_back_covers_the_time_that_is_not_used(behavior: FlatFeeBehavior) -> None:
    held = Period(MARCH.start, MARCH.start + timedelta(days=10))
    charge = fee("31", Timing.IN_ADVANCE)

    lines = settled_charge_lines(terms(charge), opened=MARCH, held=held, behavior=behavior)

    assert all(line.period == Period(held.end, MARCH.end) for line in lines)
    assert all(line.steps[-1].amount == Decimal(-31) for line in lines)
