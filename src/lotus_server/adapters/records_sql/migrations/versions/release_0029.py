"""Usage can be invoiced when it reaches a spend threshold."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """So far nothing was compared with an amount."""
    op.create_table(
        "spend_watches",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("subscription_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("event_position", sa.BigInteger(), nullable=False),
        sa.Column("correction_position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "subscription_id", name="pk_spend_watches"),
        sa.ForeignKeyConstraint(
            ["organization_id", "subscription_id"],
            ["subscriptions.organization_id", "subscriptions.subscription_id"],
            name="fk_spend_watches_subscriptions",
        ),
    )
