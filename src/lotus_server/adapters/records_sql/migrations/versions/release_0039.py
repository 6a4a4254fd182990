"""A subscription can be given another plan from its next renewal on."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has been given one yet."""
    op.add_column("subscriptions", sa.Column("next_plan", sa.Text()))
