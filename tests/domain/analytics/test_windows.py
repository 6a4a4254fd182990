"""Windows and their parts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.analytics import (
    Comparison,
    Step,
    begin_of,
    day_of,
    last_days,
    parts_of_window,
    window_before,
    within,
)
from lotus_server.kernel.period import Period


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago"]


@pytest.mark.parametrize(("date", "hours"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_is_as_long_as_the_clocks_of_its_zone_make_it(date: str, hours: int) -> None:
    found = within(Period(day(date), day(date) + timedelta(days=1)), BERLIN)

    assert timedelta(hours=hours) == found.end - found.start


def test_a_day_that_has_no_midnight_begins_when_its_clocks_are_put_forward() -> None:
    santiago = ZoneInfo("America/Santiago")

    assert datetime(2026, 9, 6, 4, tzinfo=UTC) == begin_of(day("2026-09-06"), santiago)
    assert day("2026-09-05") == day_of(datetime(2026, 9, 6, 3, 59, tzinfo=UTC), santiago)
    assert day("2026-09-06") == day_of(datetime(2026, 9, 6, 4, tzinfo=UTC), santiago)


def test_today_is_the_day_of_the_zone() -> None:
    now = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)

    assert Period(day("2026-03-01"), day("2026-03-02")) == last_days(now, 1, BERLIN)
    assert Period(day("2026-02-28"), day("2026-03-01")) == last_days(now, 1)


@given(st.integers(0, 40 * 366 * 86_400), st.sampled_from(ZONES))
def test_an_instant_lies_within_its_day(seconds: int, name: str) -> None:
    instant, zone = day("2000-01-01") + timedelta(seconds=seconds), ZoneInfo(name)
    found = day_of(instant, zone)

    assert begin_of(found, zone) <= instant < begin_of(found + timedelta(days=1), zone)


def test_the_last_days_end_with_today() -> None:
    now = datetime(2026, 3, 3, 17, 5, tzinfo=UTC)

    assert Period(day("2026-03-01"), day("2026-03-04")) == last_days(now, 3)


def test_the_window_before_has_the_same_length() -> None:
    assert Period(day("2026-02-20"), day("2026-03-02")) == window_before(Period(day("2026-03-02"), day("2026-03-12")))


def test_whole_months_are_beside_whole_months() -> None:
    assert Period(day("2025-12-01"), day("2026-02-01")) == window_before(Period(day("2026-02-01"), day("2026-04-01")))


def test_months_at_the_edges_are_cut() -> None:
    parts = parts_of_window(Period(day("2026-01-20"), day("2026-03-05")), Step.MONTH)

    assert ["2026-01-20", "2026-02-01", "2026-03-01"] == [f"{part.start:%Y-%m-%d}" for part in parts]


@given(st.integers(0, 4_000), st.integers(0, 500), st.sampled_from(Step))
def test_the_parts_of_a_window_touch_and_are_the_window(first: int, length: int, step: Step) -> None:
    start = day("2020-01-01") + timedelta(days=first)
    window = Period(start, start + timedelta(days=length))

    parts = parts_of_window(window, step)

    edges = [window.start, *(part.end for part in parts)]
    assert [part.start for part in parts] == edges[:-1]
    assert window.end == edges[-1]


def test_a_change_is_a_percentage_of_what_was_before() -> None:
    compared = Comparison(Decimal(110), Decimal(96))

    assert (Decimal(14), Decimal("14.6")) == (compared.change, compared.change_percent)


def test_there_is_no_percentage_of_nothing() -> None:
    assert Comparison(Decimal(5), Decimal(0)).change_percent is None
