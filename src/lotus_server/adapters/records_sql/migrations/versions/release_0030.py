"""A sandbox's clock can run in the background."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """So far clocks were moved at once, and none runs."""
    op.add_column("organizations", sa.Column("clock_run_from", sa.BigInteger()))
    op.add_column("organizations", sa.Column("clock_run_until", sa.BigInteger()))
