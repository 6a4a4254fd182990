"""A subscription has quantities of its own, with their changes, and can be an add-on to another."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Every subscription so far has the quantities of its plan, and none is an add-on."""
    op.add_column("subscriptions", sa.Column("quantities", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("subscriptions", sa.Column("quantity_changes", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("subscriptions", sa.Column("parent_id", TEXT))
    op.create_index(
        "ix_subscriptions_parent",
        "subscriptions",
        ["organization_id", "parent_id"],
        sqlite_where=sa.text("parent_id IS NOT NULL"),
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
