"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes for when the app is lost."""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Final

import msgspec
import pyotp

from lotus_server.domain.accounts import OF_SECOND_FACTOR, SecondFactor, User
from lotus_server.kernel.errors import Conflict, Invalid, Unauthenticated
from lotus_server.kernel.instants import to_microseconds
from lotus_server.usecases.attempts import count_attempts, key_of
from lotus_server.usecases.own_changes import note_own_change
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import (
    NewSession,
    SignedIn,
    Visit,
    begin_session,
    normal_password,
    token_hash,
)

STEP_SECONDS: Final = 30
# A clock may be slow or fast by one step.
_STEPS_AROUND: Final = (-1, 0, 1)
RECOVERY_CODES: Final = 10
_SECRET_BYTES: Final = 20
_RECOVERY_BYTES: Final = 10
_ISSUER: Final = "Lotus"
_ON: Final = {"second_factor": True}
_OFF: Final = {"second_factor": False}


def confirm_sign_in(services: Services, token: str, code: str, *, visit: Visit = Visit()) -> NewSession:  # noqa: B008 - frozen
    """The session that needed the second factor has it: another one with a new token takes its place.

    Raises Unauthenticated `sign_in_failed` for a session that does not wait for a code (any more), `wrong_code` for a
    code that is wrong or was used; Throttled after too many codes.
    """
    now = services.clock.now()
    with services.records.snapshot() as tx:
        session = tx.people.sessions.by_hash(token_hash(token))
    if session is None or not session.needs_second_factor or not session.is_valid_at(now):
        raise Unauthenticated("Signing in took too long. Start again.", code="sign_in_failed")
    key = key_of("second_factor", session.user_id)
    count_attempts(services, {key: OF_SECOND_FACTOR})
    with services.records.transaction() as tx:
        factor = tx.people.second_factors.get(session.user_id, for_update=True)
        left = None if factor is None else after_code(factor, code, now)
        user = tx.people.users.get(session.user_id)
        if left is None or user is None:
            raise Unauthenticated("This code is wrong, too old, or was used already.", code="wrong_code")
        tx.people.second_factors.put(left)
        tx.people.attempts.remove(key)
        tx.people.sessions.remove([session.session_id])
        return begin_session(services, tx, user, visit)


def waits_for_code(services: Services, token: str) -> bool:
    """Tell whether a session's token opens everything once its person has given a code."""
    with services.records.snapshot() as tx:
        session = tx.people.sessions.by_hash(token_hash(token))
    return session is not None and session.needs_second_factor and session.is_valid_at(services.clock.now())


def second_factor_of(services: Services, signed_in: SignedIn) -> SecondFactor | None:
    """Return a person's second factor, confirmed or begun."""
    with services.records.snapshot() as tx:
        return tx.people.second_factors.get(signed_in.user.user_id)


def begin_second_factor(services: Services, signed_in: SignedIn, password: str) -> SecondFactor:
    """A secret is made for the person's authenticator app; it is not asked for before a code of it is confirmed.

    Raises Invalid `wrong_password`, Conflict `second_factor_on`.
    """
    require_password(services, signed_in.user, password)
    factor = SecondFactor(signed_in.user.user_id, _random_base32(services, _SECRET_BYTES), services.clock.now())
    with services.records.transaction() as tx:
        existing = tx.people.second_factors.get(factor.user_id, for_update=True)
        if existing is not None and existing.confirmed_at is not None:
            raise Conflict("Your account has a second factor already.", code="second_factor_on")
        tx.people.second_factors.put(factor)
    return factor


def provisioning_uri(factor: SecondFactor, user: User) -> str:
    """Return what an authenticator app reads from the picture of a second factor."""
    return pyotp.TOTP(factor.secret, interval=STEP_SECONDS).provisioning_uri(name=user.email, issuer_name=_ISSUER)


def confirm_second_factor(services: Services, signed_in: SignedIn, code: str) -> list[str]:
    """From now on signing in asks for a code. Return the recovery codes, shown this once.

    Raises Invalid `wrong_code`, Conflict `second_factor_on` or `second_factor_off`.
    """
    now = services.clock.now()
    codes = _new_recovery_codes(services)
    with services.records.transaction() as tx:
        factor = tx.people.second_factors.get(signed_in.user.user_id, for_update=True)
        if factor is None:
            raise Conflict("Begin by adding the account to your app.", code="second_factor_off")
        if factor.confirmed_at is not None:
            raise Conflict("Your account has a second factor already.", code="second_factor_on")
        left = after_code(factor, code, now)
        if left is None:
            detail = "This code is wrong. Is the clock of your device right?"
            raise Invalid.field("code", "wrong_code", detail)
        hashes = tuple(_recovery_hash(each) for each in codes)
        tx.people.second_factors.put(msgspec.structs.replace(left, confirmed_at=now, recovery_hashes=hashes))
        note_own_change(services, tx, signed_in.user, "confirm_second_factor", before=_OFF, after=_ON)
    return codes


def renew_recovery_codes(services: Services, signed_in: SignedIn, password: str) -> list[str]:
    """The recovery codes are others, shown this once; the earlier ones open nothing.

    Raises Invalid `wrong_password`, Conflict `second_factor_off`.
    """
    require_password(services, signed_in.user, password)
    codes = _new_recovery_codes(services)
    with services.records.transaction() as tx:
        factor = tx.people.second_factors.get(signed_in.user.user_id, for_update=True)
        if factor is None or factor.confirmed_at is None:
            raise Conflict("Your account has no second factor.", code="second_factor_off")
        hashes = tuple(_recovery_hash(each) for each in codes)
        tx.people.second_factors.put(msgspec.structs.replace(factor, recovery_hashes=hashes))
    return codes


def remove_second_factor(services: Services, signed_in: SignedIn, password: str) -> None:
    """Signing in asks for the password alone. Raises Invalid `wrong_password`."""
    require_password(services, signed_in.user, password)
    with services.records.transaction() as tx:
        tx.people.second_factors.remove(signed_in.user.user_id)
        note_own_change(services, tx, signed_in.user, "remove_second_factor", before=_ON, after=_OFF)


def require_password(services: Services, user: User, password: str, *, field: str = "password") -> None:
    """Raise Invalid `wrong_password` for a password that is not the person's, Throttled after too many of them.

    What protects an account is not changed by whoever finds its window open.
    """
    key = key_of("own_password", user.user_id)
    count_attempts(services, {key: OF_SECOND_FACTOR})
    if not services.passwords.is_right(normal_password(password), user.password_hash):
        raise Invalid.field(field, "wrong_password", "This is not your password.")
    with services.records.transaction() as tx:
        tx.people.attempts.remove(key)


def after_code(factor: SecondFactor, code: str, now: datetime) -> SecondFactor | None:
    """Return the second factor without the code that was just used; null for a code that is wrong or was used."""
    letters = "".join(character for character in code.upper() if character.isalnum())
    if letters.isdecimal() and len(letters) <= 8:
        step = _step_of(factor, letters, now)
        return None if step is None else msgspec.structs.replace(factor, last_step=step)
    used = _recovery_hash(letters)
    if used not in factor.recovery_hashes:
        return None
    left = tuple(each for each in factor.recovery_hashes if each != used)
    return msgspec.structs.replace(factor, recovery_hashes=left)


def _step_of(factor: SecondFactor, digits: str, now: datetime) -> int | None:
    present = to_microseconds(now) // (STEP_SECONDS * 1_000_000)
    codes = pyotp.HOTP(factor.secret)
    for around in _STEPS_AROUND:
        step = present + around
        if step > factor.last_step and hmac.compare_digest(codes.at(step).encode(), digits.encode()):
            return step
    return None


def _new_recovery_codes(services: Services) -> list[str]:
    texts = [_random_base32(services, _RECOVERY_BYTES) for _ in range(RECOVERY_CODES)]
    return ["-".join(text[place : place + 4] for place in range(0, len(text), 4)) for text in texts]


def _recovery_hash(code: str) -> str:
    return hashlib.sha256(code.replace("-", "").encode()).hexdigest()


def _random_base32(services: Services, length: int) -> str:
    """Return so many random bytes (at most 32) in letters and digits that people do not mix up."""
    random = base64.urlsafe_b64decode(services.ids.secret() + "=")
    return base64.b32encode(random[:length]).decode()
