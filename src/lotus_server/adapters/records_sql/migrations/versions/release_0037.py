"""Subscriptions that are paused or on trial are found by indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two small indexes: few subscriptions were ever paused, or have a trial."""
    for name, columns, condition in (
        ("paused", ["organization_id", "parent_id", "subscription_id"], "pauses != '[]'"),
        ("trial", ["organization_id", "trial_end", "subscription_id"], "trial_end IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(
            f"ix_subscriptions_{name}", "subscriptions", columns, sqlite_where=where, postgresql_where=where
        )
