"""A mail server that keeps what it is handed."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.server_process import free_port


class Inbox:
    """What the server was handed; it does not deliver to strangers."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.received: list[EmailMessage] = []
        self.senders: list[str | None] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take mail for anybody but strangers."""
        if address.startswith("stranger"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a message."""
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        self.senders.append(envelope.mail_from)
        return "250 OK"


@contextmanager
def mail_server(inbox: Inbox) -> Iterator[int]:
    """A server that takes mail from anybody, and the port on which it listens."""
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()
