"""What people change about themselves, and how they get another password."""

from datetime import timedelta

import msgspec
import pytest

from lotus_server.domain.accounts import OF_RESETS, RESET_AGE_MAX, changes_of
from lotus_server.kernel.errors import Invalid, LotusError, NotFound, Throttled
from lotus_server.ports.audit_records import AuditQuestion
from lotus_server.ports.records import Page
from lotus_server.usecases.audit import list_audit
from lotus_server.usecases.mails import TRIES_MAX, send_mail_due
from lotus_server.usecases.my_account import (
    change_name,
    change_password,
    end_other_sessions,
    end_session,
    list_sessions,
)
from lotus_server.usecases.password_reset import (
    new_reset_link,
    request_password_reset,
    reset_link_is_open,
    reset_password,
)
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import SignedIn, Visit, session_of, sign_in
from tests.business import SetClock
from tests.people import OWNER, PASSWORD, Postbox, first_owner, signed_in, token_of

NEW_PASSWORD = "a wholly new passphrase"


@pytest.fixture
def ada(peopled: Services) -> SignedIn:
    return signed_in(peopled, first_owner(peopled))


def mailed_token(services: Services, postbox: Postbox) -> str:
    """The token of the link in the mail that is due."""
    send_mail_due(services)
    (line,) = [line for line in postbox.messages[-1].text.splitlines() if line.startswith("https://")]
    return token_of(line)


def test_a_person_has_another_name(peopled: Services, ada: SignedIn) -> None:
    change_name(peopled, ada, "  Countess Lovelace ")

    assert signed_in(peopled, sign_in(peopled, OWNER.email, PASSWORD)).user.name == "Countess Lovelace"
    with pytest.raises(Invalid):
        change_name(peopled, ada, " ")


def test_another_password_signs_everybody_else_out(peopled: Services, ada: SignedIn) -> None:
    other = sign_in(peopled, OWNER.email, PASSWORD)

    change_password(peopled, ada, current=PASSWORD, password=NEW_PASSWORD)

    assert session_of(peopled, other.token) is None
    assert [each.session_id for each in list_sessions(peopled, ada)] == [ada.session.session_id]
    assert sign_in(peopled, OWNER.email, NEW_PASSWORD).token
    with pytest.raises(LotusError):
        sign_in(peopled, OWNER.email, PASSWORD)


def test_a_password_is_not_changed_without_the_present_one(peopled: Services, ada: SignedIn) -> None:
    with pytest.raises(Invalid) as caught:
        change_password(peopled, ada, current="another password", password=NEW_PASSWORD)

    assert [each.field for each in caught.value.problems] == ["current_password"]
    assert sign_in(peopled, OWNER.email, PASSWORD).token


def test_guessing_the_present_password_at_an_open_window_becomes_slow(peopled: Services, ada: SignedIn) -> None:
    codes = []
    for _ in range(6):
        with pytest.raises(LotusError) as caught:
            change_password(peopled, ada, current="another password", password=NEW_PASSWORD)
        codes.append(caught.value.code)

    assert codes == ["wrong_password"] * 5 + ["too_many_attempts"]


@pytest.mark.parametrize(("password", "code"), [("short", "too_short"), ("password1234", "easy_to_guess")])
def test_a_new_password_is_held_to_the_rules(peopled: Services, ada: SignedIn, password: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        change_password(peopled, ada, current=PASSWORD, password=password)
    with pytest.raises(Invalid) as caught_too:
        reset_password(peopled, token_of(new_reset_link(peopled, OWNER.email)), password)

    assert {caught.value.code, caught_too.value.code} == {code}


def test_sessions_are_listed_and_ended(peopled: Services, ada: SignedIn) -> None:
    other = sign_in(peopled, OWNER.email, PASSWORD, visit=Visit("192.0.2.1", "Firefox"))
    third = sign_in(peopled, OWNER.email, PASSWORD)

    assert len(list_sessions(peopled, ada)) == 3
    end_session(peopled, ada, other.session.session_id)
    assert session_of(peopled, other.token) is None
    assert end_other_sessions(peopled, ada) == 1
    assert session_of(peopled, third.token) is None
    assert list_sessions(peopled, ada) == [ada.session]


def test_nobody_ends_sessions_of_others(peopled: Services, ada: SignedIn) -> None:
    stranger = msgspec.structs.replace(ada, user=msgspec.structs.replace(ada.user, user_id="user_other"))

    with pytest.raises(NotFound):
        end_session(peopled, stranger, ada.session.session_id)


def test_a_link_in_a_mail_gives_another_password_and_ends_all_sessions(
    peopled: Services, ada: SignedIn, postbox: Postbox
) -> None:
    other = sign_in(peopled, OWNER.email, PASSWORD)
    request_password_reset(peopled, "ADA@example.com")
    token = mailed_token(peopled, postbox)

    assert reset_link_is_open(peopled, token)
    reset_password(peopled, token, NEW_PASSWORD)

    assert session_of(peopled, other.token) is None
    assert sign_in(peopled, OWNER.email, NEW_PASSWORD).token
    assert not reset_link_is_open(peopled, token)
    with pytest.raises(NotFound):
        reset_password(peopled, token, NEW_PASSWORD)


def test_who_has_no_account_is_told_the_same_and_sent_nothing(
    peopled: Services, ada: SignedIn, postbox: Postbox
) -> None:
    request_password_reset(peopled, "nobody@example.com")

    assert send_mail_due(peopled) == 0
    assert postbox.messages == []
    assert send_mail_due(peopled) == 0


def test_a_link_for_a_password_ends_after_an_hour(peopled: Services, ada: SignedIn, clock: SetClock) -> None:
    token = token_of(new_reset_link(peopled, OWNER.email))
    clock.instant += RESET_AGE_MAX - timedelta(microseconds=1)
    assert reset_link_is_open(peopled, token)
    clock.instant += timedelta(microseconds=1)

    assert not reset_link_is_open(peopled, token)


def test_one_link_that_is_used_ends_the_others(peopled: Services, ada: SignedIn) -> None:
    first, second = (token_of(new_reset_link(peopled, OWNER.email)) for _ in range(2))
    reset_password(peopled, second, NEW_PASSWORD)

    assert not reset_link_is_open(peopled, first)


def test_a_new_password_ends_the_wait_of_its_account(peopled: Services, ada: SignedIn) -> None:
    for _ in range(6):
        with pytest.raises(LotusError):
            sign_in(peopled, OWNER.email, "another password")
    reset_password(peopled, token_of(new_reset_link(peopled, OWNER.email)), NEW_PASSWORD)

    assert sign_in(peopled, OWNER.email, NEW_PASSWORD).token


def test_one_address_is_not_sent_mail_after_mail(peopled: Services, ada: SignedIn) -> None:
    for _ in range(OF_RESETS.free):
        request_password_reset(peopled, OWNER.email)

    with pytest.raises(Throttled):
        request_password_reset(peopled, OWNER.email)


def test_what_is_no_address_is_refused(peopled: Services) -> None:
    with pytest.raises(Invalid):
        request_password_reset(peopled, "ada\r\nBcc: eve@example.com")


def test_no_link_lies_in_the_records_before_or_after_a_mail(
    peopled: Services, ada: SignedIn, postbox: Postbox, clock: SetClock
) -> None:
    request_password_reset(peopled, OWNER.email)
    with peopled.records.transaction() as tx:
        (waiting,) = tx.people.mails.claim(clock.now(), 10)
    send_mail_due(peopled)

    assert waiting.text == ""
    assert len(postbox.messages) == 1


def test_mail_that_is_not_taken_over_is_tried_again_and_given_up_in_the_end(
    peopled: Services, ada: SignedIn, postbox: Postbox, clock: SetClock
) -> None:
    postbox.is_closed = True
    request_password_reset(peopled, OWNER.email)
    for _ in range(3):
        assert send_mail_due(peopled) == 0
        clock.instant += timedelta(hours=1)
    postbox.is_closed = False
    assert send_mail_due(peopled) == 1

    clock.instant += timedelta(days=2)
    postbox.is_closed = True
    request_password_reset(peopled, OWNER.email)
    for _ in range(TRIES_MAX):
        send_mail_due(peopled)
        clock.instant += timedelta(hours=1)
    postbox.is_closed = False
    assert send_mail_due(peopled) == 0


def test_the_operator_makes_a_link_for_who_exists(peopled: Services, ada: SignedIn) -> None:
    assert new_reset_link(peopled, OWNER.email).startswith("https://lotus.example/reset-password/")
    with pytest.raises(NotFound):
        new_reset_link(peopled, "nobody@example.com")


def test_what_changes_how_somebody_signs_in_is_noted_where_the_person_is_a_member(
    peopled: Services, ada: SignedIn
) -> None:
    change_name(peopled, ada, "Countess Lovelace")
    change_password(peopled, ada, current=PASSWORD, password=NEW_PASSWORD)
    reset_password(peopled, token_of(new_reset_link(peopled, OWNER.email)), PASSWORD)

    for member in ada.memberships:
        entries = list_audit(peopled, member.organization, Page(), AuditQuestion(kind="person"))
        assert [entry.action for entry in entries] == ["reset_password", "change_password", "change_name"]
        assert [change.path for entry in entries for change in changes_of(entry)] == ["name"]
        assert "argon2" not in repr(entries)
