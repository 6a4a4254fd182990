"""Schedules give credit at each boundary, each once, and each for as long as it is said."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.credits import CreditSchedule, Rollover, ScheduleStatus, Term, schedule_problems
from lotus_server.domain.credits.schedules import give_due
from lotus_server.kernel.period import Duration

START = datetime(2026, 1, 31, tzinfo=UTC)


def _schedule(**changes: object) -> CreditSchedule:
    value = CreditSchedule("org", "s", "acme", "USD", Decimal(5), Duration.MONTHLY, START, START, START)
    return msgspec.structs.replace(value, **changes)


@pytest.mark.parametrize(
    ("recurs", "days"),
    [
        (Duration.DAILY, ["01-31", "02-01", "02-02"]),
        (Duration.WEEKLY, ["01-31", "02-07", "02-14"]),
        (Duration.MONTHLY, ["01-31", "02-28", "03-31"]),
        (Duration.QUARTERLY, ["01-31", "04-30", "07-31"]),
        (Duration.YEARLY, ["01-31", "01-31", "01-31"]),
    ],
)
def test_credit_is_given_at_each_boundary_counted_from_the_start(recurs: Duration, days: list[str]) -> None:
    _, given_ones = give_due(_schedule(recurs=recurs), START + timedelta(days=800))

    assert days == [f"{grant.effective_at:%m-%d}" for grant in given_ones[:3]]


@pytest.mark.parametrize(
    ("recurs", "term"),
    [
        (Duration.DAILY, Term(days=1)),
        (Duration.WEEKLY, Term(days=7)),
        (Duration.MONTHLY, Term(months=1)),
        (Duration.QUARTERLY, Term(months=3)),
        (Duration.YEARLY, Term(months=12)),
    ],
)
def test_a_grant_that_lasts_for_its_period_ends_as_the_next_begins(recurs: Duration, term: Term) -> None:
    _, given_ones = give_due(_schedule(recurs=recurs, expires_after=term), START + timedelta(days=3_000))

    assert all(before.expires_at == after.effective_at for before, after in pairwise(given_ones))


def test_nothing_is_given_from_the_end_on() -> None:
    ended, given_ones = give_due(_schedule(ends_at=datetime(2026, 3, 31, tzinfo=UTC)), START + timedelta(days=800))

    assert ["01-31", "02-28"] == [f"{grant.effective_at:%m-%d}" for grant in given_ones]
    assert ScheduleStatus.ENDED is ended.status


@given(recurs=st.sampled_from(Duration), cuts=st.lists(st.integers(0, 700), max_size=5).map(sorted))
def test_giving_in_several_steps_is_giving_at_once(recurs: Duration, cuts: list[int]) -> None:
    schedule, step_by_step = _schedule(recurs=recurs), []
    for days in [*cuts, 700]:
        schedule, some = give_due(schedule, START + timedelta(days=days))
        step_by_step += some

    assert (schedule, step_by_step) == give_due(_schedule(recurs=recurs), START + timedelta(days=700))


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, []),
        ({"amount": Decimal(0)}, ["amount"]),
        ({"amount": Decimal("0.001")}, ["amount"]),
        ({"currency": "XXX"}, ["currency_code"]),
        ({"priority": 256}, ["priority"]),
        ({"ends_at": START}, ["ends_at"]),
        ({"rollover": Rollover(Term(1))}, ["expires_after"]),
        ({"rollover": Rollover(Term(1), Decimal(0)), "expires_after": Term(1)}, ["rollover.max_amount"]),
        ({"rollover": Rollover(Term(1), max_times=0), "expires_after": Term(1)}, ["rollover.max_times"]),
        ({"description": "x" * 501}, ["description"]),
    ],
)
def test_everything_wrong_with_a_schedule_is_found(changes: dict[str, object], fields: list[str]) -> None:
    assert fields == [problem.field for problem in schedule_problems(_schedule(**changes))]
