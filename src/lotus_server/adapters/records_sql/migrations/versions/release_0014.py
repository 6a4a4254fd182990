"""A plan version says whether parts of a billing period are counted by exact time or in whole days."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every version so far counts by exact time."""
    op.add_column("plan_versions", sa.Column("proration_unit", sa.Text(), nullable=False, server_default="exact"))
