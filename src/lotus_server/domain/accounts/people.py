"""People who sign in: what their role in an organization lets them do, their sessions, and links that work once."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

EMAIL_LENGTH_MAX: Final = 254
SESSION_IDLE_MAX: Final = timedelta(days=3)
SESSION_AGE_MAX: Final = timedelta(days=30)
# How long somebody may take to look for the second factor.
HALF_SESSION_AGE_MAX: Final = timedelta(minutes=10)
INVITATION_AGE_MAX: Final = timedelta(days=7)
RESET_AGE_MAX: Final = timedelta(hours=1)

# What stands on both sides of the at sign; whether somebody reads the mailbox only a mail can tell.
_EMAIL: Final = re.compile(r"[^\s@<>(),;:\\\"\[\]]+@[^\s@<>(),;:\\\"\[\]]+\.[^\s@<>(),;:\\\"\[\].]+")


class Role(StrEnum):
    """What somebody is in an organization."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    FINANCE = "finance"
    VIEWER = "viewer"


class Permission(StrEnum):
    """A kind of thing to do. `read` is all that changes nothing, except the keys and the audit log."""

    READ = "read"
    CUSTOMERS = "customers"
    CATALOG = "catalog"
    SUBSCRIPTIONS = "subscriptions"
    INVOICES = "invoices"
    CREDITS = "credits"
    EVENTS = "events"
    KEYS = "keys"
    CLOCK = "clock"
    IMPORTS = "imports"
    SETTINGS = "settings"
    AUDIT = "audit"
    TEAM = "team"
    OWNERS = "owners"


_P = Permission
# A row per role. Catalog is metrics, features, plans, add-ons and pricing units; credits are discounts, too; events is
# taking them back; owners is deciding who is one.
PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(Permission) - {_P.OWNERS},
    Role.DEVELOPER: frozenset(
        {_P.READ, _P.CUSTOMERS, _P.CATALOG, _P.SUBSCRIPTIONS, _P.EVENTS, _P.KEYS, _P.CLOCK, _P.IMPORTS}
    ),
    Role.FINANCE: frozenset({_P.READ, _P.CUSTOMERS, _P.SUBSCRIPTIONS, _P.INVOICES, _P.CREDITS, _P.AUDIT}),
    Role.VIEWER: frozenset({_P.READ}),
}


def role_allows(role: Role, needed: Permission) -> bool:
    """Tell whether a role may do what needs a permission."""
    return needed in PERMISSIONS[role]


class User(msgspec.Struct, frozen=True):
    """A person, known by a normalised e-mail address that nobody else has.

    `password_hash` null: nobody can sign in as this person.
    """

    user_id: str
    email: str
    name: str
    created_at: datetime
    password_hash: str | None = None
    password_changed_at: datetime | None = None


class Membership(msgspec.Struct, frozen=True):
    """What a person is in an organization."""

    organization_id: str
    user_id: str
    role: Role
    created_at: datetime


class UserSession(msgspec.Struct, frozen=True):
    """A browser in which somebody is signed in. Its token is kept as a hash only.

    It ends at `expires_at`, or earlier when it is not used for `SESSION_IDLE_MAX`. One that `needs_second_factor`
    opens nothing yet.
    """

    session_id: str
    user_id: str
    token_hash: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str | None = None
    user_agent: str | None = None
    needs_second_factor: bool = False

    def is_valid_at(self, now: datetime) -> bool:
        """Tell whether the session has not ended at an instant."""
        return now < min(self.expires_at, self.last_seen_at + SESSION_IDLE_MAX)


class SecondFactor(msgspec.Struct, frozen=True):
    """What an authenticator app and the server both know, and codes on paper for when the app is lost.

    It is asked for from `confirmed_at` on (null: not yet). `last_step` is the time step of the last code that was
    taken: no code is taken twice. Recovery codes are kept as hashes; a used one is gone.
    """

    user_id: str
    secret: str
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int = 0
    recovery_hashes: tuple[str, ...] = ()


class LinkPurpose(StrEnum):
    """What a link is for: to become the first owner, to join an organization, or to choose another password."""

    OWNER_SETUP = "owner_setup"
    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of a purpose


class OneTimeLink(msgspec.Struct, frozen=True):
    """A link that works once, until `expires_at` (null: for ever). Its token is kept as a hash only.

    An invitation has the organization, the address and the role, and who invited; a reset has the user.
    """

    link_id: str
    purpose: LinkPurpose
    token_hash: str
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    user_id: str | None = None
    organization_id: str | None = None
    email: str | None = None
    role: Role | None = None
    created_by: str | None = None

    def is_open_at(self, now: datetime) -> bool:
        """Tell whether the link works at an instant."""
        return self.used_at is None and (self.expires_at is None or now < self.expires_at)


class Actor(msgspec.Struct, frozen=True):
    """Who does something in an organization."""

    user_id: str
    email: str
    role: Role


def normal_email(text: str) -> str:
    """Return the one form of an address that is kept: without spaces around it, composed, in lower case."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def email_problem(email: str) -> str | None:
    """Return why a normalised text cannot be an address, as the end of a sentence, or None when it can be one."""
    if not email:
        return "must not be empty"
    if len(email) > EMAIL_LENGTH_MAX:
        return f"must have at most {EMAIL_LENGTH_MAX} characters"
    if not email.isprintable() or _EMAIL.fullmatch(email) is None:
        return "must be an e-mail address, such as ada@example.com"
    return None
