"""Times as senders write them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.kernel.instants import from_microseconds, parse_date, parse_instant, to_microseconds, to_text

NOON = datetime(2026, 2, 23, 12, 30, 15, tzinfo=UTC)
instants = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - bounds are naive
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001 - bounds are naive
    timezones=st.just(UTC),
)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-23T12:30:15Z",
        "2026-02-23T12:30:15z",
        "2026-02-23t12:30:15Z",
        "2026-02-23 12:30:15+00:00",
        "2026-02-23 12:30:15",
        "2026-02-23T12:30:15.000Z",
        "2026-02-23T13:30:15+01:00",
        "2026-02-23T13:30:15+0100",
        "2026-02-23T13:30:15+01",
        "2026-02-23T07:30:15-05:00",
        "2026-02-23 12:30:15 Z",
        "2026-02-23T12:30:15,000Z",
    ],
)
def test_one_instant_has_many_spellings(text: str) -> None:
    assert parse_instant(text) == NOON


def test_a_date_is_its_midnight_in_utc() -> None:
    assert parse_instant("2026-02-23") == datetime(2026, 2, 23, tzinfo=UTC)


def test_seconds_may_be_left_out() -> None:
    assert parse_instant("2026-02-23T12:30Z") == NOON.replace(second=0)


def test_a_fraction_is_kept_to_the_microsecond() -> None:
    assert parse_instant("2026-02-23T12:30:15.123456789Z") == NOON.replace(microsecond=123456)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-W08-1",
        "20260223",
        "2026-02-30",
        "2026-13-01",
        "2026-02-23T25:00:00Z",
        "2026-02-23T12:60:00Z",
        "2026-02-23T12:30:15+25:00",
        "2026-02-23T",
        "1771849815",
        "23.02.2026",
        "\uff12\uff10\uff12\uff16-02-23",
        "0001-01-01T00:00:00+12:00",
        "2026-02-23T12:30:15ZZ",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    assert parse_instant(text) is None


@pytest.mark.parametrize(
    ("text", "expected"), [("2024-02-29", date(2024, 2, 29)), ("2025-02-29", None), ("2026-2-3", None)]
)
def test_a_date_has_exactly_one_spelling(text: str, expected: date | None) -> None:
    assert expected == parse_date(text)


@given(instants)
def test_an_instant_survives_text_and_microseconds(instant: datetime) -> None:
    assert instant == parse_instant(to_text(instant))
    assert instant == from_microseconds(to_microseconds(instant))


def test_text_ends_in_z_and_has_no_empty_fraction() -> None:
    assert "2026-02-23T12:30:15Z" == to_text(NOON)
    assert "2026-02-23T12:30:15.500000Z" == to_text(NOON.replace(microsecond=500_000))
