"""The part of the schema that knows people; the rest is in `tables.py`.

A person is of no organization, so the keys of these tables do not begin with one, that of memberships aside.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, Index, Integer, Table, UniqueConstraint, text

from lotus_server.adapters.records_sql.tables import METADATA
from lotus_server.adapters.records_sql.types import TEXT, Choice, Instant, Structured
from lotus_server.domain.accounts import LinkPurpose, Role

_IS_DUE = "due_at IS NOT NULL"

USERS = Table(
    "users",
    METADATA,
    Column("user_id", TEXT, primary_key=True),
    Column("email", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("password_hash", TEXT),
    Column("password_changed_at", Instant),
    UniqueConstraint("email", name="uq_users_email"),
)

MEMBERSHIPS = Table(
    "memberships",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("user_id", TEXT, primary_key=True),
    Column("role", Choice(Role), nullable=False),
    Column("created_at", Instant, nullable=False),
    ForeignKeyConstraint(("organization_id",), ("organizations.organization_id",)),
    ForeignKeyConstraint(("user_id",), ("users.user_id",)),
    Index("ix_memberships_user", "user_id", "organization_id"),
)

USER_SESSIONS = Table(
    "user_sessions",
    METADATA,
    Column("session_id", TEXT, primary_key=True),
    Column("user_id", TEXT, nullable=False),
    Column("token_hash", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("address", TEXT),
    Column("user_agent", TEXT),
    Column("needs_second_factor", Boolean, nullable=False),
    ForeignKeyConstraint(("user_id",), ("users.user_id",)),
    UniqueConstraint("token_hash", name="uq_user_sessions_token"),
    Index("ix_user_sessions_user", "user_id", "last_seen_at"),
)

ONE_TIME_LINKS = Table(
    "one_time_links",
    METADATA,
    Column("link_id", TEXT, primary_key=True),
    Column("purpose", Choice(LinkPurpose), nullable=False),
    Column("token_hash", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("used_at", Instant),
    Column("user_id", TEXT),
    Column("organization_id", TEXT),
    Column("email", TEXT),
    Column("role", Choice(Role)),
    Column("created_by", TEXT),
    ForeignKeyConstraint(("user_id",), ("users.user_id",)),
    ForeignKeyConstraint(("organization_id",), ("organizations.organization_id",)),
    UniqueConstraint("token_hash", name="uq_one_time_links_token"),
    Index("ix_one_time_links_organization", "organization_id", "purpose", "created_at"),
    Index("ix_one_time_links_user", "user_id", "purpose", "created_at"),
)

SECOND_FACTORS = Table(
    "second_factors",
    METADATA,
    Column("user_id", TEXT, primary_key=True),
    Column("secret", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("last_step", BigInteger, nullable=False),
    Column("recovery_hashes", Structured(tuple[str, ...]), nullable=False),
    ForeignKeyConstraint(("user_id",), ("users.user_id",)),
)

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("key", TEXT, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Instant, nullable=False),
    Index("ix_attempts_last", "last_at"),
)

OUTGOING_MAILS = Table(
    "outgoing_mails",
    METADATA,
    Column("mail_id", TEXT, primary_key=True),
    Column("recipient", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("text", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("purpose", Choice(LinkPurpose)),
    Column("tries", Integer, nullable=False),
    Column("last_error", TEXT),
    Column("sent_at", Instant),
    Index("ix_outgoing_mails_due", "due_at", sqlite_where=text(_IS_DUE), postgresql_where=text(_IS_DUE)),
    Index("ix_outgoing_mails_created", "created_at"),
)
