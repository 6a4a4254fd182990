"""How long one has to wait after attempts that failed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lotus_server.domain.accounts import FORGOTTEN_AFTER, AttemptLimit, Attempts, after_attempt, attempt_allowed_at

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = AttemptLimit(free=3, wait_max=timedelta(minutes=15))


def wait(failures: int) -> timedelta:
    return attempt_allowed_at(Attempts("key", failures, NOW), LIMIT) - NOW


def test_the_first_attempts_cost_nothing_and_each_further_one_twice_as_much_up_to_a_limit() -> None:
    assert [wait(failures) // timedelta(minutes=1) for failures in range(10)] == [0, 0, 0, 1, 2, 4, 8, 15, 15, 15]


@given(st.integers(0, 10**6))
def test_more_failures_never_make_the_wait_shorter(failures: int) -> None:
    assert timedelta(0) <= wait(failures) <= wait(failures + 1) <= LIMIT.wait_max


def test_attempts_are_forgotten_after_a_day() -> None:
    attempts = Attempts("key", 7, NOW)

    just_before = after_attempt(attempts, NOW + FORGOTTEN_AFTER - timedelta(microseconds=1))
    after = after_attempt(attempts, NOW + FORGOTTEN_AFTER)

    assert (8, 1) == (just_before.failures, after.failures)
