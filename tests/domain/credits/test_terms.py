"""Terms: so many months and days, written as ISO 8601 durations."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.credits import Term, parse_term


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("P1M", Term(months=1)),
        ("P1Y", Term(months=12)),
        ("P1Y2M", Term(months=14)),
        ("P2W", Term(days=14)),
        ("P1M10D", Term(months=1, days=10)),
        ("p90d", Term(days=90)),
        ("P100Y", Term(months=1200)),
        ("P36500D", Term(days=36_500)),
    ],
)
def test_a_duration_of_whole_days_is_a_term(text: str, term: Term) -> None:
    assert term == parse_term(text)


@pytest.mark.parametrize(
    "text",
    ["", "P", "1M", "P1", "PT1H", "P1DT1H", "P-1M", "P1.5M", "P1D1M", "P0D", "P101Y", "P36501D", "month", "P\u0661D"],
)
def test_anything_else_is_none(text: str) -> None:
    assert parse_term(text) is None


@given(months=st.integers(0, 1_200), days=st.integers(0, 36_500))
def test_a_term_is_what_its_text_says(months: int, days: int) -> None:
    term = Term(months, days)

    assert (term if months or days else None) == parse_term(term.text)


def test_months_are_counted_from_the_start_so_that_the_31st_comes_back() -> None:
    start = datetime(2026, 1, 31, 12, tzinfo=UTC)

    assert datetime(2026, 2, 28, 12, tzinfo=UTC) == Term(months=1).after(start)
    assert datetime(2026, 3, 31, 12, tzinfo=UTC) == Term(months=1).after(start, months_later=1)
    assert datetime(2026, 3, 1, 12, tzinfo=UTC) == Term(months=1, days=1).after(start)
