"""Subscriptions whose invoice waits are found without looking at the others."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

AWAITS = sa.text("due_at IS NOT NULL AND parked_cause IS NULL")


def upgrade() -> None:
    """An index of those that are billed again, by the end of their open period."""
    op.create_index(
        "ix_subscriptions_awaiting",
        "subscriptions",
        ["organization_id", "open_end", "subscription_id"],
        sqlite_where=AWAITS,
        postgresql_where=AWAITS,
    )
