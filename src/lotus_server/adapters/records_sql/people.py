"""People, their memberships and sessions, and links that work once."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, delete, select

from lotus_server.adapters.records_sql.accounts import organization_from_row
from lotus_server.adapters.records_sql.people_safety import SqlAttemptCounts, SqlOutgoingMails, SqlSecondFactors
from lotus_server.adapters.records_sql.people_tables import MEMBERSHIPS, ONE_TIME_LINKS, USER_SESSIONS, USERS
from lotus_server.adapters.records_sql.rows import Insert, Replace, Unique, Values, can_lock, of_tenant, portions
from lotus_server.adapters.records_sql.tables import ORGANIZATIONS
from lotus_server.domain.accounts import LinkPurpose, Membership, OneTimeLink, Organization, Role, User, UserSession

_INSERT_USER: Final = Insert(
    USERS,
    [
        Unique(("user_id",), "user_exists", "A person with this id exists already."),
        Unique(("email",), "user_exists", "Somebody has this e-mail address already."),
    ],
)
_REPLACE_USER: Final = Replace(
    USERS,
    User.__struct_fields__,
    "person",
    Unique(("email",), "user_exists", "Somebody has this e-mail address already."),
)
_USERS: Final = select(*(USERS.c[name] for name in User.__struct_fields__))
_USER: Final = _USERS.where(USERS.c.user_id == bindparam("user_id"))
_USER_BY_EMAIL: Final = _USERS.where(USERS.c.email == bindparam("email"))
_ALL_USERS: Final = _USERS.order_by(USERS.c.email)
_MANY_USERS: Final = _USERS.where(USERS.c.user_id.in_(bindparam("user_ids", expanding=True)))
_ANY_USER: Final = select(USERS.c.user_id).limit(1)

_INSERT_MEMBERSHIP: Final = Insert(
    MEMBERSHIPS,
    [Unique(("organization_id", "user_id"), "member_exists", "This person is a member of the organization already.")],
)
_REPLACE_MEMBERSHIP: Final = Replace(MEMBERSHIPS, Membership.__struct_fields__, "membership")
_MEMBERS: Final = (
    select(*(MEMBERSHIPS.c[name] for name in Membership.__struct_fields__))
    .where(of_tenant(MEMBERSHIPS))
    .order_by(MEMBERSHIPS.c.created_at, MEMBERSHIPS.c.user_id)
)
_MEMBERSHIP: Final = _MEMBERS.where(MEMBERSHIPS.c.user_id == bindparam("user_id"))
_REMOVE_MEMBERSHIP: Final = delete(MEMBERSHIPS).where(
    of_tenant(MEMBERSHIPS), MEMBERSHIPS.c.user_id == bindparam("user_id")
)
_ORGANIZATIONS_OF_USER: Final = (
    select(MEMBERSHIPS.c.role, *(ORGANIZATIONS.c[name] for name in Organization.__struct_fields__))
    .join(ORGANIZATIONS, ORGANIZATIONS.c.organization_id == MEMBERSHIPS.c.organization_id)
    .where(MEMBERSHIPS.c.user_id == bindparam("user_id"))
    .order_by(ORGANIZATIONS.c.created_at, ORGANIZATIONS.c.organization_id)
)

_INSERT_SESSION: Final = Insert(
    USER_SESSIONS,
    [
        Unique(("session_id",), "user_session_exists", "This session exists already."),
        Unique(("token_hash",), "user_session_exists", "This session exists already."),
    ],
)
_REPLACE_SESSION: Final = Replace(USER_SESSIONS, UserSession.__struct_fields__, "session")
_SESSIONS: Final = select(*(USER_SESSIONS.c[name] for name in UserSession.__struct_fields__))
_SESSION_BY_HASH: Final = _SESSIONS.where(USER_SESSIONS.c.token_hash == bindparam("token_hash"))
_SESSIONS_OF_USER: Final = _SESSIONS.where(USER_SESSIONS.c.user_id == bindparam("user_id")).order_by(
    USER_SESSIONS.c.last_seen_at.desc(), USER_SESSIONS.c.session_id
)
_REMOVE_SESSIONS: Final = delete(USER_SESSIONS).where(
    USER_SESSIONS.c.session_id.in_(bindparam("session_ids", expanding=True))
)

_INSERT_LINK: Final = Insert(
    ONE_TIME_LINKS,
    [
        Unique(("link_id",), "link_exists", "This link exists already."),
        Unique(("token_hash",), "link_exists", "This link exists already."),
    ],
)
_REPLACE_LINK: Final = Replace(ONE_TIME_LINKS, OneTimeLink.__struct_fields__, "link")
_LINKS: Final = select(*(ONE_TIME_LINKS.c[name] for name in OneTimeLink.__struct_fields__))
_LINK_BY_HASH: Final = _LINKS.where(ONE_TIME_LINKS.c.token_hash == bindparam("token_hash"))
_REMOVE_LINKS: Final = delete(ONE_TIME_LINKS).where(ONE_TIME_LINKS.c.link_id.in_(bindparam("link_ids", expanding=True)))


def user_to_row(value: User) -> Values:
    """Return a person's columns."""
    return msgspec.structs.asdict(value)


def user_from_row(row: Sequence[Any]) -> User:
    """Return the person of a row whose columns are in the order of the fields."""
    return User(*row)


def membership_to_row(value: Membership) -> Values:
    """Return a membership's columns."""
    return msgspec.structs.asdict(value)


def membership_from_row(row: Sequence[Any]) -> Membership:
    """Return the membership of a row whose columns are in the order of the fields."""
    return Membership(*row)


def session_to_row(value: UserSession) -> Values:
    """Return a session's columns."""
    return msgspec.structs.asdict(value)


def session_from_row(row: Sequence[Any]) -> UserSession:
    """Return the session of a row whose columns are in the order of the fields."""
    return UserSession(*row)


def link_to_row(value: OneTimeLink) -> Values:
    """Return a link's columns."""
    return msgspec.structs.asdict(value)


def link_from_row(row: Sequence[Any]) -> OneTimeLink:
    """Return the link of a row whose columns are in the order of the fields."""
    return OneTimeLink(*row)


class SqlUsers:
    """The people."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, user: User) -> None:
        _INSERT_USER(self._connection, user_to_row(user))

    def get(self, user_id: str, *, for_update: bool = False) -> User | None:
        query = _USER.with_for_update(key_share=True) if for_update and can_lock(self._connection) else _USER
        row = self._connection.execute(query, {"user_id": user_id}).first()
        return None if row is None else user_from_row(row)

    def by_email(self, email: str) -> User | None:
        row = self._connection.execute(_USER_BY_EMAIL, {"email": email}).first()
        return None if row is None else user_from_row(row)

    def many(self, user_ids: Sequence[str]) -> dict[str, User]:
        found: dict[str, User] = {}
        for some in portions(user_ids):
            users = [user_from_row(row) for row in self._connection.execute(_MANY_USERS, {"user_ids": some})]
            found.update({user.user_id: user for user in users})
        return found

    def all(self) -> list[User]:
        return [user_from_row(row) for row in self._connection.execute(_ALL_USERS)]

    def any(self) -> bool:
        return self._connection.execute(_ANY_USER).first() is not None

    def replace(self, user: User) -> None:
        _REPLACE_USER(self._connection, user_to_row(user))


class SqlMemberships:
    """What people are in organizations."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, membership: Membership) -> None:
        _INSERT_MEMBERSHIP(self._connection, membership_to_row(membership))

    def get(self, organization_id: str, user_id: str) -> Membership | None:
        keys = {"organization_id": organization_id, "user_id": user_id}
        row = self._connection.execute(_MEMBERSHIP, keys).first()
        return None if row is None else membership_from_row(row)

    def of_organization(self, organization_id: str, *, for_update: bool = False) -> list[Membership]:
        query = _MEMBERS.with_for_update() if for_update and can_lock(self._connection) else _MEMBERS
        rows = self._connection.execute(query, {"organization_id": organization_id})
        return [membership_from_row(row) for row in rows]

    def of_user(self, user_id: str) -> list[tuple[Organization, Role]]:
        rows = self._connection.execute(_ORGANIZATIONS_OF_USER, {"user_id": user_id})
        return [(organization_from_row(row[1:]), row[0]) for row in rows]

    def replace(self, membership: Membership) -> None:
        _REPLACE_MEMBERSHIP(self._connection, membership_to_row(membership))

    def remove(self, organization_id: str, user_id: str) -> None:
        self._connection.execute(_REMOVE_MEMBERSHIP, {"organization_id": organization_id, "user_id": user_id})


class SqlUserSessions:
    """The browsers in which people are signed in."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, session: UserSession) -> None:
        _INSERT_SESSION(self._connection, session_to_row(session))

    def by_hash(self, token_hash: str) -> UserSession | None:
        row = self._connection.execute(_SESSION_BY_HASH, {"token_hash": token_hash}).first()
        return None if row is None else session_from_row(row)

    def of_user(self, user_id: str) -> list[UserSession]:
        return [session_from_row(row) for row in self._connection.execute(_SESSIONS_OF_USER, {"user_id": user_id})]

    def replace(self, session: UserSession) -> None:
        _REPLACE_SESSION(self._connection, session_to_row(session))

    def remove(self, session_ids: Sequence[str]) -> None:
        for some in portions(session_ids):
            self._connection.execute(_REMOVE_SESSIONS, {"session_ids": some})


class SqlOneTimeLinks:
    """The links that work once."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self._connection = connection

    def add(self, link: OneTimeLink) -> None:
        _INSERT_LINK(self._connection, link_to_row(link))

    def by_hash(self, token_hash: str, *, for_update: bool = False) -> OneTimeLink | None:
        query = _LINK_BY_HASH.with_for_update() if for_update and can_lock(self._connection) else _LINK_BY_HASH
        row = self._connection.execute(query, {"token_hash": token_hash}).first()
        return None if row is None else link_from_row(row)

    def all(
        self, purpose: LinkPurpose, *, organization_id: str | None = None, user_id: str | None = None
    ) -> list[OneTimeLink]:
        query = _LINKS.where(ONE_TIME_LINKS.c.purpose == purpose)
        if organization_id is not None:
            query = query.where(ONE_TIME_LINKS.c.organization_id == organization_id)
        if user_id is not None:
            query = query.where(ONE_TIME_LINKS.c.user_id == user_id)
        rows = self._connection.execute(query.order_by(ONE_TIME_LINKS.c.created_at, ONE_TIME_LINKS.c.link_id))
        return [link_from_row(row) for row in rows]

    def replace(self, link: OneTimeLink) -> None:
        _REPLACE_LINK(self._connection, link_to_row(link))

    def remove(self, link_ids: Sequence[str]) -> None:
        for some in portions(link_ids):
            self._connection.execute(_REMOVE_LINKS, {"link_ids": some})


class SqlPeople:
    """Everything about people within one transaction."""

    def __init__(self, connection: Connection) -> None:
        """Work within one transaction."""
        self.users = SqlUsers(connection)
        self.memberships = SqlMemberships(connection)
        self.sessions = SqlUserSessions(connection)
        self.links = SqlOneTimeLinks(connection)
        self.second_factors = SqlSecondFactors(connection)
        self.attempts = SqlAttemptCounts(connection)
        self.mails = SqlOutgoingMails(connection)
