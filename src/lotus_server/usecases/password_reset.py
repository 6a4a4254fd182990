"""Choosing another password by a link in a mail."""

from typing import Final

import msgspec

from lotus_server.domain.accounts import (
    OF_ADDRESS,
    OF_RESETS,
    RESET_AGE_MAX,
    Author,
    AuthorKind,
    LinkPurpose,
    OneTimeLink,
    User,
    email_problem,
    normal_email,
)
from lotus_server.kernel.errors import Invalid, NotFound, Problems
from lotus_server.ports.mail import Message, OutgoingMail
from lotus_server.ports.records import Transaction
from lotus_server.usecases.attempts import count_attempts, key_of, key_of_address
from lotus_server.usecases.own_changes import note_new_password, note_own_change
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import Visit, check_password, normal_password, token_hash

_COMMAND: Final = "lotus users reset-password"


def request_password_reset(services: Services, email: str, *, visit: Visit = Visit()) -> None:  # noqa: B008 - frozen
    """Whoever has an account with this address is sent a link; nothing tells whether anybody has.

    Not before the mail is sent is looked for the account, so the answer takes as long in any case. Raises Invalid for
    what is no address, Throttled after too many.
    """
    normal = normal_email(email)
    if wrong := email_problem(normal):
        raise Invalid.field("email", "invalid", f"The e-mail address {wrong}.")
    limits = {key_of("reset", normal): OF_RESETS, key_of_address(visit.address): OF_ADDRESS}
    count_attempts(services, limits)
    now = services.clock.now()
    with services.records.transaction() as tx:
        mail_id, purpose = services.ids.new("mail"), LinkPurpose.PASSWORD_RESET
        tx.people.mails.add(OutgoingMail(mail_id, normal, "Your password", "", now, now, purpose))


def new_reset_link(services: Services, email: str) -> str:
    """Return the address of a new link for a person, for the operator to pass on. Raises NotFound `user_not_found`."""
    with services.records.transaction() as tx:
        return _add_link(services, tx, _require_user(tx, email))


def remove_lost_second_factor(services: Services, email: str) -> None:
    """The person signs in with the password alone: for who has lost app and codes. Raises NotFound `user_not_found`."""
    with services.records.transaction() as tx:
        user = _require_user(tx, email)
        tx.people.second_factors.remove(user.user_id)
        on, off = {"second_factor": True}, {"second_factor": False}
        author = Author(AuthorKind.COMMAND, _COMMAND, _COMMAND)
        note_own_change(services, tx, user, _COMMAND, before=on, after=off, author=author)


def reset_message(services: Services, tx: Transaction, email: str) -> Message | None:
    """Return the mail with a new link for the person with an address; null when nobody has it."""
    user = tx.people.users.by_email(email)
    if user is None:
        return None
    url = _add_link(services, tx, user)
    text = (
        f"Hello {user.name},\n\nsomebody, probably you, asked for a new password for your account at Lotus.\n"
        f"Choose one here within the next hour:\n\n{url}\n\n"
        "If it was not you, there is nothing to do: your password stays as it is.\n"
    )
    return Message(email, "Choose a new password for Lotus", text)


def reset_link_is_open(services: Services, token: str) -> bool:
    """Tell whether a link lets somebody choose a password."""
    with services.records.snapshot() as tx:
        return _open_link(services, tx, token) is not None


def reset_password(services: Services, token: str, password: str) -> User:
    """The link's person has another password, and is signed in nowhere. A second factor is asked for as before.

    Raises NotFound `link_not_found`, Invalid for a password that is unfit.
    """
    with services.records.snapshot() as tx:
        link = _open_link(services, tx, token)
        user = None if link is None or link.user_id is None else tx.people.users.get(link.user_id)
    if user is None:
        raise _no_such_link()
    typed, problems = normal_password(password), Problems()
    check_password(services, typed, about=(user.email, user.name), problems=problems)
    problems.raise_if_any()
    password_hash = services.passwords.hash(typed)
    now = services.clock.now()
    with services.records.transaction() as tx:
        link = _open_link(services, tx, token, for_update=True)
        present_one = tx.people.users.get(user.user_id, for_update=True)
        if link is None or present_one is None:
            raise _no_such_link()
        changed = msgspec.structs.replace(present_one, password_hash=password_hash, password_changed_at=now)
        tx.people.users.replace(changed)
        note_new_password(services, tx, present_one, changed, "reset_password")
        links = tx.people.links.all(LinkPurpose.PASSWORD_RESET, user_id=user.user_id)
        tx.people.links.remove([each.link_id for each in links])
        tx.people.sessions.remove([each.session_id for each in tx.people.sessions.of_user(user.user_id)])
        tx.people.attempts.remove(key_of("account", user.email))
        return changed


def _require_user(tx: Transaction, email: str) -> User:
    user = tx.people.users.by_email(normal_email(email))
    if user is None:
        raise NotFound(f"Nobody has the address {email}.", code="user_not_found")
    return user


def _add_link(services: Services, tx: Transaction, user: User) -> str:
    now = services.clock.now()
    token = services.ids.secret()
    tx.people.links.add(
        OneTimeLink(
            link_id=services.ids.new("link"),
            purpose=LinkPurpose.PASSWORD_RESET,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=now + RESET_AGE_MAX,
            user_id=user.user_id,
        )
    )
    return f"{services.public_url}/reset-password/{token}"


def _open_link(services: Services, tx: Transaction, token: str, *, for_update: bool = False) -> OneTimeLink | None:
    link = tx.people.links.by_hash(token_hash(token), for_update=for_update)
    is_open = link is not None and link.purpose is LinkPurpose.PASSWORD_RESET and link.is_open_at(services.clock.now())
    return link if is_open else None


def _no_such_link() -> NotFound:
    return NotFound("This link does not work, or not any more. Ask for a new one.", code="link_not_found")
