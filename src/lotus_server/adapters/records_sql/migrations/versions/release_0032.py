"""Organizations have a portal for their customers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """A portal is made when it is first asked for."""
    op.create_table(
        "portals",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("secret", TEXT, nullable=False),
        sa.Column("color", TEXT, nullable=False),
        sa.Column("embed_origins", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_portals_organizations"
        ),
        sa.PrimaryKeyConstraint("organization_id", name="pk_portals"),
    )
