"""Passwords: what is kept of one, and what it tells."""

import time

import pytest

from lotus_server.adapters.passwords_argon2 import LANES, MEMORY_KIB, PASSES, Argon2Passwords

QUICK = Argon2Passwords(memory_kib=8, passes=1, lanes=1)


def test_a_password_is_right_and_no_other_is() -> None:
    kept = QUICK.hash("correct horse")

    assert QUICK.is_right("correct horse", kept)
    assert not QUICK.is_right("correct horse ", kept)


def test_the_same_password_is_kept_differently_each_time_and_never_itself() -> None:
    first, second = QUICK.hash("correct horse"), QUICK.hash("correct horse")

    assert first != second
    assert "correct" not in first + second


@pytest.mark.parametrize("kept", ["", "plain text", "$argon2id$v=19$m=8,t=1,p=1$bad"])
def test_what_is_no_hash_is_nobodys(kept: str) -> None:
    assert not QUICK.is_right("plain text", kept)


def test_hashes_of_other_parameters_are_still_right_but_outdated() -> None:
    kept = Argon2Passwords(memory_kib=16, passes=1, lanes=1).hash("correct horse")

    assert QUICK.is_right("correct horse", kept)
    assert QUICK.is_outdated(kept)
    assert not QUICK.is_outdated(QUICK.hash("correct horse"))


def test_the_parameters_are_those_recommended_by_rfc_9106() -> None:
    assert (65_536, 3, 4) == (MEMORY_KIB, PASSES, LANES)


def test_a_password_of_nobody_is_wrong_after_the_same_work() -> None:
    passwords = Argon2Passwords()
    kept = passwords.hash("correct horse")
    passwords.is_right("first", None)  # the hash to compare with is made at the first question

    def seconds(against: str | None) -> float:
        started = time.perf_counter()
        assert not passwords.is_right("another", against)
        return time.perf_counter() - started

    known = min(seconds(kept) for _ in range(5))
    unknown = min(seconds(None) for _ in range(5))

    assert known / 3 < unknown < known * 3
