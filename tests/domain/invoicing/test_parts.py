"""By day, every day of a subscription is billed exactly once, however it begins, changes and ends."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.catalog import Commitment, Proration, ProrationUnit, RecurringCharge, Timing
from lotus_server.domain.invoicing import (
    FlatFeeBehavior,
    InvoiceLine,
    Terms,
    advance_lines,
    arrears_lines,
    commitment_lines,
    settled_charge_lines,
)
from lotus_server.domain.subscriptions import QuantityChange, Subscription, charge_key
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Period
from tests.domain.invoicing.test_lines_and_totals import fee, terms
from tests.records_values import MARCH

D = Decimal
DAYS = 31
"""A fee of 31 for March, and so one of 1 for each day."""
hours = st.integers(0, DAYS * 24 - 1)


def by_day(
    charge: RecurringCharge, whole: Period = MARCH, *, starts_at: datetime | None = None, **changed: object
) -> Terms:
    """Terms of a subscription whose periods are `whole` and its like; `changed` of the subscription."""
    found = terms(charge)
    version = msgspec.structs.replace(found.version, proration_unit=ProrationUnit.DAY)
    begins = {"starts_at": starts_at or whole.start, "anchor": whole.start, "open_period": whole}
    subscription: Subscription = msgspec.structs.replace(found.subscription, **begins, **changed)
    return msgspec.structs.replace(found, version=version, subscription=subscription)


def march(day: int, hour: int = 0) -> datetime:
    return MARCH.start.replace(day=day, hour=hour)


def amount(lines: tuple[InvoiceLine, ...]) -> Decimal:
    return total(line.amount for line in lines)


def test_the_day_on_which_a_subscription_begins_is_a_whole_day() -> None:
    begun = by_day(fee("31", Timing.IN_ADVANCE), starts_at=march(31, 23))

    (line,) = advance_lines(begun, Period(march(31, 23), MARCH.end))

    assert (D(1), "Fee: 31 x 1 of 31 days") == (line.amount, line.steps[0].text)


def test_the_day_of_a_termination_belongs_to_what_ends() -> None:
    held = Period(MARCH.start, march(11, 3))

    (line,) = arrears_lines(by_day(fee("31")), held, {})

    assert D(11) == line.amount


def test_the_day_of_a_switch_belongs_to_what_follows() -> None:
    switched = msgspec.structs.replace(by_day(fee("31")), succeeded_at=march(11, 3))

    (line,) = arrears_lines(switched, Period(MARCH.start, march(11, 3)), {})

    assert D(10) == line.amount


def test_a_subscription_that_is_switched_on_its_first_day_is_held_for_none() -> None:
    held = Period(march(11, 9), march(11, 17))
    switched = msgspec.structs.replace(by_day(fee("31"), starts_at=held.start), succeeded_at=held.end)

    assert [D(0)] == [line.amount for line in arrears_lines(switched, held, {})]


def test_the_day_of_a_renewal_belongs_to_the_period_that_begins() -> None:
    whole = Period(march(1, 15), datetime(2026, 4, 1, 15, tzinfo=MARCH.start.tzinfo))

    assert D(31) == amount(arrears_lines(by_day(fee("31"), whole), whole, {}))
    assert D(31) == amount(arrears_lines(by_day(fee("31"), whole), whole.until(whole.end - timedelta(hours=1)), {}))


def test_an_agreed_end_at_midnight_leaves_out_the_day_that_begins_then() -> None:
    at_midnight = by_day(fee("31"), ends_at=march(11), canceled_at=march(3))
    within_the_day = by_day(fee("31"), ends_at=march(11, 1))

    assert D(10) == amount(arrears_lines(at_midnight, Period(MARCH.start, march(11)), {}))
    assert D(11) == amount(arrears_lines(within_the_day, Period(MARCH.start, march(11, 1)), {}))


def test_the_day_of_a_change_of_seats_has_the_new_number() -> None:
    charge = RecurringCharge("seat", "Seats", D(31), Timing.IN_ADVANCE, Proration.PRORATE, D(10))
    change = QuantityChange(charge_key(charge), D(12), march(11, 20))

    (line,) = arrears_lines(by_day(charge, quantity_changes=(change,)), MARCH, {})

    assert (D(42), "Seats: from 10 to 12, 62 x 21 of 31 days") == (line.amount, line.steps[0].text)


def test_only_the_last_of_several_numbers_of_one_day_is_held() -> None:
    charge = RecurringCharge("seat", "Seats", D(31), Timing.IN_ARREARS, Proration.PRORATE, D(10))
    made = tuple(QuantityChange(charge_key(charge), D(n), march(11, hour)) for n, hour in ((50, 9), (0, 12), (12, 20)))

    (line,) = arrears_lines(by_day(charge, quantity_changes=made), MARCH, {})

    assert D(10 * 10 + 12 * 21) == line.amount
    assert [D(100), D(252)] == [step.amount for step in line.steps]


def test_a_commitment_is_counted_by_day_too() -> None:
    committed = by_day(fee("0"))
    version = msgspec.structs.replace(committed.version, commitment=Commitment(D(310)))
    held = Period(march(3, 12), march(11, 3))

    (line,) = commitment_lines(msgspec.structs.replace(committed, version=version), (), opened=MARCH, held=held)

    assert (D(90), "a commitment of 310 x 9 of 31 days") == (line.amount, line.steps[0].text)


@given(st.lists(hours, min_size=2, max_size=6).map(sorted), st.booleans(), st.integers(0, 23))
def test_every_day_from_the_first_to_the_last_is_billed_exactly_once(
    happened: list[int], is_terminated: bool, hour_of_renewal: int
) -> None:
    whole = Period(MARCH.start + timedelta(hours=hour_of_renewal), MARCH.end + timedelta(hours=hour_of_renewal))
    start, *switches, end = [whole.start + timedelta(hours=each) for each in happened]
    end = end if is_terminated else whole.end
    edges = [start, *switches, end]

    billed = []
    for place, (begun, ended) in enumerate(pairwise(edges)):
        each = by_day(fee("31"), whole, starts_at=begun)
        if place < len(switches):
            each = msgspec.structs.replace(each, succeeded_at=ended)
        billed.append(amount(arrears_lines(each, Period(begun, ended), {})))

    last = min(end + timedelta(days=1), whole.end) if is_terminated else whole.end
    assert D((last.date() - start.date()).days) == total(billed)


@given(hours, hours.map(lambda hour: MARCH.start + timedelta(hours=hour)), st.booleans())
def test_what_was_invoiced_in_advance_and_what_is_settled_is_what_was_held(
    hour: int, ended: datetime, is_switched: bool
) -> None:
    opened = Period(min(ended, MARCH.start + timedelta(hours=hour)), MARCH.end)
    in_advance, in_arrears = (
        msgspec.structs.replace(
            by_day(fee("31", timing), starts_at=opened.start), succeeded_at=ended if is_switched else None
        )
        for timing in (Timing.IN_ADVANCE, Timing.IN_ARREARS)
    )
    held = opened.until(ended)

    settled = settled_charge_lines(in_advance, opened=opened, held=held, behavior=FlatFeeBehavior.OWN)

    invoiced = amount(advance_lines(in_advance, opened))
    assert invoiced + amount(settled) == amount(arrears_lines(in_arrears, held, {}))
    following = by_day(fee("31", Timing.IN_ADVANCE), starts_at=ended)
    if is_switched:
        assert -amount(settled) == amount(advance_lines(following, Period(ended, MARCH.end)))
