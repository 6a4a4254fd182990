"""Mail by SMTP (RFC 5321), to a server that delivers it."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from enum import StrEnum
from typing import Final

import msgspec

from lotus_server.kernel.errors import Unavailable
from lotus_server.ports.mail import Message

SECONDS_MAX: Final = 20.0


class Security(StrEnum):
    """How the connection is kept private: TLS after a greeting, TLS from the start, or not at all."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class SmtpServer(msgspec.Struct, frozen=True):
    """A mail server, and how we are known to it. `sender` is an address, or a name and an address in angle brackets."""

    host: str
    port: int
    security: Security
    sender: str
    user: str | None = None
    password: str | None = None
    seconds_max: float = SECONDS_MAX


class SmtpMail:
    """Hands mail to one server."""

    def __init__(self, server: SmtpServer) -> None:
        """Connect only when there is something to send."""
        self._server = server

    def send(self, message: Message) -> None:
        """The message is taken over. Raises Unavailable when it is not; then it may be tried again."""
        try:
            with self._connect() as connection:
                if self._server.user is not None:
                    connection.login(self._server.user, self._server.password or "")
                connection.send_message(self._composed(message))
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise Unavailable(f"The mail server did not take the mail: {error}") from error

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.security is Security.TLS:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(server.host, server.port, timeout=server.seconds_max, context=context)
        connection = smtplib.SMTP(server.host, server.port, timeout=server.seconds_max)
        if server.security is Security.STARTTLS:
            try:
                connection.starttls(context=ssl.create_default_context())
            except BaseException:
                connection.close()
                raise
        return connection

    def _composed(self, message: Message) -> EmailMessage:
        sender = self._server.sender
        composed = EmailMessage()
        composed["From"] = sender
        composed["To"] = message.recipient
        composed["Subject"] = message.subject
        composed["Date"] = formatdate()
        composed["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2] or "localhost")
        composed["Auto-Submitted"] = "auto-generated"
        composed.set_content(message.text)
        return composed
