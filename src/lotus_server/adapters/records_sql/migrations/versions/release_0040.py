"""Revenue by day is of the days of a time zone, which is that of its organization."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """The sums so far are of days in UTC; where the organization has another zone they are made anew."""
    op.add_column("revenue_marks", sa.Column("timezone", TEXT, nullable=False, server_default="UTC"))
