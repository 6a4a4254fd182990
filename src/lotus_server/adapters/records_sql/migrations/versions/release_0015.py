"""A subscription may begin with a trial, and its periods lie on a zone's wall clock, or follow the calendar."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """No subscription so far has a trial, and every boundary lies where it lay, in UTC."""
    op.add_column("subscriptions", sa.Column("trial_end", sa.BigInteger()))
    op.add_column("subscriptions", sa.Column("timezone", TEXT, nullable=False, server_default="UTC"))
    op.add_column("plan_versions", sa.Column("calendar", sa.Text()))
