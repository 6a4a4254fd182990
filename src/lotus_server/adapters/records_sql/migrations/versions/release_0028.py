"""Plans can turn into others at the end of a period."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """So far only another version of the same plan took a version's place."""
    op.add_column("plan_versions", sa.Column("transition_to", TEXT))
