"""Signing in is guarded: second factors, attempts that failed, and mail that is to be sent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
INSTANT = sa.BigInteger()
IS_DUE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Nobody has a second factor yet."""
    op.create_table(
        "second_factors",
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("secret", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("confirmed_at", INSTANT),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("recovery_hashes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_second_factors"),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name="fk_second_factors_users"),
    )
    op.create_table(
        "attempts",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_attempts"),
    )
    op.create_index("ix_attempts_last", "attempts", ["last_at"])
    op.create_table(
        "outgoing_mails",
        sa.Column("mail_id", TEXT, nullable=False),
        sa.Column("recipient", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT),
        sa.Column("purpose", TEXT),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_error", TEXT),
        sa.Column("sent_at", INSTANT),
        sa.PrimaryKeyConstraint("mail_id", name="pk_outgoing_mails"),
    )
    op.create_index("ix_outgoing_mails_due", "outgoing_mails", ["due_at"], sqlite_where=IS_DUE, postgresql_where=IS_DUE)
    op.create_index("ix_outgoing_mails_created", "outgoing_mails", ["created_at"])
