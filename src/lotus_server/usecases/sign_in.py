"""Signing in: the first owner, passwords, and the sessions of browsers."""

import hashlib
import hmac
import unicodedata
from datetime import datetime, timedelta
from typing import Final

import msgspec

from lotus_server.domain.accounts import (
    HALF_SESSION_AGE_MAX,
    OF_ACCOUNT,
    OF_ADDRESS,
    SESSION_AGE_MAX,
    LinkPurpose,
    Membership,
    OneTimeLink,
    Organization,
    Role,
    User,
    UserSession,
    email_problem,
    normal_email,
)
from lotus_server.kernel.errors import NotFound, Problems, Unauthenticated
from lotus_server.kernel.identifiers import name_problem
from lotus_server.ports.records import Transaction
from lotus_server.usecases.attempts import count_attempts, key_of, key_of_address, take_back_attempt
from lotus_server.usecases.services import Services

PASSWORD_LENGTH_MIN: Final = 12
PASSWORD_LENGTH_MAX: Final = 200
# Writing at every request would make readers of a page into writers.
SEEN_EVERY: Final = timedelta(minutes=1)
_DEVICE_LENGTH_MAX: Final = 300


class Visit(msgspec.Struct, frozen=True):
    """Where a request comes from, as far as it is known: shown to people in the list of their sessions."""

    address: str | None = None
    user_agent: str | None = None


class PersonDraft(msgspec.Struct, frozen=True):
    """A person to be made."""

    email: str
    name: str
    password: str


class NewSession(msgspec.Struct, frozen=True):
    """A session just begun. `token` is for the browser's cookie: only its hash is kept."""

    session: UserSession
    token: str


class MemberOf(msgspec.Struct, frozen=True):
    """An organization to which somebody belongs, and what the person is there."""

    organization: Organization
    role: Role


class SignedIn(msgspec.Struct, frozen=True):
    """Who a session belongs to, and where the person may go: the oldest organization first."""

    user: User
    session: UserSession
    memberships: tuple[MemberOf, ...]


def first_owner_link(services: Services) -> str | None:
    """Return the token of a link with which the first owner sets up an account; null once there is anybody.

    The link works until it is used or the next one is made.
    """
    with services.records.transaction() as tx:
        if tx.people.users.any():
            return None
        earlier = tx.people.links.all(LinkPurpose.OWNER_SETUP)
        tx.people.links.remove([link.link_id for link in earlier])
        token = services.ids.secret()
        tx.people.links.add(
            OneTimeLink(
                link_id=services.ids.new("link"),
                purpose=LinkPurpose.OWNER_SETUP,
                token_hash=token_hash(token),
                created_at=services.clock.now(),
            )
        )
        return token


def owner_link_is_open(services: Services, token: str) -> bool:
    """Tell whether a token is that of the link for the first owner."""
    with services.records.snapshot() as tx:
        link = tx.people.links.by_hash(token_hash(token))
        return _opens(link, LinkPurpose.OWNER_SETUP, services.clock.now()) and not tx.people.users.any()


def claim_owner_link(services: Services, token: str, draft: PersonDraft, *, visit: Visit = Visit()) -> NewSession:  # noqa: B008 - frozen
    """The person exists, owns every organization that there is so far, and is signed in.

    Raises NotFound `link_not_found` for a link that does not work (any more), Invalid with every problem of the draft.
    """
    if not owner_link_is_open(services, token):
        raise _no_such_link()
    user = new_user(services, draft)
    now = services.clock.now()
    with services.records.transaction() as tx:
        link = tx.people.links.by_hash(token_hash(token), for_update=True)
        if link is None or not _opens(link, LinkPurpose.OWNER_SETUP, now) or tx.people.users.any():
            raise _no_such_link()
        tx.people.users.add(user)
        tx.people.links.replace(msgspec.structs.replace(link, used_at=now, user_id=user.user_id))
        for organization in tx.organizations.all():
            tx.people.memberships.add(Membership(organization.organization_id, user.user_id, Role.OWNER, now))
        return begin_session(services, tx, user, visit)


def new_user(services: Services, draft: PersonDraft) -> User:
    """Return the person of a draft, not kept yet. Raises Invalid with every problem."""
    email, password = normal_email(draft.email), normal_password(draft.password)
    problems = Problems()
    if wrong := email_problem(email):
        problems.add("email", "invalid", f"The e-mail address {wrong}.")
    if wrong := name_problem(draft.name):
        problems.add("name", "invalid", f"The name {wrong}.")
    check_password(services, password, about=(email, draft.name), problems=problems)
    problems.raise_if_any()
    now = services.clock.now()
    password_hash = services.passwords.hash(password)
    return User(services.ids.new("user"), email, draft.name.strip(), now, password_hash, now)


def sign_in(services: Services, email: str, password: str, *, visit: Visit = Visit()) -> NewSession:  # noqa: B008 - frozen
    """Return a new session of the person with this address and password.

    Of a person with a second factor the session opens nothing until that is confirmed. Raises Unauthenticated
    `sign_in_failed`, in the same words and after the same work, whether the person exists or not; Throttled after too
    many attempts at an account or from an address.
    """
    typed, normal = normal_password(password)[: PASSWORD_LENGTH_MAX + 1], normal_email(email)
    account, address = key_of("account", normal), key_of_address(visit.address)
    count_attempts(services, {account: OF_ACCOUNT, address: OF_ADDRESS})
    with services.records.snapshot() as tx:
        user = tx.people.users.by_email(normal)
    # No transaction is open during the slow part.
    kept = None if user is None else user.password_hash
    if not services.passwords.is_right(typed, kept) or user is None or kept is None:
        raise _sign_in_failed()
    renewed = services.passwords.hash(typed) if services.passwords.is_outdated(kept) else None
    with services.records.transaction() as tx:
        present_one = tx.people.users.get(user.user_id, for_update=True)
        if present_one is None or present_one.password_hash != kept:
            # Somebody changed the password within this moment: then the one that was typed is the old one.
            raise _sign_in_failed()
        if renewed is not None:
            tx.people.users.replace(msgspec.structs.replace(present_one, password_hash=renewed))
        tx.people.attempts.remove(account)
        take_back_attempt(tx, address, services.clock.now())
        factor = tx.people.second_factors.get(user.user_id)
        is_half = factor is not None and factor.confirmed_at is not None
        return begin_session(services, tx, present_one, visit, needs_second_factor=is_half)


def session_of(services: Services, token: str) -> SignedIn | None:
    """Return who a token belongs to; null when it opens nothing (any more).

    That the session was seen is kept, at most once a minute.
    """
    now = services.clock.now()
    with services.records.snapshot() as tx:
        session = tx.people.sessions.by_hash(token_hash(token))
        if session is None or session.needs_second_factor or not session.is_valid_at(now):
            return None
        user = tx.people.users.get(session.user_id)
        assert user is not None, f"the person of session {session.session_id} exists"
        memberships = tuple(MemberOf(*each) for each in tx.people.memberships.of_user(user.user_id))
    if now - session.last_seen_at >= SEEN_EVERY:
        session = _seen(services, session, now)
    return SignedIn(user, session, memberships)


def sign_out(services: Services, token: str) -> None:
    """The token opens nothing any more; an unknown one changes nothing."""
    with services.records.transaction() as tx:
        session = tx.people.sessions.by_hash(token_hash(token))
        if session is not None:
            tx.people.sessions.remove([session.session_id])


def begin_session(
    services: Services, tx: Transaction, user: User, visit: Visit, *, needs_second_factor: bool = False
) -> NewSession:
    """Keep a new session of a person; the person's ended ones go."""
    now = services.clock.now()
    ended = [each.session_id for each in tx.people.sessions.of_user(user.user_id) if not each.is_valid_at(now)]
    tx.people.sessions.remove(ended)
    token = services.ids.secret()
    session = UserSession(
        session_id=services.ids.new("session"),
        user_id=user.user_id,
        token_hash=token_hash(token),
        created_at=now,
        last_seen_at=now,
        expires_at=now + (HALF_SESSION_AGE_MAX if needs_second_factor else SESSION_AGE_MAX),
        address=_printable(visit.address),
        user_agent=_printable(visit.user_agent),
        needs_second_factor=needs_second_factor,
    )
    tx.people.sessions.add(session)
    return NewSession(session, token)


def csrf_token(session: UserSession) -> str:
    """Return what every form of a session carries. Only who knows the session's token, or its hash, can make it."""
    return hmac.new(session.token_hash.encode(), b"csrf", hashlib.sha256).hexdigest()


def is_csrf_token(session: UserSession, text: str) -> bool:
    """Tell whether a form carries its session's token, in a time that does not depend on how much of it is right."""
    return hmac.compare_digest(csrf_token(session).encode(), text.encode())


def token_hash(token: str) -> str:
    """Return the hash under which a token is kept: it carries 256 random bits, so a quick one is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def normal_password(text: str) -> str:
    """Return the one form of a password: keyboards compose the same letters from different characters."""
    return unicodedata.normalize("NFKC", text)


def check_password(
    services: Services, password: str, *, about: tuple[str, ...], problems: Problems, field: str = "password"
) -> None:
    """Note what makes a normalised password unfit: its length, or that guessers find it early.

    `about` is what is known of its owner. Which kinds of characters it has is the owner's business.
    """
    if len(password) < PASSWORD_LENGTH_MIN:
        problems.add(field, "too_short", f"A password has at least {PASSWORD_LENGTH_MIN} characters.")
    elif len(password) > PASSWORD_LENGTH_MAX:
        problems.add(field, "too_long", f"A password has at most {PASSWORD_LENGTH_MAX} characters.")
    elif services.passwords.is_guessable(password, _words_of(about)):
        problems.add(field, "easy_to_guess", "This password is easy to guess; a few unrelated words are harder.")


def _words_of(about: tuple[str, ...]) -> list[str]:
    words = [word for text in about for word in text.replace("@", " ").replace(".", " ").split()]
    return [*about, *words, "lotus"]


def _seen(services: Services, session: UserSession, now: datetime) -> UserSession:
    with services.records.transaction() as tx:
        present_one = tx.people.sessions.by_hash(session.token_hash)
        # Whoever signed out meanwhile stays signed out.
        if present_one is None:
            return session
        seen = msgspec.structs.replace(present_one, last_seen_at=max(now, present_one.last_seen_at))
        tx.people.sessions.replace(seen)
        return seen


def _opens(link: OneTimeLink | None, purpose: LinkPurpose, now: datetime) -> bool:
    return link is not None and link.purpose is purpose and link.is_open_at(now)


def _sign_in_failed() -> Unauthenticated:
    return Unauthenticated("E-mail address and password do not match.", code="sign_in_failed")


def _no_such_link() -> NotFound:
    return NotFound("This link does not work, or not any more.", code="link_not_found")


def _printable(text: str | None) -> str | None:
    if text is None:
        return None
    return "".join(character if character.isprintable() else " " for character in text[:_DEVICE_LENGTH_MAX])
