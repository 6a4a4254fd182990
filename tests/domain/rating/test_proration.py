"""A part of a period costs its share by exact time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.rating import Step, prorate, share_of
from lotus_server.kernel.period import Period

JUNE = Period(datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))


def _june(start: int, end: int) -> Period:
    return Period(datetime(2025, 6, start, tzinfo=UTC), datetime(2025, 6, end, tzinfo=UTC))


def test_half_a_period_costs_half() -> None:
    assert Decimal(50) == share_of(Decimal(100), part=_june(1, 16), whole=JUNE)


def test_a_whole_period_costs_the_whole_amount() -> None:
    rated = prorate(Decimal("9.99"), part=JUNE, whole=JUNE, of="Seats")

    assert (Step("Seats: 9.99 x the whole period", None, None, Decimal("9.99")),) == rated.steps
    assert Decimal("9.99") == rated.amount


def test_an_empty_part_costs_nothing() -> None:
    assert Decimal(0) == share_of(Decimal(100), part=_june(5, 5), whole=JUNE)


def test_a_part_says_how_many_days_it_has() -> None:
    rated = prorate(Decimal(90), part=_june(11, 30), whole=JUNE, of="Base fee")

    assert "Base fee: 90 x 19 of 30 days" == rated.steps[0].text
    assert Decimal(57) == rated.amount


def test_a_part_that_is_not_whole_days_is_said_in_seconds() -> None:
    part = Period(JUNE.start, JUNE.start + timedelta(hours=1, microseconds=500_000))

    assert "x 3600.5 of 2592000 seconds" in prorate(Decimal(90), part=part, whole=JUNE, of="Fee").steps[0].text


def test_a_credit_is_prorated_like_a_charge() -> None:
    assert Decimal(-50) == share_of(Decimal(-100), part=_june(1, 16), whole=JUNE)


def test_a_part_outside_the_whole_is_a_defect() -> None:
    later = Period(JUNE.end, JUNE.end + timedelta(days=1))

    with pytest.raises(AssertionError):
        share_of(Decimal(1), part=later, whole=JUNE)


@given(
    st.integers(min_value=0, max_value=JUNE.microseconds),
    st.decimals(min_value=-(10**12), max_value=10**12, places=4),
)
def test_two_adjacent_parts_cost_what_the_whole_costs(cut: int, amount: Decimal) -> None:
    middle = JUNE.start + timedelta(microseconds=cut)
    parts = [Period(JUNE.start, middle), Period(middle, JUNE.end)]

    shares = [Fraction(share_of(amount, part=part, whole=JUNE)) for part in parts]

    assert abs(Fraction(amount) - sum(shares)) < Fraction(1, 10**88)
