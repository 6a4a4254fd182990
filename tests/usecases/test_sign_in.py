"""Signing in: the first owner's link, passwords, and what a session opens and for how long."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from lotus_server.adapters.passwords_argon2 import Argon2Passwords
from lotus_server.adapters.records_sql import SqlRecords
from lotus_server.domain.accounts import SESSION_AGE_MAX, SESSION_IDLE_MAX, Role
from lotus_server.kernel.errors import Invalid, NotFound, Unauthenticated
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import (
    PASSWORD_LENGTH_MAX,
    PASSWORD_LENGTH_MIN,
    SEEN_EVERY,
    PersonDraft,
    Visit,
    claim_owner_link,
    csrf_token,
    first_owner_link,
    is_csrf_token,
    owner_link_is_open,
    session_of,
    sign_in,
    sign_out,
)
from tests.business import SetClock
from tests.people import OWNER, PASSWORD, first_owner

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def services(peopled: Services) -> Services:
    return peopled


def test_the_first_owner_owns_every_organization_and_is_signed_in(services: Services) -> None:
    session = first_owner(services)

    found = session_of(services, session.token)
    assert found is not None
    assert (found.user.email, found.user.name) == (OWNER.email, OWNER.name)
    assert [(each.organization.name, each.role) for each in found.memberships] == [
        ("First", Role.OWNER),
        ("Second", Role.OWNER),
    ]


def test_each_start_makes_a_link_and_only_the_newest_works(services: Services) -> None:
    first, second = first_owner_link(services), first_owner_link(services)
    assert first is not None
    assert second is not None

    assert not owner_link_is_open(services, first)
    assert owner_link_is_open(services, second)
    with pytest.raises(NotFound):
        claim_owner_link(services, first, OWNER)


def test_a_link_for_the_owner_works_once(services: Services) -> None:
    token = first_owner_link(services)
    assert token is not None
    claim_owner_link(services, token, OWNER)

    with pytest.raises(NotFound) as caught:
        claim_owner_link(services, token, PersonDraft("eve@example.com", "Eve", PASSWORD))

    assert caught.value.code == "link_not_found"
    assert not owner_link_is_open(services, token)


def test_there_is_no_link_once_there_is_somebody(services: Services) -> None:
    first_owner(services)

    assert first_owner_link(services) is None


def test_everything_wrong_with_a_person_is_said_at_once(services: Services) -> None:
    token = first_owner_link(services)
    assert token is not None

    with pytest.raises(Invalid) as caught:
        claim_owner_link(services, token, PersonDraft("ada", " ", "short"))

    assert {(each.field, each.code) for each in caught.value.problems} == {
        ("email", "invalid"),
        ("name", "invalid"),
        ("password", "too_short"),
    }
    assert owner_link_is_open(services, token)


@pytest.mark.parametrize("length", [PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX])
def test_a_password_of_a_permitted_length_is_taken(services: Services, length: int) -> None:
    password = "été à la mer, un orage gronde. "
    password = (password + "".join(map(chr, range(0x4E00, 0x4F00))))[:length]
    first_owner(services, PersonDraft("ada@example.com", "Ada", password))

    assert sign_in(services, "ada@example.com", password).token


@pytest.mark.parametrize("length", [PASSWORD_LENGTH_MIN - 1, PASSWORD_LENGTH_MAX + 1])
def test_a_shorter_or_longer_one_is_not(services: Services, length: int) -> None:
    with pytest.raises(Invalid):
        first_owner(services, PersonDraft("ada@example.com", "Ada", "é" * length))


def test_an_address_is_the_same_however_it_is_typed(services: Services) -> None:
    first_owner(services)

    session = sign_in(services, "  ADA@Example.com", PASSWORD)

    assert session_of(services, session.token) is not None


def test_a_password_is_the_same_however_its_letters_are_composed(services: Services) -> None:
    first_owner(services, PersonDraft("ada@example.com", "Ada", "e\u0301te\u0301 a\u0300 la mer"))

    assert sign_in(services, "ada@example.com", "\u00e9t\u00e9 \u00e0 la mer").token


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(services: Services) -> None:
    first_owner(services)
    answers = set()
    for email, password in ((OWNER.email, "another password"), ("eve@example.com", PASSWORD), ("", "")):
        with pytest.raises(Unauthenticated) as caught:
            sign_in(services, email, password)
        answers.add((caught.value.code, caught.value.detail))

    assert {code for code, _ in answers} == {"sign_in_failed"}
    assert len(answers) == 1


def test_a_hash_of_old_parameters_is_renewed_at_the_next_sign_in(services: Services) -> None:
    old = msgspec.structs.replace(services, passwords=Argon2Passwords(memory_kib=16, passes=2, lanes=1))
    first_owner(old)

    sign_in(services, OWNER.email, PASSWORD)

    with services.records.snapshot() as tx:
        user = tx.people.users.by_email(OWNER.email)
    assert user is not None
    assert user.password_hash is not None
    assert not services.passwords.is_outdated(user.password_hash)
    assert sign_in(services, OWNER.email, PASSWORD).token


def test_neither_password_nor_token_are_kept(services: Services, records: SqlRecords) -> None:
    session = first_owner(services)

    with records.snapshot() as tx:
        user = tx.people.users.by_email(OWNER.email)
        kept = repr((user, tx.people.sessions.of_user(session.session.user_id)))
    assert PASSWORD not in kept
    assert session.token not in kept


def test_a_session_in_use_goes_on_until_its_greatest_age(services: Services, clock: SetClock) -> None:
    session = first_owner(services)
    step = SESSION_IDLE_MAX / 2
    while clock.now() + step < START + SESSION_AGE_MAX:
        clock.instant += step
        assert session_of(services, session.token) is not None
    clock.instant = START + SESSION_AGE_MAX

    assert session_of(services, session.token) is None


def test_a_session_that_is_not_used_ends(services: Services, clock: SetClock) -> None:
    session = first_owner(services)
    clock.instant += SESSION_IDLE_MAX

    assert session_of(services, session.token) is None


def test_that_a_session_was_seen_is_written_once_a_minute(services: Services, clock: SetClock) -> None:
    session = first_owner(services)
    seen = []
    for _ in range(4):
        clock.instant += SEEN_EVERY / 2
        found = session_of(services, session.token)
        assert found is not None
        seen.append(found.session.last_seen_at)

    assert seen == [START, START + SEEN_EVERY, START + SEEN_EVERY, START + 2 * SEEN_EVERY]


def test_signing_out_ends_this_session_and_no_other(services: Services) -> None:
    first, second = first_owner(services), sign_in(services, OWNER.email, PASSWORD)

    sign_out(services, first.token)
    sign_out(services, "unknown")

    assert session_of(services, first.token) is None
    assert session_of(services, second.token) is not None


def test_sessions_that_ended_go_at_the_next_sign_in(services: Services, clock: SetClock) -> None:
    first = first_owner(services)
    clock.instant += SESSION_AGE_MAX
    sign_in(services, OWNER.email, PASSWORD)

    with services.records.snapshot() as tx:
        kept = tx.people.sessions.of_user(first.session.user_id)
    assert first.session not in kept
    assert len(kept) == 1


def test_a_session_remembers_where_it_began(services: Services) -> None:
    token = first_owner_link(services)
    assert token is not None
    session = claim_owner_link(services, token, OWNER, visit=Visit("192.0.2.1", "Firefox\x1b[31m" + "x" * 1_000))

    assert session.session.address == "192.0.2.1"
    assert session.session.user_agent is not None
    assert session.session.user_agent.startswith("Firefox [31mx")
    assert len(session.session.user_agent) == 300


def test_an_unknown_token_opens_nothing(services: Services) -> None:
    first_owner(services)

    assert session_of(services, "unknown") is None
    assert session_of(services, "") is None


def test_a_form_belongs_to_one_session(services: Services) -> None:
    first, second = first_owner(services).session, sign_in(services, OWNER.email, PASSWORD).session

    assert is_csrf_token(first, csrf_token(first))
    assert not is_csrf_token(first, csrf_token(second))
    assert not is_csrf_token(first, "")
    assert not is_csrf_token(first, "é")
    assert first.token_hash not in csrf_token(first)


def test_time_that_passes_between_two_uses_is_what_counts(services: Services, clock: SetClock) -> None:
    session = first_owner(services)
    clock.instant += SESSION_IDLE_MAX - timedelta(seconds=1)
    assert session_of(services, session.token) is not None
    clock.instant += SESSION_IDLE_MAX - timedelta(seconds=1)

    assert session_of(services, session.token) is not None
