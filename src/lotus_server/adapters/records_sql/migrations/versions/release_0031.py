"""What is due for a customer at one instant can be on one invoice."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """So far each subscription had an invoice of its own."""
    op.add_column("customers", sa.Column("invoice_grouping", sa.Text()))
