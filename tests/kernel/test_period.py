"""Billing durations: month ends, leap days, and periods that touch."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.kernel.period import Duration, Period, boundary, period_at

durations = st.sampled_from(Duration)
instants = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - bounds are naive
    max_value=datetime(2040, 1, 1),  # noqa: DTZ001 - bounds are naive
    timezones=st.just(UTC),
)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]).map(ZoneInfo)


def _days(*texts: str) -> list[datetime]:
    return [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in texts]


@pytest.mark.parametrize(
    ("anchor", "duration", "expected"),
    [
        ("2026-01-31", Duration.MONTHLY, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("2028-01-31", Duration.MONTHLY, ["2028-01-31", "2028-02-29", "2028-03-31"]),
        ("2024-02-29", Duration.YEARLY, ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("2025-11-30", Duration.QUARTERLY, ["2025-11-30", "2026-02-28", "2026-05-30"]),
        ("2026-02-23", Duration.WEEKLY, ["2026-02-23", "2026-03-02"]),
        ("2026-02-28", Duration.DAILY, ["2026-02-28", "2026-03-01"]),
    ],
)
def test_boundaries_follow_the_anchors_day(anchor: str, duration: Duration, expected: list[str]) -> None:
    start = _days(anchor)[0]

    assert _days(*expected) == [boundary(start, duration, count) for count in range(len(expected))]


def test_boundaries_count_backwards_too() -> None:
    assert _days("2025-12-31")[0] == boundary(_days("2026-01-31")[0], Duration.MONTHLY, -1)


def test_a_day_on_the_wall_clock_may_have_23_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    anchor = datetime(2026, 3, 29, tzinfo=berlin).astimezone(UTC)

    assert timedelta(hours=23) == boundary(anchor, Duration.DAILY, 1, berlin) - anchor


def test_a_month_in_a_zone_begins_at_its_own_midnight() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    anchor = datetime(2026, 3, 1, tzinfo=berlin).astimezone(UTC)

    assert datetime(2026, 4, 1, tzinfo=berlin) == boundary(anchor, Duration.MONTHLY, 1, berlin)


@given(instants, durations, instants)
def test_every_instant_lies_in_exactly_one_period(anchor: datetime, duration: Duration, instant: datetime) -> None:
    period = period_at(anchor, duration, instant)

    assert period.contains(instant)
    assert period == period_at(anchor, duration, period.start)
    assert period.end == period_at(anchor, duration, period.end).start


@given(instants, durations, st.integers(min_value=0, max_value=100), zones)
def test_boundaries_ascend(anchor: datetime, duration: Duration, count: int, zone: ZoneInfo) -> None:
    assert boundary(anchor, duration, count, zone) < boundary(anchor, duration, count + 1, zone)


def test_a_period_includes_its_start_and_excludes_its_end() -> None:
    start, end = _days("2026-01-01", "2026-02-01")
    january = Period(start, end)

    assert january.contains(start)
    assert january.contains(end - timedelta(microseconds=1))
    assert not january.contains(end)


def test_neighbours_do_not_overlap() -> None:
    first, second, third = _days("2026-01-01", "2026-02-01", "2026-03-01")

    assert not Period(first, second).overlaps(Period(second, third))
    assert Period(first, third).overlaps(Period(second, third))


def test_the_part_until_an_instant_never_leaves_the_period() -> None:
    first, second, third = _days("2026-01-01", "2026-02-01", "2026-03-01")
    period = Period(second, third)

    assert Period(second, second) == period.until(first)
    assert period == period.until(third + timedelta(days=1))


def test_a_period_that_ends_before_it_starts_is_a_defect() -> None:
    first, second = _days("2026-01-01", "2026-02-01")

    with pytest.raises(AssertionError):
        Period(second, first)


def test_the_length_is_exact_to_the_microsecond() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)

    assert 86_400_000_001 == Period(start, start + timedelta(days=1, microseconds=1)).microseconds
