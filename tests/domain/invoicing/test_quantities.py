"""Seats and prepaid units: what changes within a period come to."""

from datetime import timedelta
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.catalog import Component, PerUnit, Prepaid, Proration, RecurringCharge, Timing
from lotus_server.domain.invoicing import (
    FlatFeeBehavior,
    InvoiceLine,
    LineKind,
    Metered,
    Terms,
    advance_lines,
    arrears_lines,
    settled_charge_lines,
    usage_lines,
)
from lotus_server.domain.metering import Usage
from lotus_server.domain.subscriptions import QuantityChange, charge_key, prepaid_key
from lotus_server.kernel.money import total
from lotus_server.kernel.quantity import subtract
from tests.domain.invoicing.test_lines_and_totals import terms
from tests.records_values import MARCH

DUST = Decimal(1).scaleb(-80)
Changes = list[tuple[int, Decimal]]
changes = st.lists(st.tuples(st.integers(0, 30), st.decimals(0, 50, places=1)), max_size=6).map(
    lambda found: sorted(found, key=lambda change: change[0])
)


def seats(
    *changes: tuple[int, Decimal | int],
    timing: Timing = Timing.IN_ADVANCE,
    proration: Proration = Proration.PRORATE,
    are_invoiced: bool = False,
) -> Terms:
    """Terms with one charge of 31 for each of 10 seats, and changes of them, each a day of March and a number."""
    charge = RecurringCharge("seat", "Seats", Decimal(31), timing, proration, Decimal(10))
    return _changed(terms(charge), charge_key(charge), changes, are_invoiced=are_invoiced)


def _changed(terms: Terms, key: str, changes: tuple[tuple[int, Decimal | int], ...], *, are_invoiced: bool) -> Terms:
    made = tuple(
        QuantityChange(key, Decimal(quantity), MARCH.start + timedelta(days=day), are_invoiced)
        for day, quantity in changes
    )
    return msgspec.structs.replace(
        terms, subscription=msgspec.structs.replace(terms.subscription, quantity_changes=made)
    )


def exact(lines: tuple[InvoiceLine, ...]) -> Decimal:
    return total(line.exact_amount for line in lines)


@given(changes)
def test_what_is_invoiced_in_advance_and_for_the_changes_is_what_was_held(changes: Changes) -> None:
    in_advance, in_arrears = seats(*changes), seats(*changes, timing=Timing.IN_ARREARS)

    lines = (*advance_lines(in_advance, MARCH), *arrears_lines(in_advance, MARCH, {}))

    assert abs(subtract(exact(lines), exact(arrears_lines(in_arrears, MARCH, {})))) < DUST


@given(changes)
def test_without_proration_the_greatest_quantity_is_due(changes: Changes) -> None:
    in_advance = seats(*changes, proration=Proration.FULL)

    lines = (*advance_lines(in_advance, MARCH), *arrears_lines(in_advance, MARCH, {}))

    assert 31 * max([Decimal(10), *(quantity for _, quantity in changes)]) == exact(lines)


@given(changes, st.integers(0, 31), st.booleans())
def test_whoever_cancels_has_paid_for_what_was_held_however_the_changes_were_invoiced(
    changes: Changes, day: int, are_invoiced: bool
) -> None:
    cancelled_at = MARCH.start + timedelta(days=day)
    until_then = tuple(change for change in changes if change[0] <= day)
    held = MARCH.until(cancelled_at)
    in_advance = seats(*until_then, are_invoiced=are_invoiced)
    invoiced = advance_lines(in_advance, MARCH)
    if are_invoiced:
        invoiced += arrears_lines(seats(*until_then), MARCH, {})

    settled = settled_charge_lines(in_advance, opened=MARCH, held=held, behavior=FlatFeeBehavior.OWN)

    in_arrears = seats(*until_then, timing=Timing.IN_ARREARS)
    (due,) = arrears_lines(in_arrears, held, {})
    assert due.amount == total(line.amount for line in (*invoiced, *settled))


def test_more_seats_are_due_for_the_rest_of_the_period_and_fewer_come_back() -> None:
    lines = arrears_lines(seats((10, 12), (21, 5)), MARCH, {})

    assert [
        (Decimal("42.00"), "Seats: from 10 to 12, 62 x 21 of 31 days"),
        (Decimal("-70.00"), "Seats: from 12 to 5, -217 x 10 of 31 days"),
    ] == [(line.amount, line.steps[0].text) for line in lines]


def test_seats_in_arrears_are_due_as_long_as_they_were_held() -> None:
    (line,) = arrears_lines(seats((10, 12), timing=Timing.IN_ARREARS), MARCH, {})

    assert [Decimal(100), Decimal(252)] == [step.amount for step in line.steps]
    assert (Decimal(352), Decimal(12)) == (line.amount, line.quantity)


def test_a_change_that_was_invoiced_at_once_is_not_invoiced_again() -> None:
    assert () == arrears_lines(seats((10, 12), are_invoiced=True), MARCH, {})


def prepaid(
    *changes: tuple[int, Decimal | int], units: int | None = 100, proration: Proration = Proration.PRORATE
) -> Terms:
    """Terms with prepaid units at 0.31 each."""
    bought = Prepaid(None if units is None else Decimal(units), proration)
    component = Component("component", "calls", PerUnit(Decimal("0.31")), prepaid=bought)
    plain = terms(price=component.price)
    plain = msgspec.structs.replace(plain, version=msgspec.structs.replace(plain.version, components=(component,)))
    return _changed(plain, prepaid_key(component), changes, are_invoiced=False)


def used(quantity: int) -> dict[str, Metered]:
    return {"component": Metered(Usage(Decimal(quantity), quantity, 0))}


def test_prepaid_units_are_due_in_advance() -> None:
    (line,) = advance_lines(prepaid(), MARCH)

    assert (LineKind.PREPAID, Decimal(100), Decimal("31.00")) == (line.kind, line.quantity, line.amount)


def test_only_usage_beyond_the_prepaid_units_is_due_afterwards() -> None:
    within, beyond = (usage_lines(prepaid(), MARCH, used(count))[0].amount for count in (100, 130))

    assert (Decimal(0), Decimal("9.30")) == (within, beyond)


def test_more_prepaid_units_cost_their_part_of_the_period_and_cover_usage_of_all_of_it() -> None:
    usage, change = arrears_lines(prepaid((21, 131)), MARCH, used(130))

    assert (Decimal(0), Decimal("3.10")) == (usage.amount, change.amount)


def test_fewer_prepaid_units_come_back_only_with_proration() -> None:
    prorated = arrears_lines(prepaid((21, 69)), MARCH, used(0))
    full = arrears_lines(prepaid((21, 69), proration=Proration.FULL), MARCH, used(0))

    assert ([Decimal("-3.10")], []) == ([line.amount for line in prorated[1:]], list(full[1:]))
