"""Lines can wait for their customer's next invoice."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
INSTANT = sa.BigInteger()
WAITS = sa.text("invoice_id IS NULL")


def upgrade() -> None:
    """So far everything was invoiced at once."""
    op.create_table(
        "pending_lines",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("pending_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("subscription_id", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("billed", sa.Text()),
        sa.Column("invoice_id", TEXT),
        sa.Column("parked_cause", TEXT),
        sa.PrimaryKeyConstraint("organization_id", "pending_id", name="pk_pending_lines"),
        sa.ForeignKeyConstraint(
            ["organization_id", "subscription_id"],
            ["subscriptions.organization_id", "subscriptions.subscription_id"],
            name="fk_pending_lines_subscriptions",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "invoice_id"],
            ["invoices.organization_id", "invoices.invoice_id"],
            name="fk_pending_lines_invoices",
        ),
        sa.UniqueConstraint("organization_id", "cause", name="uq_pending_lines_cause"),
    )
    op.create_index(
        "ix_pending_lines_customer", "pending_lines", ["organization_id", "customer_id", "created_at", "pending_id"]
    )
    for name, columns in (
        ("ix_pending_lines_due", ["due_at", "organization_id", "pending_id"]),
        ("ix_pending_lines_due_of_organization", ["organization_id", "due_at", "pending_id"]),
    ):
        op.create_index(name, "pending_lines", columns, sqlite_where=WAITS, postgresql_where=WAITS)
