"""Spend that is watched is looked at again when an event comes about whose time lay ahead."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Everybody is looked at once, so that it is known what lies ahead by now."""
    op.add_column("spend_watches", sa.Column("again_at", sa.BigInteger()))
    op.execute("UPDATE spend_watches SET event_position = 0, correction_position = 0")
