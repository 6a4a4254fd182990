"""A subscription can carry usage over from the one that it took the place of."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every subscription so far has carried nothing over."""
    op.add_column("subscriptions", sa.Column("usage_from", sa.Text(), nullable=False, server_default="{}"))
