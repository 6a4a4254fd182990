"""Sums that analytics are answered from, and what the last recount of usage found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
INSTANT = sa.BigInteger()
DECIMAL = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    """The sums begin empty: whoever asks first, or the server's own tick, brings them up to the present."""
    op.create_table(
        "revenue_days",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("basis", TEXT, nullable=False),
        sa.Column("dimension", TEXT, nullable=False),
        sa.Column("day", INSTANT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("amount", DECIMAL, nullable=False),
        sa.PrimaryKeyConstraint(
            "organization_id", "basis", "dimension", "day", "currency", "key", name="pk_revenue_days"
        ),
        _of_organization("revenue_days"),
    )
    op.create_table(
        "revenue_marks",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("invoices", sa.BigInteger(), nullable=False),
        sa.Column("credit_notes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name="pk_revenue_marks"),
        _of_organization("revenue_marks"),
    )
    op.create_table(
        "revenue_voids",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("invoice_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "invoice_id", name="pk_revenue_voids"),
        sa.ForeignKeyConstraint(
            ["organization_id", "invoice_id"],
            ["invoices.organization_id", "invoices.invoice_id"],
            name="fk_revenue_voids_invoices",
        ),
    )
    op.create_table(
        "verifications",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("verified_at", INSTANT, nullable=False),
        sa.Column("aggregate_count", sa.Integer(), nullable=False),
        sa.Column("drift_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name="pk_verifications"),
        _of_organization("verifications"),
    )
    # What is past due is to be read from the index alone, too.
    where = sa.text("payment_status = 'unpaid'")
    columns = ["organization_id", "payment_status", "customer_id", "currency", "total", "credited", "due_at"]
    op.drop_index("ix_invoices_unpaid", "invoices")
    op.create_index("ix_invoices_unpaid", "invoices", columns, sqlite_where=where, postgresql_where=where)


def _of_organization(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id"], ["organizations.organization_id"], name=f"fk_{table}_organizations"
    )
