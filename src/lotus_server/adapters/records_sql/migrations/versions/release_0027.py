"""A subscription knows with which events its billed periods were found right."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every subscription looks back once more, and knows from then on."""
    op.add_column("subscriptions", sa.Column("looked_back", sa.Text()))
