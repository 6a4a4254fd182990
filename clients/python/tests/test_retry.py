"""What is tried again, and when."""

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lotus
from lotus._retry import BACKOFF_SECONDS_FIRST, BACKOFF_SECONDS_MAX, Pause, RetryPolicy, Send, exchange
from lotus._wire import Request, Response

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
POLICY = RetryPolicy(retries_max=3, retry_after_seconds_max=60)


def delay(reply, *, retries_done=0, random=0.5, policy=POLICY):
    return policy.delay_seconds(reply, retries_done=retries_done, now=NOW, random=lambda: random)


@pytest.mark.parametrize("status", [200, 201, 301, 400, 401, 403, 404, 409, 413, 422])
def test_an_answer_that_would_not_change_is_final(status):
    assert delay(Response(status)) is None


@pytest.mark.parametrize(
    "reply",
    [
        Response(429),
        Response(500),
        Response(502),
        Response(503),
        Response(599),
        lotus.LotusConnectionError("reset"),
        lotus.LotusTimeoutError("slow"),
    ],
)
def test_what_may_pass_is_tried_again_until_the_retries_are_used_up(reply):
    assert [0.25, 0.5, 1.0, None] == [delay(reply, retries_done=done) for done in range(4)]  # 0.5 x (0.5, 1, 2)


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_wait_is_between_zero_and_a_bound(retries_done, random):
    policy = RetryPolicy(retries_max=10_001, retry_after_seconds_max=60)

    assert 0 <= delay(Response(500), retries_done=retries_done, random=random, policy=policy) <= BACKOFF_SECONDS_MAX


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("Wed, 04 Mar 2026 05:06:27 GMT", 20),
        ("Wed, 04 Mar 2026 05:06:27 -0000", 20),
        ("Wed, 04 Mar 2020 05:06:27 GMT", 0),
        ("60", 60),
    ],
)
def test_retry_after_is_waited_for_in_full(header, seconds):
    reply = Response(429, {"retry-after": header})

    assert seconds == delay(reply, random=0.0)
    assert seconds <= delay(reply, random=0.99) <= seconds + BACKOFF_SECONDS_FIRST


@pytest.mark.parametrize("header", ["soon", "-1", "1.5", "", "٣"])
def test_an_unreadable_retry_after_is_as_none(header):
    assert 0.25 == delay(Response(503, {"retry-after": header}))


def test_a_longer_wait_than_allowed_ends_the_attempts():
    assert delay(Response(429, {"retry-after": "61"})) is None


def test_the_same_request_is_sent_again_and_the_last_answer_returned():
    request = Request("POST", "/api/x/", body=b"{}")
    replies = [lotus.LotusConnectionError("reset"), Response(500), Response(201)]

    steps, result = drive(exchange(request, policy=POLICY, now=lambda: NOW, random=lambda: 0.5), replies)

    assert [Send(request), Pause(0.25), Send(request), Pause(0.5), Send(request)] == steps
    assert Response(201) == result


def test_the_last_answer_counts_even_when_it_is_a_failure():
    _, result = drive(
        exchange(Request("GET", "/"), policy=POLICY, now=lambda: NOW, random=lambda: 0.5), [Response(500)] * 4
    )

    assert Response(500) == result


def test_the_last_connection_error_is_raised():
    replies = [lotus.LotusConnectionError(str(number)) for number in range(4)]

    with pytest.raises(lotus.LotusConnectionError, match="3"):
        drive(exchange(Request("GET", "/"), policy=POLICY, now=lambda: NOW, random=lambda: 0.5), replies)


def drive(steps, replies):
    """Answer each Send with the next reply; return all steps and the result."""
    replies, seen, reply = iter(replies), [], None
    while True:
        try:
            step = steps.send(reply)
        except StopIteration as stop:
            return seen, stop.value
        seen.append(step)
        reply = next(replies) if isinstance(step, Send) else None
