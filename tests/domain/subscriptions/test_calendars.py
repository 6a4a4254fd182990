"""Periods that follow the calendar, on the wall clock of any zone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.catalog import Calendar
from lotus_server.domain.subscriptions import calendar_anchor, first_period, period_containing, whole_period
from lotus_server.kernel.period import Duration, boundary
from tests.records_values import subscription

# From the first to the last zone, by halves and quarters of an hour, with clocks that are put forward at midnight.
ZONES = (
    "UTC",
    "Pacific/Pago_Pago",
    "America/Sao_Paulo",
    "America/New_York",
    "Europe/Berlin",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
anchors = st.builds(Calendar, st.integers(1, 31), st.integers(1, 12))
months = st.sampled_from([Duration.MONTHLY, Duration.QUARTERLY, Duration.YEARLY])


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("duration", "terms", "start", "end"),
    [
        (Duration.DAILY, Calendar(), "2026-02-18", "2026-02-19"),
        (Duration.WEEKLY, Calendar(), "2026-02-16", "2026-02-23"),
        (Duration.MONTHLY, Calendar(), "2026-02-01", "2026-03-01"),
        (Duration.MONTHLY, Calendar(day_anchor=15), "2026-02-15", "2026-03-15"),
        (Duration.MONTHLY, Calendar(day_anchor=31), "2026-01-31", "2026-02-28"),
        (Duration.QUARTERLY, Calendar(), "2026-01-01", "2026-04-01"),
        (Duration.QUARTERLY, Calendar(1, month_anchor=2), "2026-02-01", "2026-05-01"),
        (Duration.QUARTERLY, Calendar(31, month_anchor=6), "2025-12-31", "2026-03-31"),
        (Duration.YEARLY, Calendar(), "2026-01-01", "2027-01-01"),
        (Duration.YEARLY, Calendar(1, month_anchor=4), "2025-04-01", "2026-04-01"),
        (Duration.YEARLY, Calendar(31, month_anchor=2), "2025-02-28", "2026-02-28"),
    ],
)
def test_periods_begin_with_the_calendar(duration: Duration, terms: Calendar, start: str, end: str) -> None:
    now = datetime(2026, 2, 18, 12, tzinfo=UTC)
    held = subscription(duration=duration, anchor=calendar_anchor(terms, duration, now, "UTC"))

    whole = whole_period(held, now)

    assert (f"{start}T00:00:00+00:00", f"{end}T00:00:00+00:00") == (whole.start.isoformat(), whole.end.isoformat())


@given(anchors, months, instants, st.sampled_from(ZONES))
def test_months_begin_on_their_day_at_midnight_of_the_zone(
    terms: Calendar, duration: Duration, now: datetime, zone: str
) -> None:
    anchor = calendar_anchor(terms, duration, now, zone)

    local = [boundary(anchor, duration, count, ZoneInfo(zone)).astimezone(ZoneInfo(zone)) for count in range(14)]

    assert anchor <= now
    assert all(each.hour == 0 or _skips_midnight(each) for each in local)
    assert all(each.day == min(terms.day_anchor, _last_day(each)) for each in local)


def _skips_midnight(shown: datetime) -> bool:
    return (shown - timedelta(microseconds=1)).astimezone(UTC).astimezone(shown.tzinfo).day != shown.day or (
        shown.astimezone(UTC) - timedelta(microseconds=1)
    ).astimezone(shown.tzinfo).day != shown.day


def _last_day(shown: datetime) -> int:
    following = shown.replace(day=28) + timedelta(days=4)
    return (following - timedelta(days=following.day)).day


@given(instants, st.sampled_from(ZONES))
def test_weeks_begin_on_monday(now: datetime, zone: str) -> None:
    anchor = calendar_anchor(Calendar(), Duration.WEEKLY, now, zone)

    assert all(
        boundary(anchor, Duration.WEEKLY, count, ZoneInfo(zone)).astimezone(ZoneInfo(zone)).weekday() == 0
        for count in range(60)
    )


@given(instants, instants, st.sampled_from(Duration), st.sampled_from(ZONES))
def test_periods_on_the_wall_clock_of_a_zone_tile_the_time(
    anchor: datetime, instant: datetime, duration: Duration, zone: str
) -> None:
    held = subscription(starts_at=min(anchor, instant), anchor=anchor, duration=duration, timezone=zone)

    found = whole_period(held, instant)

    assert found.contains(instant)
    assert found.start == found.end or whole_period(held, found.end).start == found.end
    edges = [boundary(anchor, duration, count, ZoneInfo(zone)) for count in range(-3, 4)]
    assert all(before < after for before, after in pairwise(edges))


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29T00:00:00+01:00", 23), ("2026-10-25T00:00:00+02:00", 25), ("2026-06-01T00:00", 24)]
)
def test_a_day_has_the_hours_that_clocks_show(day: str, hours: int) -> None:
    start = _at(day) if "+" in day else datetime(2026, 5, 31, 22, tzinfo=UTC)

    found = first_period(starts_at=start, ends_at=None, anchor=start, duration=Duration.DAILY, timezone="Europe/Berlin")

    assert found.end - found.start == timedelta(hours=hours)


def test_a_start_in_the_hour_that_clocks_show_twice_begins_a_whole_month() -> None:
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 in Berlin for the second time

    found = first_period(
        starts_at=second, ends_at=None, anchor=second, duration=Duration.MONTHLY, timezone="Europe/Berlin"
    )
    held = subscription(starts_at=second, anchor=second, open_period=found, timezone="Europe/Berlin")

    assert found == whole_period(held, second)
    assert datetime(2026, 11, 25, 1, 30, tzinfo=UTC) == found.end


def test_a_trial_is_a_period_of_its_own_and_the_first_charged_one_begins_at_its_end() -> None:
    trial_end = datetime(2026, 3, 11, tzinfo=UTC)
    held = subscription(
        anchor=trial_end,
        trial_end=trial_end,
        open_period=first_period(
            starts_at=datetime(2026, 3, 1, tzinfo=UTC), ends_at=trial_end, anchor=trial_end, duration=Duration.MONTHLY
        ),
    )

    during = period_containing(held, datetime(2026, 3, 5, tzinfo=UTC))
    after = period_containing(held, trial_end)

    assert (held.starts_at, trial_end) == (during.start, during.end)
    assert (trial_end, datetime(2026, 4, 11, tzinfo=UTC)) == (after.start, after.end)
