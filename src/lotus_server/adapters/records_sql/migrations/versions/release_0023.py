"""Subscriptions can be paused."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """So far nothing was paused."""
    op.add_column("subscriptions", sa.Column("pauses", sa.Text(), nullable=False, server_default="[]"))
