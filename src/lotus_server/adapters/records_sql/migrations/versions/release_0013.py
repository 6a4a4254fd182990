"""What was invoiced for the usage of a period is kept, so that late events can correct it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
INSTANT = sa.BigInteger()


def upgrade() -> None:
    """Periods that were invoiced until now stay as they were invoiced."""
    op.create_table(
        "billed_periods",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("subscription_id", TEXT, nullable=False),
        sa.Column("period_start", INSTANT, nullable=False),
        sa.Column("held_end", INSTANT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("version_id", TEXT, nullable=False),
        sa.Column("invoice_id", TEXT, nullable=False),
        sa.Column("invoice_number", TEXT, nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("usage_digest", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "subscription_id", "period_start", name="pk_billed_periods"),
        sa.ForeignKeyConstraint(
            ["organization_id", "subscription_id"],
            ["subscriptions.organization_id", "subscriptions.subscription_id"],
            name="fk_billed_periods_subscriptions",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "invoice_id"],
            ["invoices.organization_id", "invoices.invoice_id"],
            name="fk_billed_periods_invoices",
        ),
    )
    op.create_index(
        "ix_billed_periods_customer",
        "billed_periods",
        ["organization_id", "customer_id", "subscription_id", "period_start"],
    )
