"""Usage can be invoiced in parts of a billing period."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """So far usage was invoiced when a period was over."""
    op.add_column("plan_versions", sa.Column("usage_invoicing", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("subscriptions", sa.Column("cadence", sa.Text(), nullable=False, server_default="{}"))
