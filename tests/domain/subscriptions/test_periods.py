"""Billing periods tile the time that a subscription covers."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.subscriptions import (
    Subscription,
    advance,
    end_with_period,
    first_period,
    last_instant,
    metered_period,
    period_containing,
    whole_period,
)
from lotus_server.kernel.period import Duration, Period
from tests.records_values import subscription

instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
spans = st.timedeltas(timedelta(microseconds=1), timedelta(days=900))
STEPS_MAX = 1_000


@st.composite
def subscriptions(draw: st.DrawFn) -> Subscription:
    """A subscription as it is made: renewing, or with an end, or renewing from a first end on."""
    starts_at = draw(instants)
    duration = draw(st.sampled_from(Duration))
    ends_at = draw(st.none() | spans.map(lambda span: starts_at + span))
    renews = ends_at is None or draw(st.booleans())
    anchor = ends_at if ends_at is not None and renews else starts_at
    return subscription(
        starts_at=starts_at,
        anchor=anchor,
        duration=duration,
        ends_at=None if renews else ends_at,
        auto_renew=renews,
        open_period=first_period(starts_at=starts_at, ends_at=ends_at, anchor=anchor, duration=duration),
        due_at=starts_at,
    )


def opened_periods(made: Subscription, count: int) -> list[Period]:
    """The first periods that billing goes through."""
    periods = [made.open_period]
    while len(periods) < count:
        made = advance(made)
        if made.is_fully_billed:
            break
        periods.append(made.open_period)
    return periods


@given(subscriptions(), st.integers(1, 40))
def test_periods_follow_each_other_without_gap_or_overlap(made: Subscription, count: int) -> None:
    periods = opened_periods(made, count)

    assert periods[0].start == made.starts_at
    assert all(before.end == after.start for before, after in pairwise(periods))
    assert all(period.start < period.end for period in periods)


@given(subscriptions())
def test_the_last_period_ends_where_the_subscription_ends(made: Subscription) -> None:
    ends_at = made.starts_at + timedelta(days=300) if made.ends_at is None else made.ends_at
    ended = msgspec.structs.replace(made, ends_at=ends_at, auto_renew=False, open_period=_first(made, ends_at))

    periods = opened_periods(ended, STEPS_MAX)

    assert periods[-1].end == ends_at


def _first(made: Subscription, ends_at: datetime) -> Period:
    return first_period(starts_at=made.starts_at, ends_at=ends_at, anchor=made.anchor, duration=made.duration)


@given(subscriptions(), st.integers(1, 30), st.data())
def test_every_instant_lies_in_the_one_period_that_billing_opens_for_it(
    made: Subscription, count: int, data: st.DataObject
) -> None:
    opened = data.draw(st.sampled_from(opened_periods(made, count)))
    offset = data.draw(st.integers(0, opened.microseconds - 1))

    assert period_containing(made, opened.start + timedelta(microseconds=offset)) == opened


@given(subscriptions(), st.integers(1, 20))
def test_a_period_lies_within_its_whole_one(made: Subscription, count: int) -> None:
    for period in opened_periods(made, count):
        whole = whole_period(made, period.start)

        assert whole.start <= period.start
        assert period.end <= whole.end


@given(subscriptions(), st.integers(1, 20))
def test_usage_is_kept_over_a_time_that_a_cancellation_does_not_change(made: Subscription, count: int) -> None:
    period = opened_periods(made, count)[-1]
    cancelled = msgspec.structs.replace(made, ends_at=period.start + (period.end - period.start) / 2)

    kept = metered_period(cancelled, period_containing(cancelled, period.start), "calls")

    assert kept == Period(period.start, whole_period(made, period.start).end)


@given(subscriptions(), st.integers(1, 20))
def test_running_out_ends_with_the_period_in_which_it_is_asked_for(made: Subscription, count: int) -> None:
    period = opened_periods(made, count)[-1]
    now = last_instant(period.end)

    ending = end_with_period(made, now)

    assert ending.ends_at == (made.ends_at or period.end)
    assert not ending.auto_renew


@pytest.mark.parametrize(
    ("start", "duration", "ends"),
    [
        ("2026-01-31", Duration.MONTHLY, ["02-28", "03-31", "04-30", "05-31"]),
        ("2028-01-30", Duration.MONTHLY, ["02-29", "03-30", "04-30", "05-30"]),
        ("2026-08-31", Duration.QUARTERLY, ["11-30", "02-28", "05-31", "08-31"]),
        ("2028-02-29", Duration.YEARLY, ["02-28", "02-28", "02-28", "02-29"]),
        ("2026-12-30", Duration.DAILY, ["12-31", "01-01", "01-02", "01-03"]),
        ("2028-02-25", Duration.WEEKLY, ["03-03", "03-10", "03-17", "03-24"]),
    ],
)
def test_month_ends_clamp_and_come_back(start: str, duration: Duration, ends: list[str]) -> None:
    starts_at = datetime.fromisoformat(start).replace(tzinfo=UTC)
    made = subscription(
        starts_at=starts_at,
        anchor=starts_at,
        duration=duration,
        open_period=first_period(starts_at=starts_at, ends_at=None, anchor=starts_at, duration=duration),
    )

    assert [f"{period.end:%m-%d}" for period in opened_periods(made, 4)] == ends
