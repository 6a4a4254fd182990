"""Guessing passwords: it becomes slow, for accounts that exist and for those that do not."""

from datetime import timedelta

import pytest

from lotus_server.domain.accounts import FORGOTTEN_AFTER, OF_ACCOUNT, OF_ADDRESS
from lotus_server.kernel.errors import Invalid, LotusError, Throttled
from lotus_server.usecases.mails import forget_old
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import PersonDraft, Visit, session_of, sign_in
from tests.business import SetClock
from tests.people import OWNER, PASSWORD, first_owner

GUESS = "another password"
HERE = Visit("192.0.2.1")


def answers(services: Services, email: str, count: int, visit: Visit = HERE) -> list[str]:
    """The codes with which so many wrong guesses are answered."""
    found = []
    for _ in range(count):
        with pytest.raises(LotusError) as caught:
            sign_in(services, email, GUESS, visit=visit)
        found.append(caught.value.code)
    return found


@pytest.mark.parametrize("email", [OWNER.email, "nobody@example.com"])
def test_after_some_guesses_an_account_waits_whether_it_exists_or_not(peopled: Services, email: str) -> None:
    first_owner(peopled)

    assert answers(peopled, email, OF_ACCOUNT.free + 1) == ["sign_in_failed"] * OF_ACCOUNT.free + ["too_many_attempts"]


def test_while_an_account_waits_not_even_the_right_password_opens_it(peopled: Services) -> None:
    first_owner(peopled)
    answers(peopled, OWNER.email, OF_ACCOUNT.free)

    with pytest.raises(Throttled) as caught:
        sign_in(peopled, OWNER.email, PASSWORD, visit=Visit("198.51.100.7"))

    assert caught.value.detail == "Too many attempts. Try again in one minute."


def test_after_the_wait_there_is_one_more_attempt(peopled: Services, clock: SetClock) -> None:
    first_owner(peopled)
    answers(peopled, OWNER.email, OF_ACCOUNT.free)
    clock.instant += timedelta(minutes=1)

    assert answers(peopled, OWNER.email, 2) == ["sign_in_failed", "too_many_attempts"]
    clock.instant += timedelta(minutes=2)
    assert session_of(peopled, sign_in(peopled, OWNER.email, PASSWORD).token) is not None


def test_the_right_password_lets_the_count_begin_anew(peopled: Services) -> None:
    first_owner(peopled)
    for _ in range(3):
        answers(peopled, OWNER.email, OF_ACCOUNT.free - 1)
        sign_in(peopled, OWNER.email, PASSWORD, visit=HERE)


def test_one_address_cannot_try_many_accounts(peopled: Services) -> None:
    first_owner(peopled)
    for number in range(OF_ADDRESS.free):
        assert answers(peopled, f"p{number}@example.com", 1) == ["sign_in_failed"]

    assert answers(peopled, "another@example.com", 1) == ["too_many_attempts"]
    assert answers(peopled, "another@example.com", 1, Visit("198.51.100.7")) == ["sign_in_failed"]


def test_addresses_of_one_ipv6_network_count_as_one_machine(peopled: Services) -> None:
    for number in range(OF_ADDRESS.free):
        assert answers(peopled, f"p{number}@example.com", 1, Visit(f"2001:db8::{number:x}")) == ["sign_in_failed"]

    assert answers(peopled, "another@example.com", 1, Visit("2001:db8::ffff")) == ["too_many_attempts"]
    assert answers(peopled, "another@example.com", 1, Visit("2001:db8:0:1::1")) == ["sign_in_failed"]


def test_those_who_sign_in_do_not_use_up_the_attempts_of_their_address(peopled: Services) -> None:
    first_owner(peopled)

    for _ in range(OF_ADDRESS.free + 5):
        sign_in(peopled, OWNER.email, PASSWORD, visit=HERE)


def test_attempts_are_forgotten_after_a_day(peopled: Services, clock: SetClock) -> None:
    answers(peopled, OWNER.email, OF_ACCOUNT.free)
    clock.instant += FORGOTTEN_AFTER + timedelta(seconds=1)
    forget_old(peopled)

    assert answers(peopled, OWNER.email, OF_ACCOUNT.free) == ["sign_in_failed"] * OF_ACCOUNT.free


@pytest.mark.parametrize(
    "password", ["password1234", "123456789012", "qwertyuiop12", "ada@example.com", "adaadaadaada", "lotuslotuslotus"]
)
def test_a_password_that_is_easy_to_guess_is_refused(peopled: Services, password: str) -> None:
    with pytest.raises(Invalid) as caught:
        first_owner(peopled, PersonDraft("ada@example.com", "Ada Lovelace", password.ljust(12, "1")))

    assert caught.value.code == "easy_to_guess"


@pytest.mark.parametrize("password", ["correct horse battery staple", "été à la mer 1998", "vGk2#9sLqP0x"])
def test_any_other_is_taken_whatever_its_characters(peopled: Services, password: str) -> None:
    assert first_owner(peopled, PersonDraft("ada@example.com", "Ada Lovelace", password)).token
