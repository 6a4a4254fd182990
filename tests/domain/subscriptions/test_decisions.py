"""Starting, ending, parking: each decision takes a subscription and returns a new one."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from lotus_server.domain.metering import PropertyMatch
from lotus_server.domain.subscriptions import (
    Status,
    Subscription,
    advance,
    end_now,
    end_with_period,
    last_instant,
    park,
    refuse_overlap,
)
from lotus_server.kernel.errors import Conflict, Invalid
from tests.records_values import MARCH, subscription

MID_MARCH = MARCH.start + timedelta(days=15)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("now", "status"),
    [
        (MARCH.start - TICK, Status.NOT_STARTED),
        (MARCH.start, Status.ACTIVE),
        (MARCH.end - TICK, Status.ACTIVE),
        (MARCH.end, Status.ENDED),
    ],
)
def test_a_subscription_covers_its_start_and_not_its_end(now: datetime, status: Status) -> None:
    assert subscription(ends_at=MARCH.end).status_at(now) is status


def test_a_subscription_cancelled_before_its_start_was_never_active() -> None:
    ended = end_now(subscription(), MARCH.start - timedelta(days=3))

    statuses = {ended.status_at(MARCH.start + timedelta(days=day)) for day in range(-5, 5)}

    assert statuses == {Status.NOT_STARTED, Status.ENDED}


def test_after_its_open_period_is_billed_the_next_one_is_open_and_due_at_its_end() -> None:
    following = advance(subscription())

    assert following.open_period.start == MARCH.end
    assert following.due_at == following.open_period.end
    assert not following.is_new


def test_after_its_last_period_is_billed_nothing_is_due_any_more() -> None:
    following = advance(subscription(ends_at=MARCH.end, auto_renew=False))

    assert (following.is_fully_billed, following.due_at) == (True, None)


def test_a_parked_subscription_says_why_and_when_it_is_tried_again() -> None:
    parked = park(subscription(), cause="the events are away", retry_at=MID_MARCH)

    assert (parked.parked_cause, parked.due_at) == ("the events are away", MID_MARCH)
    assert advance(parked).parked_cause is None


def test_ending_now_closes_the_open_period_at_that_instant() -> None:
    ended = end_now(subscription(), MID_MARCH)

    assert (ended.ends_at, ended.open_period.end, ended.canceled_at) == (MID_MARCH, MID_MARCH, MID_MARCH)
    assert (ended.due_at, ended.auto_renew, ended.is_fully_billed) == (None, False, True)


@pytest.mark.parametrize("end", [end_now, end_with_period])
def test_what_has_ended_cannot_be_ended_again(end: Callable[[Subscription, datetime], Subscription]) -> None:
    ended = end_now(subscription(), MID_MARCH)

    with pytest.raises(Conflict) as refused:
        end(ended, MID_MARCH + TICK)

    assert refused.value.code == "invalid_state"


def test_the_end_that_is_set_stays_when_a_subscription_is_left_to_run_out() -> None:
    fixed = subscription(ends_at=MARCH.end + timedelta(days=100), auto_renew=False)

    left = end_with_period(fixed, MID_MARCH)

    assert (left.ends_at, left.canceled_at) == (fixed.ends_at, MID_MARCH)


def test_an_end_is_shown_as_its_last_microsecond() -> None:
    assert last_instant(MARCH.end).isoformat() == "2026-03-31T23:59:59.999999+00:00"


DAYS = timedelta(days=1)


@pytest.mark.parametrize(
    ("first", "second", "overlaps"),
    [
        ((0, None), (40, None), True),
        ((0, 10), (10, None), False),
        ((0, 10), (9, 12), True),
        ((5, 10), (0, 5), False),
        ((5, 10), (0, 6), True),
        ((5, 10), (0, None), True),
        ((5, 10), (6, 7), True),
        ((5, 5), (0, None), False),
    ],
)
def test_two_subscriptions_overlap_when_they_share_an_instant(
    first: tuple[int, int | None], second: tuple[int, int | None], overlaps: bool
) -> None:
    existing = _covering("first", *first)
    new = _covering("second", *second)

    if overlaps:
        with pytest.raises(Invalid) as refused:
            refuse_overlap(new, [existing])
        assert refused.value.code == "overlapping_subscription"
    else:
        refuse_overlap(new, [existing])


def _covering(subscription_id: str, start: int, end: int | None, **more: object) -> Subscription:
    return subscription(
        subscription_id,
        starts_at=MARCH.start + start * DAYS,
        ends_at=None if end is None else MARCH.start + end * DAYS,
        **more,
    )


@pytest.mark.parametrize(
    "change",
    [{"plan_id": "other"}, {"matches": (PropertyMatch("region", "eu"),)}],
)
def test_another_plan_or_other_filters_are_in_nobodys_way(change: dict[str, object]) -> None:
    refuse_overlap(_covering("second", 0, None, **change), [_covering("first", 0, None)])


def test_the_order_of_filters_means_nothing() -> None:
    one, two = PropertyMatch("a", "1"), PropertyMatch("b", "2")

    with pytest.raises(Invalid):
        refuse_overlap(
            _covering("second", 0, None, matches=(two, one)), [_covering("first", 0, None, matches=(one, two))]
        )


def test_a_subscription_is_not_in_its_own_way() -> None:
    refuse_overlap(_covering("same", 0, 20), [_covering("same", 0, 10)])
