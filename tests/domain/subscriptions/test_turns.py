"""What time does to a subscription next."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from lotus_server.domain.subscriptions import Turn, TurnKind, earliest_turn, next_turn
from tests.records_values import MARCH, subscription

APRIL = MARCH.end
MID_MARCH = datetime(2026, 3, 15, tzinfo=UTC)
RENEWING = subscription()


def test_what_renews_does_so_at_the_end_of_its_period() -> None:
    assert Turn("sub", APRIL, TurnKind.RENEWS) == next_turn(RENEWING, MID_MARCH)


def test_at_the_very_end_of_a_period_the_next_one_counts() -> None:
    turn = next_turn(RENEWING, APRIL)

    assert Turn("sub", datetime(2026, 5, 1, tzinfo=UTC), TurnKind.RENEWS) == turn


@pytest.mark.parametrize(("ends_at", "kind"), [(MID_MARCH + timedelta(days=1), TurnKind.ENDS), (APRIL, TurnKind.ENDS)])
def test_what_ends_within_its_period_ends(ends_at: datetime, kind: TurnKind) -> None:
    turn = next_turn(msgspec.structs.replace(RENEWING, ends_at=ends_at, auto_renew=False), MID_MARCH)

    assert Turn("sub", ends_at, kind) == turn


def test_what_ends_in_a_later_period_renews_before() -> None:
    ending = msgspec.structs.replace(RENEWING, ends_at=datetime(2026, 6, 1, tzinfo=UTC), auto_renew=False)

    assert Turn("sub", APRIL, TurnKind.RENEWS) == next_turn(ending, MID_MARCH)


def test_what_has_not_begun_starts() -> None:
    assert Turn("sub", MARCH.start, TurnKind.STARTS) == next_turn(RENEWING, MARCH.start - timedelta(days=1))


def test_a_trial_ends_before_anything_renews() -> None:
    trying = subscription(
        trial_end=MID_MARCH, anchor=MID_MARCH, open_period=msgspec.structs.replace(MARCH, end=MID_MARCH)
    )

    assert Turn("sub", MID_MARCH, TurnKind.TRIAL_ENDS) == next_turn(trying, MARCH.start)


def test_nothing_happens_to_what_has_ended() -> None:
    ended = msgspec.structs.replace(RENEWING, ends_at=MID_MARCH, auto_renew=False)

    assert next_turn(ended, MID_MARCH) is None


def test_of_several_the_earliest_counts() -> None:
    later = subscription("later", starts_at=MID_MARCH + timedelta(days=90))

    assert Turn("sub", APRIL, TurnKind.RENEWS) == earliest_turn([later, RENEWING], MID_MARCH)
    assert earliest_turn([], MID_MARCH) is None
