"""Who changed what is kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
INSTANT = sa.BigInteger()


def upgrade() -> None:
    """The log begins empty: who changed what before is not known."""
    op.create_table(
        "audit_log",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("entry_id", TEXT, nullable=False),
        sa.Column("happened_at", INSTANT, nullable=False),
        sa.Column("author_kind", TEXT, nullable=False),
        sa.Column("author_id", TEXT, nullable=False),
        sa.Column("author_name", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("thing_id", TEXT, nullable=False),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text()),
        sa.PrimaryKeyConstraint("organization_id", "entry_id", name="pk_audit_log"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_audit_log_organizations"
        ),
    )
    for name, columns in (
        ("ix_audit_log_time", ["organization_id", "happened_at", "entry_id"]),
        ("ix_audit_log_thing", ["organization_id", "kind", "thing_id", "happened_at", "entry_id"]),
        ("ix_audit_log_author", ["organization_id", "author_id", "happened_at", "entry_id"]),
    ):
        op.create_index(name, "audit_log", columns)
