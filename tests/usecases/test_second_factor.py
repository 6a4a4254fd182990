"""The second factor: codes of an app, each taken once, and codes on paper."""

from datetime import timedelta

import pyotp
import pytest

from lotus_server.domain.accounts import (
    HALF_SESSION_AGE_MAX,
    OF_SECOND_FACTOR,
    AuthorKind,
    FieldChange,
    SecondFactor,
    changes_of,
)
from lotus_server.kernel.errors import Conflict, Invalid, LotusError, Unauthenticated
from lotus_server.ports.audit_records import AuditQuestion
from lotus_server.ports.records import Page
from lotus_server.usecases.audit import list_audit
from lotus_server.usecases.password_reset import new_reset_link, remove_lost_second_factor, reset_password
from lotus_server.usecases.second_factor import (
    STEP_SECONDS,
    begin_second_factor,
    confirm_second_factor,
    confirm_sign_in,
    provisioning_uri,
    remove_second_factor,
    renew_recovery_codes,
    second_factor_of,
    waits_for_code,
)
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import SignedIn, session_of, sign_in
from tests.business import SetClock
from tests.people import OWNER, PASSWORD, first_owner, signed_in, token_of

STEP = timedelta(seconds=STEP_SECONDS)


def code_of(services: Services, factor: SecondFactor, steps: int = 0) -> str:
    """What the app shows now, or so many steps later."""
    return pyotp.TOTP(factor.secret).at(services.clock.now(), counter_offset=steps)


@pytest.fixture
def ada(peopled: Services) -> SignedIn:
    return signed_in(peopled, first_owner(peopled))


@pytest.fixture
def factor(peopled: Services, ada: SignedIn, clock: SetClock) -> SecondFactor:
    """Ada has a second factor; the code by which she confirmed it is over."""
    begun = begin_second_factor(peopled, ada, PASSWORD)
    confirm_second_factor(peopled, ada, code_of(peopled, begun))
    clock.instant += 2 * STEP
    return begun


def refused(services: Services, token: str, code: str) -> str:
    with pytest.raises(LotusError) as caught:
        confirm_sign_in(services, token, code)
    return caught.value.code


def test_a_second_factor_is_not_asked_for_before_it_is_confirmed(peopled: Services, ada: SignedIn) -> None:
    begin_second_factor(peopled, ada, PASSWORD)

    assert session_of(peopled, sign_in(peopled, OWNER.email, PASSWORD).token) is not None


def test_with_a_second_factor_the_password_alone_opens_nothing(peopled: Services, factor: SecondFactor) -> None:
    half = sign_in(peopled, OWNER.email, PASSWORD)

    assert session_of(peopled, half.token) is None
    assert waits_for_code(peopled, half.token)


def test_a_code_opens_by_another_token(peopled: Services, factor: SecondFactor) -> None:
    half = sign_in(peopled, OWNER.email, PASSWORD)

    whole = confirm_sign_in(peopled, half.token, code_of(peopled, factor))

    assert session_of(peopled, whole.token) is not None
    assert session_of(peopled, half.token) is None
    assert not waits_for_code(peopled, half.token)


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_clocks_may_differ_by_one_step(peopled: Services, factor: SecondFactor, steps: int) -> None:
    half = sign_in(peopled, OWNER.email, PASSWORD)

    assert confirm_sign_in(peopled, half.token, code_of(peopled, factor, steps)).token


@pytest.mark.parametrize("steps", [-2, 2])
def test_and_by_no_more(peopled: Services, factor: SecondFactor, steps: int) -> None:
    half = sign_in(peopled, OWNER.email, PASSWORD)

    assert refused(peopled, half.token, code_of(peopled, factor, steps)) == "wrong_code"


def test_a_code_is_taken_once_and_none_before_it(peopled: Services, factor: SecondFactor) -> None:
    confirm_sign_in(peopled, sign_in(peopled, OWNER.email, PASSWORD).token, code_of(peopled, factor))
    again = sign_in(peopled, OWNER.email, PASSWORD)

    assert refused(peopled, again.token, code_of(peopled, factor)) == "wrong_code"
    assert refused(peopled, again.token, code_of(peopled, factor, -1)) == "wrong_code"
    assert confirm_sign_in(peopled, again.token, code_of(peopled, factor, 1)).token


def test_the_code_that_confirmed_the_set_up_is_used(peopled: Services, ada: SignedIn) -> None:
    begun = begin_second_factor(peopled, ada, PASSWORD)
    confirm_second_factor(peopled, ada, code_of(peopled, begun))
    half = sign_in(peopled, OWNER.email, PASSWORD)

    assert refused(peopled, half.token, code_of(peopled, begun)) == "wrong_code"


def test_guessing_codes_becomes_slow_and_a_new_sign_in_does_not_help(peopled: Services, factor: SecondFactor) -> None:
    tokens = [sign_in(peopled, OWNER.email, PASSWORD).token for _ in range(OF_SECOND_FACTOR.free + 1)]
    codes = [refused(peopled, token, "000000") for token in tokens]

    assert codes == ["wrong_code"] * OF_SECOND_FACTOR.free + ["too_many_attempts"]


def test_who_takes_too_long_starts_again(peopled: Services, factor: SecondFactor, clock: SetClock) -> None:
    half = sign_in(peopled, OWNER.email, PASSWORD)
    clock.instant += HALF_SESSION_AGE_MAX

    assert refused(peopled, half.token, code_of(peopled, factor)) == "sign_in_failed"


def test_a_whole_session_waits_for_no_code(peopled: Services, ada: SignedIn) -> None:
    whole = sign_in(peopled, OWNER.email, PASSWORD)

    assert refused(peopled, whole.token, "000000") == "sign_in_failed"
    assert refused(peopled, "unknown", "000000") == "sign_in_failed"


def test_a_recovery_code_opens_once_however_it_is_typed(peopled: Services, ada: SignedIn) -> None:
    begun = begin_second_factor(peopled, ada, PASSWORD)
    first, *others = confirm_second_factor(peopled, ada, code_of(peopled, begun))
    typed = first.lower().replace("-", " ")

    assert confirm_sign_in(peopled, sign_in(peopled, OWNER.email, PASSWORD).token, typed).token
    again = sign_in(peopled, OWNER.email, PASSWORD)
    assert refused(peopled, again.token, first) == "wrong_code"
    assert confirm_sign_in(peopled, again.token, others[0]).token


def test_recovery_codes_are_ten_different_ones_and_not_kept(peopled: Services, ada: SignedIn) -> None:
    begun = begin_second_factor(peopled, ada, PASSWORD)
    codes = confirm_second_factor(peopled, ada, code_of(peopled, begun))

    assert len(set(codes)) == 10
    assert {len(code.replace("-", "")) for code in codes} == {16}
    assert not any(code.replace("-", "") in repr(second_factor_of(peopled, ada)) for code in codes)


def test_new_recovery_codes_end_the_old_ones(peopled: Services, ada: SignedIn) -> None:
    begun = begin_second_factor(peopled, ada, PASSWORD)
    old = confirm_second_factor(peopled, ada, code_of(peopled, begun))
    new = renew_recovery_codes(peopled, ada, PASSWORD)
    half = sign_in(peopled, OWNER.email, PASSWORD)

    assert refused(peopled, half.token, old[0]) == "wrong_code"
    assert confirm_sign_in(peopled, half.token, new[0]).token


def test_a_wrong_code_confirms_nothing(peopled: Services, ada: SignedIn) -> None:
    begin_second_factor(peopled, ada, PASSWORD)

    with pytest.raises(Invalid) as caught:
        confirm_second_factor(peopled, ada, "000000")

    assert caught.value.code == "wrong_code"


@pytest.mark.parametrize("verb", [begin_second_factor, renew_recovery_codes, remove_second_factor])
def test_the_password_is_asked_for_before_anything_changes(peopled: Services, ada: SignedIn, verb: object) -> None:
    assert callable(verb)
    with pytest.raises(Invalid) as caught:
        verb(peopled, ada, "another password")

    assert caught.value.code == "wrong_password"


def test_a_second_factor_is_set_up_once(peopled: Services, ada: SignedIn, factor: SecondFactor) -> None:
    with pytest.raises(Conflict):
        begin_second_factor(peopled, ada, PASSWORD)
    with pytest.raises(Conflict):
        confirm_second_factor(peopled, ada, code_of(peopled, factor))


def test_without_it_the_password_is_enough_again(peopled: Services, ada: SignedIn, factor: SecondFactor) -> None:
    remove_second_factor(peopled, ada, PASSWORD)

    assert session_of(peopled, sign_in(peopled, OWNER.email, PASSWORD).token) is not None


def test_a_new_password_does_not_take_the_place_of_a_code(peopled: Services, factor: SecondFactor) -> None:
    reset_password(peopled, token_of(new_reset_link(peopled, OWNER.email)), "a wholly new passphrase")

    assert session_of(peopled, sign_in(peopled, OWNER.email, "a wholly new passphrase").token) is None


def test_the_operator_can_turn_a_lost_one_off(peopled: Services, ada: SignedIn, factor: SecondFactor) -> None:
    remove_lost_second_factor(peopled, OWNER.email)

    assert session_of(peopled, sign_in(peopled, OWNER.email, PASSWORD).token) is not None
    entries = list_audit(peopled, ada.memberships[0].organization, Page(), AuditQuestion(kind="person"))
    assert entries[0].author.kind is AuthorKind.COMMAND


def test_an_app_reads_issuer_address_and_secret(peopled: Services, ada: SignedIn) -> None:
    begun = begin_second_factor(peopled, ada, PASSWORD)

    read = pyotp.parse_uri(provisioning_uri(begun, ada.user))
    assert (read.secret, read.name, read.issuer) == (begun.secret, OWNER.email, "Lotus")


def test_a_session_that_needs_a_code_is_refused_where_one_must_be_signed_in(
    peopled: Services, factor: SecondFactor
) -> None:
    half = sign_in(peopled, OWNER.email, PASSWORD)

    with pytest.raises(Unauthenticated):
        confirm_sign_in(peopled, half.token, "")
    assert session_of(peopled, half.token) is None


def test_turning_it_on_and_off_is_noted_where_the_person_is_a_member(
    peopled: Services, ada: SignedIn, factor: SecondFactor
) -> None:
    remove_second_factor(peopled, ada, PASSWORD)

    entries = list_audit(peopled, ada.memberships[0].organization, Page(), AuditQuestion(kind="person"))
    assert [entry.action for entry in entries] == ["remove_second_factor", "confirm_second_factor"]
    assert changes_of(entries[0]) == (FieldChange("second_factor", before=True, after=False),)
    assert factor.secret not in repr(entries)
