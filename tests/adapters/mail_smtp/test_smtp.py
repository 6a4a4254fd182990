"""Mail goes to a real SMTP server, and what the server refuses is told."""

from collections.abc import Iterator

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from lotus_server.adapters.mail_smtp import Security, SmtpMail, SmtpServer
from lotus_server.kernel.errors import Unavailable
from lotus_server.ports.mail import Message
from tests.mail_server import Inbox, mail_server
from tests.server_process import free_port

# The connection is within this machine.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
MESSAGE = Message("ada@example.com", "Grüße 🪷", "Hello Ada,\n\nhttps://lotus.example/invitations/abc\n")


def check_login(server: SMTP, session: Session, envelope: Envelope, kind: str, login: object) -> AuthResult:
    assert isinstance(login, LoginPassword)
    return AuthResult(success=(login.login, login.password) == (b"lotus", b"secret"))


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def server(inbox: Inbox) -> Iterator[SmtpServer]:
    """A server that takes mail from anybody."""
    with mail_server(inbox) as port:
        yield SmtpServer("127.0.0.1", port, Security.NONE, "Lotus <billing@example.com>")


@pytest.fixture
def strict_server(inbox: Inbox) -> Iterator[SmtpServer]:
    """A server that wants to know who sends."""
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=check_login,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    yield SmtpServer("127.0.0.1", controller.port, Security.NONE, "billing@example.com", "lotus", "secret")
    controller.stop()


def test_a_message_arrives_as_it_was_written(server: SmtpServer, inbox: Inbox) -> None:
    SmtpMail(server).send(MESSAGE)

    (message,) = inbox.received
    assert (message["To"], message["Subject"]) == ("ada@example.com", "Grüße 🪷")
    assert (message["From"], inbox.senders) == ("Lotus <billing@example.com>", ["billing@example.com"])
    assert message.get_content().replace("\r\n", "\n") == MESSAGE.text
    assert message["Message-ID"].endswith("@example.com>")
    assert message["Date"]


def test_who_sends_is_said_where_the_server_asks(strict_server: SmtpServer, inbox: Inbox) -> None:
    SmtpMail(strict_server).send(MESSAGE)

    assert len(inbox.received) == 1


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_wrong_password_is_told(strict_server: SmtpServer, inbox: Inbox, password: str | None) -> None:
    with pytest.raises(Unavailable):
        SmtpMail(msgspec.structs.replace(strict_server, password=password, seconds_max=1.0)).send(MESSAGE)

    assert inbox.received == []


def test_a_recipient_that_is_refused_is_told(server: SmtpServer, inbox: Inbox) -> None:
    with pytest.raises(Unavailable, match="no such person"):
        SmtpMail(server).send(Message("stranger@example.com", "Hello", "Hello"))

    assert inbox.received == []


def test_no_server_is_told() -> None:
    nowhere = SmtpServer("127.0.0.1", free_port(), Security.NONE, "billing@example.com")

    with pytest.raises(Unavailable):
        SmtpMail(nowhere).send(MESSAGE)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_secret_is_not_sent_over_a_connection_that_everybody_can_read(
    server: SmtpServer, inbox: Inbox, security: Security
) -> None:
    with pytest.raises(Unavailable):
        SmtpMail(msgspec.structs.replace(server, security=security)).send(MESSAGE)

    assert inbox.received == []


@pytest.mark.parametrize("field", ["recipient", "subject"])
def test_a_line_break_makes_no_further_header(server: SmtpServer, inbox: Inbox, field: str) -> None:
    message = msgspec.structs.replace(MESSAGE, **{field: "ada@example.com\r\nBcc: eve@example.com"})

    with pytest.raises(Unavailable):
        SmtpMail(server).send(message)

    assert inbox.received == []
