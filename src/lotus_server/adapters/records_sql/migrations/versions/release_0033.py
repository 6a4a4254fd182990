"""Revenue by day is kept in whole numbers, of which both databases have exact sums."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """The sums begin empty again: they are made from invoices and credit notes."""
    op.drop_table("revenue_days")
    op.create_table(
        "revenue_days",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("basis", TEXT, nullable=False),
        sa.Column("dimension", TEXT, nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("amount_high", sa.BigInteger(), nullable=False),
        sa.Column("amount_low", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "organization_id", "basis", "dimension", "day", "currency", "key", name="pk_revenue_days"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_revenue_days_organizations"
        ),
        sqlite_with_rowid=False,
    )
    op.execute(sa.text("DELETE FROM revenue_voids"))
    op.execute(sa.text("DELETE FROM revenue_marks"))
