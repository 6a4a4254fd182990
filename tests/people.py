"""People in tests: quick passwords, and short ways to make somebody who acts in an organization."""

from lotus_server.adapters.passwords_argon2 import Argon2Passwords
from lotus_server.domain.accounts import Actor, Organization, Role
from lotus_server.usecases.acting import Acting
from lotus_server.usecases.services import Services
from lotus_server.usecases.sign_in import NewSession, PersonDraft, claim_owner_link, first_owner_link

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
