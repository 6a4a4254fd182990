"""Invoices can be taken back by credit notes, and voided."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
DECIMAL = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    """No invoice so far has a credit note."""
    op.add_column("invoices", sa.Column("credited", DECIMAL, nullable=False, server_default="0"))
    op.add_column(
        "invoice_series", sa.Column("last_credit_note_number", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.create_index(
        "ix_credit_postings_invoice",
        "credit_postings",
        ["organization_id", "invoice_id"],
        sqlite_where=sa.text("invoice_id IS NOT NULL"),
        postgresql_where=sa.text("invoice_id IS NOT NULL"),
    )
    op.create_table(
        "credit_notes",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("credit_note_id", TEXT, nullable=False),
        sa.Column("credit_note_number", TEXT, nullable=False),
        sa.Column("invoice_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("amounts", sa.Text(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("reduced_due", DECIMAL, nullable=False),
        sa.Column("credited", DECIMAL, nullable=False),
        sa.Column("made_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "invoice_id"],
            ["invoices.organization_id", "invoices.invoice_id"],
            name="fk_credit_notes_invoices",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "customer_id"],
            ["customers.organization_id", "customers.customer_id"],
            name="fk_credit_notes_customers",
        ),
        sa.PrimaryKeyConstraint("organization_id", "credit_note_id", name="pk_credit_notes"),
        sa.UniqueConstraint("organization_id", "credit_note_number", name="uq_credit_notes_number"),
    )
    op.create_index("ix_credit_notes_invoice", "credit_notes", ["organization_id", "invoice_id", "made_number"])
    op.create_index("ix_credit_notes_made", "credit_notes", ["organization_id", "made_number", "credit_note_id"])
    op.create_index(
        "ix_credit_notes_customer", "credit_notes", ["organization_id", "customer_id", "made_number", "credit_note_id"]
    )
