"""What a change within a period gives back and makes due, one fact each."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.catalog import Proration, ProrationUnit, Timing
from lotus_server.domain.rating import Change, Fee, Rated, change_fee, in_days
from lotus_server.kernel.money import total
from lotus_server.kernel.period import Period

D = Decimal
JUNE = Period(datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))
OLD, NEW = Fee(D(90)), Fee(D(300))
BY_DAY = ProrationUnit.DAY


def _at(day: int, hour: int = 0) -> datetime:
    return datetime(2025, 6, day, hour, tzinfo=UTC)


def _change(
    old: Fee, new: Fee | None, changed_at: datetime, unit: ProrationUnit = ProrationUnit.EXACT, whole: Period = JUNE
) -> tuple[Decimal, Decimal]:
    change = change_fee(old, new, whole=whole, changed_at=changed_at, unit=unit)
    return _sum(change.credits), _sum(change.debits)


def _sum(parts: tuple[Rated, ...]) -> Decimal:
    return total(part.amount for part in parts)


def test_unused_time_comes_back_and_the_rest_of_the_period_is_due() -> None:
    change = change_fee(OLD, NEW, whole=JUNE, changed_at=_at(11), unit=ProrationUnit.EXACT)

    assert (D(60), D(200)) == (_sum(change.credits), _sum(change.debits))
    assert "the unused time of the old fee: 90 x 20 of 30 days" == change.credits[0].steps[0].text
    assert "the new fee from the change on: 300 x 20 of 30 days" == change.debits[0].steps[0].text


def test_time_is_exact_unless_it_is_divided_by_day() -> None:
    assert (D("58.5"), D(195)) == _change(OLD, NEW, _at(11, 12))


def test_the_day_of_a_change_belongs_to_the_new_fee() -> None:
    assert (D(60), D(200)) == _change(OLD, NEW, _at(11, 23), BY_DAY)


def test_the_day_on_which_everything_ends_belongs_to_the_old_fee() -> None:
    assert (D(57), D(0)) == _change(OLD, None, _at(11, 0), BY_DAY)
    assert (D(57), D(0)) == _change(OLD, None, _at(11, 23), BY_DAY)
    assert (D(87), D(0)) == _change(OLD, None, _at(1), BY_DAY)
    assert (D(0), D(0)) == _change(OLD, None, _at(30), BY_DAY)


def test_an_end_by_exact_time_gives_back_the_rest() -> None:
    assert (D(60), D(0)) == _change(OLD, None, _at(11))


@pytest.mark.parametrize("unit", ProrationUnit)
def test_at_the_end_of_the_period_nothing_is_left_to_divide(unit: ProrationUnit) -> None:
    assert (D(0), D(0)) == _change(OLD, NEW, JUNE.end, unit)
    assert (D(0), D(0)) == _change(OLD, Fee(D(5), proration=Proration.FULL), JUNE.end, unit)
    assert (D(0), D(0)) == _change(OLD, None, JUNE.end, unit)


def test_at_the_start_of_the_period_everything_changes() -> None:
    assert (D(90), D(300)) == _change(OLD, NEW, JUNE.start)


def test_a_fee_in_arrears_is_due_for_the_time_it_was_held() -> None:
    old = Fee(D(90), Timing.IN_ARREARS)

    assert (D(0), D(230)) == _change(old, NEW, _at(11))
    assert (D(0), D(30)) == _change(old, None, _at(11))
    assert (D(0), D(33)) == _change(old, None, _at(11), BY_DAY)


def test_a_new_fee_in_arrears_is_not_due_yet() -> None:
    assert (D(60), D(0)) == _change(OLD, Fee(D(300), Timing.IN_ARREARS), _at(11))


def test_a_fee_that_is_not_prorated_is_due_in_full() -> None:
    full = Proration.FULL

    assert (D(0), D(300)) == _change(Fee(D(90), proration=full), Fee(D(300), proration=full), _at(11))
    assert (D(0), D(90)) == _change(Fee(D(90), Timing.IN_ARREARS, full), None, _at(11))


def test_a_period_that_begins_within_a_day_is_as_many_days_long() -> None:
    whole = Period(_at(1, 15), datetime(2025, 7, 1, 15, tzinfo=UTC))

    assert 30 * 86_400_000_000 == in_days(whole).microseconds
    assert (D(60), D(200)) == _change(OLD, NEW, _at(11, 3), BY_DAY, whole)
    assert (D(0), D(0)) == _change(OLD, None, datetime(2025, 7, 1, 9, tzinfo=UTC), BY_DAY, whole)


def test_the_last_day_of_the_calendar_can_be_an_end() -> None:
    last = datetime(9999, 12, 31, 23, tzinfo=UTC)

    assert (D(0), D(0)) == _change(OLD, None, last, BY_DAY, Period(datetime(9999, 12, 1, tzinfo=UTC), last))


def test_a_change_outside_the_period_is_a_defect() -> None:
    with pytest.raises(AssertionError):
        _change(OLD, NEW, JUNE.end + timedelta(microseconds=1))


def test_nothing_is_said_about_what_nothing_happens_to() -> None:
    assert Change((), ()) == change_fee(
        Fee(D(90), proration=Proration.FULL), None, whole=JUNE, changed_at=_at(3), unit=ProrationUnit.EXACT
    )


@given(
    st.integers(min_value=0, max_value=JUNE.microseconds),
    st.decimals(min_value=0, max_value=10**12, places=2),
    st.sampled_from(ProrationUnit),
)
def test_what_comes_back_and_what_was_held_are_the_whole_fee(cut: int, amount: Decimal, unit: ProrationUnit) -> None:
    at = JUNE.start + timedelta(microseconds=cut)
    for new in (None, NEW):
        back, _ = _change(Fee(amount), new, at, unit)
        _, held = _change(Fee(amount, Timing.IN_ARREARS), new and Fee(D(0)), at, unit)

        assert abs(Fraction(amount) - Fraction(back) - Fraction(held)) < Fraction(1, 10**60)


@given(st.integers(min_value=0, max_value=30), st.decimals(min_value=0, max_value=10**6, places=2))
def test_at_midnight_a_change_by_day_is_the_change_by_exact_time(day: int, amount: Decimal) -> None:
    at = JUNE.start + timedelta(days=day)

    assert _change(Fee(amount), NEW, at) == _change(Fee(amount), NEW, at, BY_DAY)
