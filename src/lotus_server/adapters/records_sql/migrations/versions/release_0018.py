"""People sign in: who they are, their roles and sessions, and links that work once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
INSTANT = sa.BigInteger()


def upgrade() -> None:
    """So far there were only API keys; the first person is made by a link that the server prints."""
    op.create_table(
        "users",
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("password_hash", TEXT),
        sa.Column("password_changed_at", INSTANT),
        sa.PrimaryKeyConstraint("user_id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "memberships",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "user_id", name="pk_memberships"),
        _organization("memberships"),
        _user("memberships"),
    )
    op.create_index("ix_memberships_user", "memberships", ["user_id", "organization_id"])
    op.create_table(
        "user_sessions",
        sa.Column("session_id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("token_hash", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("address", TEXT),
        sa.Column("user_agent", TEXT),
        sa.Column("needs_second_factor", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="pk_user_sessions"),
        _user("user_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_user_sessions_token"),
    )
    op.create_index("ix_user_sessions_user", "user_sessions", ["user_id", "last_seen_at"])
    op.create_table(
        "one_time_links",
        sa.Column("link_id", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("token_hash", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("used_at", INSTANT),
        sa.Column("user_id", TEXT),
        sa.Column("organization_id", TEXT),
        sa.Column("email", TEXT),
        sa.Column("role", TEXT),
        sa.Column("created_by", TEXT),
        sa.PrimaryKeyConstraint("link_id", name="pk_one_time_links"),
        _user("one_time_links"),
        _organization("one_time_links"),
        sa.UniqueConstraint("token_hash", name="uq_one_time_links_token"),
    )
    op.create_index("ix_one_time_links_organization", "one_time_links", ["organization_id", "purpose", "created_at"])
    op.create_index("ix_one_time_links_user", "one_time_links", ["user_id", "purpose", "created_at"])


def _organization(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id"], ["organizations.organization_id"], name=f"fk_{table}_organizations"
    )


def _user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=f"fk_{table}_users")
