"""A commitment lifts what a period comes to, and what is used beyond it may cost more."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.catalog import Commitment, RecurringCharge, Timing
from lotus_server.domain.invoicing import InvoiceLine, LineKind, Terms, arrears_lines, commitment_lines
from lotus_server.domain.subscriptions import QuantityChange
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Period
from tests.records_values import MARCH, invoice_line, plan, plan_version, subscription

D = Decimal
HALF = Period(MARCH.start, MARCH.start + timedelta(days=31) / 2)


def _terms(commitment: Commitment | None, *charges: RecurringCharge, changes: tuple[QuantityChange, ...] = ()) -> Terms:
    version = plan_version(recurring_charges=charges, commitment=commitment)
    return Terms(subscription(quantity_changes=changes), plan(), version, {})


def _used(amount: str) -> InvoiceLine:
    return invoice_line(amount=D(amount))


def _fee(amount: str, timing: Timing) -> RecurringCharge:
    return RecurringCharge("fee", "Fee", D(amount), timing)


def _added(terms: Terms, *lines: InvoiceLine, held: Period = MARCH) -> list[tuple[str, Decimal]]:
    found = commitment_lines(terms, lines, opened=MARCH, held=held)
    return [(line.name, line.amount) for line in found]


def test_what_is_missing_from_the_commitment_is_charged() -> None:
    assert [("Minimum commitment", D(70))] == _added(_terms(Commitment(D(100))), _used("30"))


def test_the_commitment_is_due_without_any_usage() -> None:
    assert [("Minimum commitment", D(100))] == _added(_terms(Commitment(D(100))))


@pytest.mark.parametrize("used", ["100", "140"])
def test_nothing_is_added_from_the_commitment_on(used: str) -> None:
    assert [] == _added(_terms(Commitment(D(100))), _used(used))


def test_a_version_without_a_commitment_adds_nothing() -> None:
    assert [] == _added(_terms(None), _used("1"))


def test_what_goes_beyond_costs_the_overage_factor() -> None:
    terms = _terms(Commitment(D(100), D("1.5")))

    assert [("Beyond the commitment", D(20))] == _added(terms, _used("140"))  # 40 x 1.5, 40 of it charged already
    assert [] == _added(terms, _used("100"))
    assert [("Minimum commitment", D(1))] == _added(terms, _used("99"))


@pytest.mark.parametrize("timing", Timing)
def test_recurring_charges_of_the_period_count_whenever_they_are_invoiced(timing: Timing) -> None:
    terms = _terms(Commitment(D(100)), _fee("20", timing))

    assert [("Minimum commitment", D(50))] == _added(terms, *arrears_lines(terms, MARCH, {}), _used("30"))


@pytest.mark.parametrize("timing", Timing)
def test_recurring_charges_may_be_left_out(timing: Timing) -> None:
    terms = _terms(Commitment(D(100), includes_recurring_charges=False), _fee("20", timing))

    assert [("Minimum commitment", D(70))] == _added(terms, *arrears_lines(terms, MARCH, {}), _used("30"))


def test_a_change_of_quantity_that_was_invoiced_apart_counts_too() -> None:
    change = QuantityChange("charge:Fee", D(3), MARCH.start, is_invoiced=True)
    terms = _terms(Commitment(D(100)), _fee("20", Timing.IN_ADVANCE), changes=(change,))

    assert [("Minimum commitment", D(40))] == _added(terms)


def test_a_part_of_a_period_is_committed_to_by_exact_time() -> None:
    assert [("Minimum commitment", D(40))] == _added(_terms(Commitment(D(100))), _used("10"), held=HALF)


def test_no_time_is_no_commitment() -> None:
    nothing = Period(MARCH.start, MARCH.start)

    assert [] == _added(_terms(Commitment(D(100), D(2))), _used("10"), held=nothing)


def test_the_line_explains_itself() -> None:
    (line,) = commitment_lines(_terms(Commitment(D(100))), (_used("10"),), opened=MARCH, held=HALF)

    assert (LineKind.COMMITMENT, HALF) == (line.kind, line.period)
    assert [("a commitment of 100 x 1339200 of 2678400 seconds", D(50)), ("less what the period came to", D(-10))] == [
        (step.text, step.amount) for step in line.steps
    ]


@given(
    st.decimals(0, 10_000, places=4),
    st.decimals(1, 3, places=2),
    st.lists(st.decimals(0, 5_000, places=2), max_size=4),
    st.integers(1, MARCH.microseconds),
)
def test_the_steps_sum_to_the_line_and_a_period_reaches_its_commitment(
    amount: Decimal, factor: Decimal, used: list[Decimal], microseconds: int
) -> None:
    end: datetime = MARCH.start + timedelta(microseconds=microseconds)
    terms = _terms(Commitment(amount, factor))
    lines = tuple(invoice_line(amount=each) for each in used)

    added = commitment_lines(terms, lines, opened=MARCH, held=Period(MARCH.start, end))

    for line in added:
        assert line.exact_amount == total(step.amount for step in line.steps if step.amount is not None)
        assert line.amount >= 0
    share = amount * microseconds / MARCH.microseconds
    assert total(line.amount for line in (*lines, *added)) >= share - D("0.01")
