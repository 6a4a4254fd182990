"""People in tests: quick passwords, and short ways to make somebody who acts in an organization."""

from lotus_server.adapters.passwords_argon2 import Argon2Passwords
from lotus_server.domain.accounts import Actor, Organization, Role
from lotus_server.kernel.errors import Unavailable
from lotus_server.ports.mail import Message
from lotus_server.usecases.acting import Acting
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import (
    NewSession,
    PersonDraft,
    SignedIn,
    claim_owner_link,
    first_owner_link,
    session_of,
)

PASSWORD = "correct horse battery staple"
OWNER = PersonDraft("ada@example.com", "Ada Lovelace", PASSWORD)


def quick_passwords() -> Argon2Passwords:
    """The real hashes with parameters so small that they cost nothing."""
    return Argon2Passwords(memory_kib=8, passes=1, lanes=1)


def acting(services: Services, organization: Organization, role: Role = Role.OWNER) -> Acting:
    """Somebody of a role at work in an organization; nobody of that name has to exist."""
    return Acting(services, organization, Actor(f"user_{role}", f"{role}@example.com", role))


def first_owner(services: Services, draft: PersonDraft = OWNER) -> NewSession:
    """The first owner, signed in."""
    token = first_owner_link(services)
    assert token is not None, "somebody is there already"
    return claim_owner_link(services, token, draft)


class Postbox:
    """Mail that was handed over; while `is_closed`, nothing is."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.messages: list[Message] = []
        self.is_closed = False

    def send(self, message: Message) -> None:
        """Take a message over."""
        if self.is_closed:
            raise Unavailable("The post office is closed.")
        self.messages.append(message)


def signed_in(services: Services, session: NewSession) -> SignedIn:
    """Who a session belongs to."""
    found = session_of(services, session.token)
    assert found is not None, "the session opens nothing"
    return found


def as_member(services: Services, who: SignedIn, place: int = 0) -> Acting:
    """A real person at work in one of the person's organizations."""
    member = who.memberships[place]
    return Acting(services, member.organization, Actor(who.user.user_id, who.user.email, member.role))


def token_of(url: str) -> str:
    """The token at the end of a link."""
    return url.rsplit("/", 1)[-1]
