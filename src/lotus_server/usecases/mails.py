"""Mail to people: kept in the transaction that causes it, sent a moment later."""

from datetime import timedelta
from typing import Final

import msgspec

from lotus_server.domain.accounts import FORGOTTEN_AFTER, LinkPurpose
from lotus_server.kernel.errors import LotusError
from lotus_server.ports.mail import Message, OutgoingMail
from lotus_server.usecases.password_reset import reset_message
from lotus_server.usecases.services import Services

MAILS_PER_RUN_MAX: Final = 20
TRIES_MAX: Final = 10
_WAIT_FIRST: Final = timedelta(seconds=30)
_WAIT_MAX: Final = timedelta(hours=1)
_TAKEN_FOR: Final = timedelta(minutes=5)
_KEPT_FOR: Final = timedelta(days=30)


def send_mail_due(services: Services) -> int:
    """Send mail that is due and return how many were sent.

    What is not taken over is tried again later, ten times within some hours. A crash between sending and keeping that
    it was sent sends a mail twice.
    """
    sent = 0
    for _ in range(MAILS_PER_RUN_MAX):
        taken = _take_one(services)
        if taken is None:
            break
        # No transaction is open while another machine is waited for.
        outcome = _outcome(services, *taken)
        with services.records.transaction() as tx:
            tx.people.mails.replace(outcome)
        sent += outcome.sent_at is not None
    return sent


def forget_old(services: Services) -> None:
    """Attempts that count no more, and mail that was done a month ago, are gone."""
    now = services.clock.now()
    with services.records.transaction() as tx:
        tx.people.attempts.forget(now - FORGOTTEN_AFTER)
        tx.people.mails.forget(now - _KEPT_FOR)


def _take_one(services: Services) -> tuple[OutgoingMail, Message | None] | None:
    """Return a mail that is due, which nobody else sends for some minutes, and what it says, if there is anything."""
    now = services.clock.now()
    with services.records.transaction() as tx:
        found = tx.people.mails.claim(now, 1)
        if not found:
            return None
        mail = msgspec.structs.replace(found[0], due_at=now + _TAKEN_FOR, tries=found[0].tries + 1)
        tx.people.mails.replace(mail)
        if mail.purpose is LinkPurpose.PASSWORD_RESET:
            return mail, None if services.mail is None else reset_message(services, tx, mail.recipient)
        return mail, Message(mail.recipient, mail.subject, mail.text)


def _outcome(services: Services, mail: OutgoingMail, message: Message | None) -> OutgoingMail:
    now = services.clock.now()
    done = msgspec.structs.replace(mail, text="", due_at=None)
    if services.mail is None:
        return msgspec.structs.replace(done, last_error="Mail is not set up.")
    if message is None:
        return done
    try:
        services.mail.send(message)
    except LotusError as error:
        if mail.tries >= TRIES_MAX:
            return msgspec.structs.replace(done, last_error=error.detail)
        wait = min(_WAIT_FIRST * 2 ** (mail.tries - 1), _WAIT_MAX)
        return msgspec.structs.replace(mail, due_at=now + wait, last_error=error.detail)
    return msgspec.structs.replace(done, sent_at=now)
