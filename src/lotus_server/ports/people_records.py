"""The records of people: who they are, what they belong to, and what lets them in.

People and their sessions are of no organization, so these alone of all look-ups do not take one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from lotus_server.domain.accounts import (
    Attempts,
    LinkPurpose,
    Membership,
    OneTimeLink,
    Organization,
    Role,
    SecondFactor,
    User,
    UserSession,
)
from lotus_server.ports.mail import OutgoingMail


class Users(Protocol):
    """The people."""

    def add(self, user: User) -> None:
        """Keep a new person. Raises Conflict `user_exists` for the id or the e-mail address."""
        ...

    def get(self, user_id: str, *, for_update: bool = False) -> User | None:
        """Return one person; `for_update` keeps everybody else from changing it until the transaction ends."""
        ...

    def by_email(self, email: str) -> User | None:
        """Return the person with a normalised e-mail address."""
        ...

    def many(self, user_ids: Sequence[str]) -> dict[str, User]:
        """Return those of the people that exist, by id, in one query."""
        ...

    def all(self) -> list[User]:
        """Return everybody, in the order of their addresses."""
        ...

    def any(self) -> bool:
        """Tell whether there is anybody."""
        ...

    def replace(self, user: User) -> None:
        """Keep new values of an existing person."""
        ...


class Memberships(Protocol):
    """What people are in organizations."""

    def add(self, membership: Membership) -> None:
        """Keep a new membership. Raises Conflict `member_exists`."""
        ...

    def get(self, organization_id: str, user_id: str) -> Membership | None:
        """Return what one person is in one organization."""
        ...

    def of_organization(self, organization_id: str, *, for_update: bool = False) -> list[Membership]:
        """Return an organization's members, the oldest first; `for_update` as in `Users.get`."""
        ...

    def of_user(self, user_id: str) -> list[tuple[Organization, Role]]:
        """Return the organizations of one person, oldest first, and the role in each, in one query."""
        ...

    def replace(self, membership: Membership) -> None:
        """Keep new values of an existing membership."""
        ...

    def remove(self, organization_id: str, user_id: str) -> None:
        """The person is no member of the organization any more."""
        ...


class UserSessions(Protocol):
    """The browsers in which people are signed in, by the hash of their token."""

    def add(self, session: UserSession) -> None:
        """Keep a new session. Raises Conflict `user_session_exists`."""
        ...

    def by_hash(self, token_hash: str) -> UserSession | None:
        """Return the session of a hash, ended or not."""
        ...

    def of_user(self, user_id: str) -> list[UserSession]:
        """Return one person's sessions, the one used last first."""
        ...

    def replace(self, session: UserSession) -> None:
        """Keep new values of an existing session."""
        ...

    def remove(self, session_ids: Sequence[str]) -> None:
        """The sessions are gone, if they were there."""
        ...


class OneTimeLinks(Protocol):
    """The links that work once, by the hash of their token."""

    def add(self, link: OneTimeLink) -> None:
        """Keep a new link. Raises Conflict `link_exists`."""
        ...

    def by_hash(self, token_hash: str, *, for_update: bool = False) -> OneTimeLink | None:
        """Return the link of a hash, used or not; `for_update` as in `Users.get`."""
        ...

    def all(
        self, purpose: LinkPurpose, *, organization_id: str | None = None, user_id: str | None = None
    ) -> list[OneTimeLink]:
        """Return the links for a purpose, of an organization or of a person where that is given, oldest first."""
        ...

    def replace(self, link: OneTimeLink) -> None:
        """Keep new values of an existing link."""
        ...

    def remove(self, link_ids: Sequence[str]) -> None:
        """The links are gone, if they were there."""
        ...


class SecondFactors(Protocol):
    """The second factors, at most one for each person."""

    def put(self, factor: SecondFactor) -> None:
        """Keep a person's second factor in the place of the one that there may be."""
        ...

    def get(self, user_id: str, *, for_update: bool = False) -> SecondFactor | None:
        """Return a person's second factor, confirmed or not; `for_update` as in `Users.get`."""
        ...

    def of_users(self, user_ids: Sequence[str]) -> dict[str, SecondFactor]:
        """Return the second factors of several people, by the person's id, in one query."""
        ...

    def remove(self, user_id: str) -> None:
        """The person has no second factor any more."""
        ...


class AttemptCounts(Protocol):
    """The attempts that failed, by the key of what was tried."""

    def take(self, key: str, now: datetime) -> Attempts:
        """Return the attempts at a thing, none if there were none, which nobody else changes until the end."""
        ...

    def replace(self, attempts: Attempts) -> None:
        """Keep new values of attempts that were taken."""
        ...

    def remove(self, key: str) -> None:
        """There were none."""
        ...

    def forget(self, before: datetime) -> None:
        """Attempts of which the last was before an instant are gone."""
        ...


class OutgoingMails(Protocol):
    """The mail that is to be sent, or was."""

    def add(self, mail: OutgoingMail) -> None:
        """Keep a new mail."""
        ...

    def claim(self, at: datetime, limit: int) -> list[OutgoingMail]:
        """Return mail with `due_at <= at`, the earliest first, which nobody else sends until the transaction ends."""
        ...

    def replace(self, mail: OutgoingMail) -> None:
        """Keep what became of a mail."""
        ...

    def forget(self, before: datetime) -> None:
        """Mail that is done and was made before an instant is gone."""
        ...


class People(Protocol):
    """Everything about people within one transaction."""

    @property
    def users(self) -> Users:
        """The people."""
        ...

    @property
    def memberships(self) -> Memberships:
        """What they are in organizations."""
        ...

    @property
    def sessions(self) -> UserSessions:
        """Where they are signed in."""
        ...

    @property
    def links(self) -> OneTimeLinks:
        """The links that work once."""
        ...

    @property
    def second_factors(self) -> SecondFactors:
        """What they are asked for besides the password."""
        ...

    @property
    def attempts(self) -> AttemptCounts:
        """How often somebody has guessed."""
        ...

    @property
    def mails(self) -> OutgoingMails:
        """What is sent to them."""
        ...
