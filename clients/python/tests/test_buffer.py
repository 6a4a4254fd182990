"""The queue neither loses nor reorders, and says exactly when a batch is due."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus import _buffer
from lotus._buffer import Buffer
from lotus._events import Event


def event(name="e", *, at=0.0, size=10):
    return Event(str(name), b"x" * size, at, None, is_settled=False)


def buffer(*, flush_at=3, flush_interval_seconds=10.0, batch_events_max=5, events_max=100):
    return Buffer(
        flush_at=flush_at,
        flush_interval_seconds=flush_interval_seconds,
        batch_events_max=batch_events_max,
        events_max=events_max,
    )


def test_nothing_is_due_while_nothing_waits():
    assert buffer().seconds_until_due(now_seconds=0.0) is None


def test_a_batch_is_due_when_the_oldest_event_has_waited_for_the_interval():
    queue = buffer()
    queue.add(event(at=5.0))
    queue.add(event(at=9.0))

    assert [10.0, 1.0, 0.0, 0.0] == [queue.seconds_until_due(now_seconds=now) for now in (5.0, 14.0, 15.0, 99.0)]


def test_a_batch_is_due_as_soon_as_enough_events_wait():
    queue = buffer(flush_at=3)
    for _ in range(2):
        queue.add(event())
    assert 10.0 == queue.seconds_until_due(now_seconds=0.0)
    queue.add(event())

    assert 0.0 == queue.seconds_until_due(now_seconds=0.0)


def test_a_full_batch_is_due_even_below_flush_at():
    queue = buffer(flush_at=20, batch_events_max=2)
    queue.add(event())
    queue.add(event())

    assert 0.0 == queue.seconds_until_due(now_seconds=0.0)


def test_a_flush_makes_due_what_waits_now_and_nothing_later():
    queue = buffer()
    queue.add(event())
    mark = queue.request_flush()
    assert 0.0 == queue.seconds_until_due(now_seconds=0.0)
    (first,) = queue.take()
    queue.add(event())

    assert 10.0 == queue.seconds_until_due(now_seconds=0.0)
    assert not queue.is_told_up_to(mark)
    queue.settle(first)
    queue.note_told(1)
    assert queue.is_told_up_to(mark)


def test_pending_events_are_limited_and_one_more_is_refused():
    queue = buffer(events_max=2)
    assert [True, True, False] == [queue.add(event(each)) for each in range(3)]

    (first, _) = queue.take()
    assert not queue.add(event())  # both are in flight, and still kept
    queue.settle(first)
    assert queue.add(event())


def test_a_batch_is_limited_in_bytes_but_never_empty(monkeypatch):
    monkeypatch.setattr(_buffer, "BATCH_BYTES_MAX", 30)
    queue = buffer()
    for size in (14, 14, 100, 1):  # with one byte more each: 15 + 15 = 30
        queue.add(event(size, size=size))

    assert [["14", "14"], ["100"], ["1"], []] == [[each.idempotency_id for each in queue.take()] for _ in range(4)]


def test_an_event_is_settled_once():
    queue = buffer()
    queue.add(event())
    (taken,) = queue.take()

    assert [True, False] == [queue.settle(taken), queue.settle(taken)]
    assert 0 == queue.pending_count


def test_abandoning_returns_what_waits_and_what_is_in_flight():
    queue = buffer(batch_events_max=2)
    for name in "abcd":
        queue.add(event(name))
    first, _ = queue.take()
    queue.settle(first)

    assert ["b", "c", "d"] == [each.idempotency_id for each in queue.abandon()]
    assert 0 == queue.waiting_count


actions = st.lists(st.sampled_from(["add", "add", "add", "take", "flush", "settle"]), max_size=200)


@pytest.mark.filterwarnings("error")
@given(actions, st.integers(1, 6), st.integers(1, 6), st.integers(1, 20))
def test_events_leave_once_and_in_order_whatever_happens(steps, flush_at, batch_events_max, events_max):
    queue = buffer(flush_at=flush_at, batch_events_max=batch_events_max, events_max=events_max)
    added, taken, settled = [], [], 0
    for number, step in enumerate(steps):
        if step == "add" and queue.add(event(number)):
            added.append(str(number))
        elif step == "take":
            batch = queue.take()
            assert len(batch) <= batch_events_max
            taken += batch
        elif step == "flush":
            queue.request_flush()
            assert (queue.seconds_until_due(now_seconds=0.0) == 0.0) == (queue.waiting_count > 0)
        elif step == "settle" and settled < len(taken):
            settled += queue.settle(taken[settled])
        assert len(added) - settled == queue.pending_count <= events_max
    rest = [each for each in queue.abandon() if each not in taken]

    assert added == [each.idempotency_id for each in taken + rest]
