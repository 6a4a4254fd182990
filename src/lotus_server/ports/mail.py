"""Mail to people."""

from datetime import datetime
from typing import Protocol

import msgspec

from lotus_server.domain.accounts import LinkPurpose


class Message(msgspec.Struct, frozen=True):
    """A mail in plain text."""

    recipient: str
    subject: str
    text: str


class Mail(Protocol):
    """Hands mail to whoever delivers it."""

    def send(self, message: Message) -> None:
        """The message is taken over. Raises Unavailable when it is not; then it may be tried again."""
        ...


class OutgoingMail(msgspec.Struct, frozen=True):
    """A mail as it is kept until it is sent.

    `due_at` is when it is to be tried next; null: it is done, because it was sent (`sent_at`) or given up
    (`last_error`). Its text, which may hold a link that is a secret, is empty from then on. A mail for a `purpose` gets
    its text when it is sent.
    """

    mail_id: str
    recipient: str
    subject: str
    text: str
    created_at: datetime
    due_at: datetime | None
    purpose: LinkPurpose | None = None
    tries: int = 0
    last_error: str | None = None
    sent_at: datetime | None = None
